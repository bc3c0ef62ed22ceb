"""Broadcasting, transposing, joining, padding."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(15)
X = rng.normal(size=(3, 4))
B = rng.normal(size=(3, 3, 3))
v = rng.normal(size=4)

CASES.add(
    "transpose", lambda x: (x.T.copy(), None), lambda c, dy: dy.T, X, wrong={"reshape": lambda c, dy: dy.reshape(3, 4)}
)
CASES.add(
    "axes permuted",
    lambda x: (x.transpose(2, 0, 1), None),
    lambda c, dy: dy.transpose(1, 2, 0),
    B,
    wrong={"not inverted": lambda c, dy: dy.transpose(2, 0, 1)},
)
CASES.add(
    "reshape",
    lambda x: (x.reshape(2, 6), None),
    lambda c, dy: dy.reshape(3, 4),
    X,
    wrong={"F": lambda c, dy: dy.reshape(3, 4, order="F")},
)
CASES.add(
    "flatten in columns",
    lambda x: (x.ravel(order="F"), None),
    lambda c, dy: dy.reshape(3, 4, order="F"),
    X,
    wrong={"C": lambda c, dy: dy.reshape(3, 4)},
)
CASES.add(
    "broadcast add",
    lambda x, b: (x + b, None),
    lambda c, dy: (dy, dy.sum(0)),
    {"x": X, "b": v},
    wrong={"mean": lambda c, dy: (dy, dy.mean(0)), "last row": lambda c, dy: (dy, dy[-1])},
)
CASES.add(
    "broadcast multiply",
    lambda x, s: (x * s, (x, s)),
    lambda c, dy: (dy * c[1], (dy * c[0]).sum(1, keepdims=True)),
    {"x": X, "s": v[:3, None].copy()},
    wrong={"mean": lambda c, dy: (dy * c[1], (dy * c[0]).mean(1, keepdims=True))},
)
CASES.add(
    "scalar times matrix",
    lambda x, s: (x * s, (x, s)),
    lambda c, dy: {"x": dy * c[1], "s": (dy * c[0]).sum()},
    {"x": X, "s": np.array(1.5)},
    wrong={"x": lambda c, dy: {"x": dy, "s": (dy * c[0]).sum()}},
)
CASES.add(
    "concatenate",
    lambda a, b: (np.concatenate([a, b], axis=1), None),
    lambda c, dy: (dy[:, :4], dy[:, 4:]),
    {"a": X, "b": X[:, ::-1] + 1},
    wrong={"swapped": lambda c, dy: (dy[:, 4:], dy[:, :4])},
)
CASES.add(
    "stack",
    lambda a, b: (np.stack([a, 2 * b]), None),
    lambda c, dy: (dy[0], 2 * dy[1]),
    {"a": X, "b": X + 1},
    wrong={"2": lambda c, dy: (dy[0], dy[1])},
)
CASES.add(
    "pad",
    lambda x: (np.pad(x, 1), None),
    lambda c, dy: dy[1:-1, 1:-1],
    X,
    wrong={"shifted": lambda c, dy: dy[:-2, :-2]},
)
CASES.add(
    "pad by edges",
    lambda x: (np.pad(x, 1, mode="edge"), None),
    lambda c, dy: dy[1:4] + np.array([dy[0], 0, dy[4]]),
    X[0, :3],
    wrong={"edges lost": lambda c, dy: dy[1:4]},
)
CASES.add(
    "tile",
    lambda x: (np.tile(x, (2, 1)), None),
    lambda c, dy: dy[:3] + dy[3:],
    X,
    wrong={"first": lambda c, dy: dy[:3], "mean": lambda c, dy: (dy[:3] + dy[3:]) / 2},
)
CASES.add(
    "repeat",
    lambda x: (np.repeat(x, 2, axis=1), None),
    lambda c, dy: dy[:, ::2] + dy[:, 1::2],
    X,
    wrong={"halves": lambda c, dy: dy[:, :4] + dy[:, 4:]},
)
CASES.add(
    "flip",
    lambda x: (x[::-1, ::-1], None),
    lambda c, dy: dy[::-1, ::-1],
    X,
    wrong={"one axis": lambda c, dy: dy[::-1], "none": lambda c, dy: dy},
)
CASES.add(
    "outer sum",
    lambda a, b: (a[:, None] + b[None] ** 2, b),
    lambda b, dy: (dy.sum(1), 2 * b * dy.sum(0)),
    {"a": v, "b": v + 1},
    wrong={"axes": lambda b, dy: (dy.sum(0), 2 * b * dy.sum(1))},
)
CASES.add(
    "swap last axes",
    lambda x: (x.swapaxes(1, 2) * np.arange(3), None),
    lambda c, dy: (dy * np.arange(3)).swapaxes(1, 2),
    B,
    wrong={"not": lambda c, dy: dy * np.arange(3)},
)
CASES.add(
    "split and recombine",
    lambda x: (x[:, :2] * x[:, 2:], x),
    lambda x, dy: np.concatenate([dy * x[:, 2:], dy * x[:, :2]], 1),
    X,
    wrong={"swapped": lambda x, dy: np.concatenate([dy * x[:, :2], dy * x[:, 2:]], 1)},
)
CASES.add(
    "kronecker",
    lambda a: (np.kron(a, np.array([[1.0, 2], [3, 4]])), None),
    lambda c, dy: np.einsum("ipjq,pq->ij", dy.reshape(3, 2, 4, 2), np.array([[1.0, 2], [3, 4]])),
    X,
    wrong={"T": lambda c, dy: np.einsum("ipjq,qp->ij", dy.reshape(3, 2, 4, 2), np.array([[1.0, 2], [3, 4]]))},
)
CASES.add(
    "symmetrised",
    lambda x: (x + x.T, None),
    lambda c, dy: dy + dy.T,
    B[0],
    wrong={"2": lambda c, dy: 2 * dy, "1": lambda c, dy: dy},
)
CASES.add(
    "meshgrid",
    lambda a: (np.sin(np.add(*np.meshgrid(a, a))), a),
    lambda a, dy: (lambda d: d.sum(0) + d.sum(1))(dy * np.cos(a[None] + a[:, None])),
    v,
    wrong={"one": lambda a, dy: 2 * (dy * np.cos(a[None] + a[:, None])).sum(0)},
)
CASES.add(
    "differences",
    lambda x: (np.diff(x, axis=1), None),
    lambda c, dy: np.pad(dy, ((0, 0), (1, 0))) - np.pad(dy, ((0, 0), (0, 1))),
    X,
    wrong={"sign": lambda c, dy: np.pad(dy, ((0, 0), (0, 1))) - np.pad(dy, ((0, 0), (1, 0)))},
)
CASES.add(
    "squeeze",
    lambda x: (x[:, None, :].squeeze(1) ** 2, x),
    lambda x, dy: 2 * x * dy,
    X,
    wrong={"x": lambda x, dy: x * dy},
)
