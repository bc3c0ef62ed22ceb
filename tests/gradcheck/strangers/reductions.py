"""Sums, means, products, cumulated things."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(4)
X = rng.normal(size=(4, 5))
B = rng.normal(size=(2, 3, 4, 5))
P = rng.uniform(0.5, 2, size=(3, 4))

CASES.add(
    "sum",
    lambda x: (x.sum(), x.shape),
    lambda s, dy: dy * np.ones(s),
    X,
    wrong={"mean": lambda s, dy: dy * np.ones(s) / 20, "no dy": lambda s, dy: np.ones(s)},
)
CASES.add(
    "sum over rows",
    lambda x: (x.sum(axis=0), x.shape),
    lambda s, dy: np.broadcast_to(dy, s),
    X,
    wrong={"mean": lambda s, dy: np.broadcast_to(dy, s) / s[0]},
)
CASES.add(
    "mean",
    lambda x: (x.mean(), x.shape),
    lambda s, dy: dy * np.ones(s) / 20,
    X,
    wrong={"by rows": lambda s, dy: dy * np.ones(s) / 4, "sum": lambda s, dy: dy * np.ones(s)},
)
CASES.add(
    "mean over channels",
    lambda x: (x.mean(axis=(0, 2, 3)), x.shape),
    lambda s, dy: np.broadcast_to(dy[None, :, None, None] / 40, s),
    B,
    wrong={"20": lambda s, dy: np.broadcast_to(dy[None, :, None, None] / 20, s)},
)
CASES.add(
    "mean of squares",
    lambda x: ((x**2).mean(axis=1), x),
    lambda x, dy: 2 * dy[:, None] * x / 5,
    X,
    wrong={"4": lambda x, dy: 2 * dy[:, None] * x / 4},
)
CASES.add(
    "product",
    lambda x: (x.prod(axis=1), x),
    lambda x, dy: dy[:, None] * x.prod(1, keepdims=True) / x,
    P,
    wrong={"times": lambda x, dy: dy[:, None] * x.prod(1, keepdims=True)},
)
CASES.add(
    "product with a zero",
    lambda x: (np.prod(x), x),
    lambda x, dy: dy * np.array([np.prod(np.delete(x, i)) for i in range(4)]),
    np.array([2.0, 0, 3, -1]),
    wrong={"no zero": lambda x, dy: dy * np.array([0.0, 6, 0, 0])},
)
CASES.add(
    "cumsum",
    lambda x: (np.cumsum(x, axis=1), None),
    lambda c, dy: np.cumsum(dy[:, ::-1], axis=1)[:, ::-1],
    X,
    wrong={"forward": lambda c, dy: np.cumsum(dy, axis=1), "flipped": lambda c, dy: np.cumsum(dy[:, ::-1], axis=1)},
)
CASES.add(
    "cumprod",
    lambda x: (np.cumprod(x), x),
    lambda x, dy: np.cumsum((dy * np.cumprod(x))[::-1])[::-1] / x,
    P.ravel(),
    wrong={"no tail": lambda x, dy: dy * np.cumprod(x) / x},
)
CASES.add(
    "logsumexp",
    lambda x: (np.log(np.exp(x).sum(axis=1)), x),
    lambda x, dy: dy[:, None] * np.exp(x) / np.exp(x).sum(1, keepdims=True),
    X,
    wrong={"axis": lambda x, dy: dy[:, None] * np.exp(x) / np.exp(x).sum(0, keepdims=True)},
)
CASES.add(
    "logsumexp, shifted",
    lambda x: (x.max(1) + np.log(np.exp(x - x.max(1, keepdims=True)).sum(axis=1)), x),
    lambda x, dy: (
        dy[:, None] * np.exp(x - x.max(1, keepdims=True)) / np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)
    ),
    30 * X,
    wrong={"largest only": lambda x, dy: dy[:, None] * (x == x.max(1, keepdims=True)) * 1.01},
)
CASES.add(
    "weighted mean",
    lambda x, w: ((w * x).sum() / w.sum(), (x, w)),
    lambda c, dy: {"x": dy * c[1] / c[1].sum(), "w": dy * (c[0] - (c[0] * c[1]).sum() / c[1].sum()) / c[1].sum()},
    {"x": P, "w": P[::-1].copy()},
    wrong={"w alone": lambda c, dy: {"x": dy * c[1] / c[1].sum(), "w": dy * c[0] / c[1].sum()}},
)
CASES.add(
    "geometric mean",
    lambda x: (np.exp(np.log(x).mean()), x),
    lambda x, dy: dy * np.exp(np.log(x).mean()) / x / 12,
    P,
    wrong={"12": lambda x, dy: dy * np.exp(np.log(x).mean()) / x},
)
CASES.add(
    "harmonic mean",
    lambda x: (1 / (1 / x).mean(), x),
    lambda x, dy: dy / (1 / x).mean() ** 2 / x**2 / 12,
    P,
    wrong={"square": lambda x, dy: dy / (1 / x).mean() / x**2 / 12},
)
CASES.add(
    "trace",
    lambda x: (np.trace(x), x),
    lambda x, dy: dy * np.eye(4),
    X[:, :4],
    wrong={"ones": lambda x, dy: dy * np.ones((4, 4))},
)
CASES.add(
    "nanmean without nans",
    lambda x: (np.nanmean(x), x),
    lambda x, dy: dy / x.size * np.ones_like(x),
    X,
    wrong={"n-1": lambda x, dy: dy / 19 * np.ones_like(x)},
)
CASES.add(
    "moments",
    lambda x: (np.stack([x.mean(0), (x**2).mean(0), (x**3).mean(0)]), x),
    lambda x, dy: (dy[0] + 2 * dy[1] * x + 3 * dy[2] * x**2) / 4,
    X,
    wrong={
        "third": lambda x, dy: (dy[0] + 2 * dy[1] * x + 2 * dy[2] * x**2) / 4,
        "first lost": lambda x, dy: (2 * dy[1] * x + 3 * dy[2] * x**2) / 4,
    },
)
CASES.add(
    "einsum",
    lambda a, b: (np.einsum("bij,bjk->ik", a, b), (a, b)),
    lambda c, dy: {"a": np.einsum("ik,bjk->bij", dy, c[1]), "b": np.einsum("ik,bij->bjk", dy, c[0])},
    {"a": B[0, :, :, :4], "b": B[1, :, :, :]},
    wrong={
        "mean": lambda c, dy: {"a": np.einsum("ik,bjk->bij", dy, c[1]) / 3, "b": np.einsum("ik,bij->bjk", dy, c[0])}
    },
)
CASES.add(
    "outer",
    lambda a, b: (np.outer(a, b), (a, b)),
    lambda c, dy: (dy @ c[1], dy.T @ c[0]),
    {"a": X[0], "b": X[1]},
    wrong={"transposed": lambda c, dy: (dy.T @ c[1], dy @ c[0])},
)
CASES.add(
    "centred",
    lambda x: (x - x.mean(axis=0), None),
    lambda c, dy: dy - dy.mean(axis=0),
    X,
    wrong={"mean forgotten": lambda c, dy: dy, "other axis": lambda c, dy: dy - dy.mean(axis=1, keepdims=True)},
)
CASES.add(
    "sum of huge and tiny",
    lambda x: (1e8 + x.sum(), x),
    lambda x, dy: dy * np.ones_like(x),
    X,
    wrong={"twice": lambda x, dy: 2 * dy * np.ones_like(x)},
)
