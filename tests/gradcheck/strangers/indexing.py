"""Look-ups, slices, scatter and gather."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(11)
X = rng.normal(size=(4, 5))
E = rng.normal(size=(7, 3))
IDS = np.array([[0, 2, 2], [6, 0, 2]])


def add_at(shape, index, values):
    out = np.zeros(shape)
    np.add.at(out, index, values)
    return out


def assigned(shape, index, values):
    out = np.zeros(shape)
    out[index] = values
    return out


CASES.add(
    "embedding",
    lambda ids, E: (E[ids], (ids, E.shape)),
    lambda c, dy: {"E": add_at(c[1], c[0], dy)},
    {"ids": IDS},
    {"E": E},
    wrong={"= for +=": lambda c, dy: {"E": assigned(c[1], c[0], dy)}},
)
CASES.add(
    "embedding, float ids",
    lambda ids, E: (E[ids.astype(int)], (ids.astype(int), E.shape)),
    lambda c, dy: {"E": add_at(c[1], c[0], dy)},
    {"ids": IDS.astype(float)},
    {"E": E},
    wrong={"twice": lambda c, dy: {"E": 2 * add_at(c[1], c[0], dy)}},
)
CASES.add(
    "embedding, summed",
    lambda ids, E: (E[ids].sum(1), (ids, E.shape)),
    lambda c, dy: {"E": add_at(c[1], c[0], dy[:, None, :].repeat(3, 1))},
    {"ids": IDS},
    {"E": E},
    wrong={"mean": lambda c, dy: {"E": add_at(c[1], c[0], dy[:, None, :].repeat(3, 1)) / 3}},
)
CASES.add(
    "take columns",
    lambda x: (x[:, [3, 0, 3]], None),
    lambda c, dy: add_at((4, 5), (slice(None), [3, 0, 3]), dy),
    X,
    wrong={"once": lambda c, dy: assigned((4, 5), (slice(None), [3, 0, 3]), dy)},
)
CASES.add(
    "slice",
    lambda x: (x[1:, ::2], None),
    lambda c, dy: assigned((4, 5), (slice(1, None), slice(None, None, 2)), dy),
    X,
    wrong={"off by one": lambda c, dy: assigned((4, 5), (slice(0, 3), slice(None, None, 2)), dy)},
)
CASES.add(
    "boolean selection",
    lambda x: (x[X > 0] ** 2, x),
    lambda x, dy: assigned((4, 5), X > 0, 2 * dy * x[X > 0]),
    X,
    wrong={"1": lambda x, dy: assigned((4, 5), X > 0, dy)},
)
CASES.add(
    "one element",
    lambda x: (x[2, 3] ** 2, x),
    lambda x, dy: assigned((4, 5), (2, 3), 2 * dy * x[2, 3]),
    X,
    wrong={"transposed": lambda x, dy: assigned((4, 5), (3, 2), 2 * dy * x[2, 3])},
)
CASES.add(
    "diagonal",
    lambda x: (np.diag(x), None),
    lambda c, dy: np.diag(dy),
    X[:, :4],
    wrong={"anti": lambda c, dy: np.diag(dy)[::-1]},
)
CASES.add(
    "triangle",
    lambda x: (np.tril(x), None),
    lambda c, dy: np.tril(dy),
    X[:, :4],
    wrong={"upper": lambda c, dy: np.triu(dy), "strict": lambda c, dy: np.tril(dy, -1)},
)
CASES.add(
    "scatter add",
    lambda x: (
        add_at(3, np.array([0, 1, 1, 2, 0]), x.real)
        if not np.iscomplexobj(x)
        else np.array([x[0] + x[4], x[1] + x[2], x[3]]),
        None,
    ),
    lambda c, dy: dy[np.array([0, 1, 1, 2, 0])],
    X[0],
    wrong={"wrong segment": lambda c, dy: dy[np.array([0, 1, 2, 2, 0])]},
)
CASES.add(
    "segment mean by bincount",
    lambda x: (np.bincount([0, 1, 1, 2, 0], weights=x) / np.array([2, 2, 1]), None),
    lambda c, dy: (dy / np.array([2, 2, 1]))[np.array([0, 1, 1, 2, 0])],
    X[0],
    wrong={"sum": lambda c, dy: dy[np.array([0, 1, 1, 2, 0])]},
)
CASES.add(
    "gather by argmax",
    lambda x: (x[np.arange(4), x.real.argmax(1)], x),
    lambda x, dy: np.eye(5)[x.argmax(1)] * dy[:, None],
    X,
    wrong={"argmin": lambda x, dy: np.eye(5)[x.argmin(1)] * dy[:, None]},
)
CASES.add(
    "top two",
    lambda x: (np.sort(x, axis=1)[:, -2:], x),
    lambda x, dy: (lambda o: np.eye(5)[o[:, -2]] * dy[:, :1] + np.eye(5)[o[:, -1]] * dy[:, 1:])(x.argsort(1)),
    X,
    wrong={
        "swapped": lambda x, dy: (lambda o: np.eye(5)[o[:, -1]] * dy[:, :1] + np.eye(5)[o[:, -2]] * dy[:, 1:])(
            x.argsort(1)
        )
    },
)
PERM = np.array([2, 0, 3, 1])
CASES.add(
    "permutation",
    lambda x: (x[PERM], None),
    lambda c, dy: dy[np.argsort(PERM)],
    X,
    wrong={"not inverted": lambda c, dy: dy[PERM]},
)
CASES.add(
    "shift",
    lambda x: (np.roll(x, 1, axis=1), None),
    lambda c, dy: np.roll(dy, -1, axis=1),
    X,
    wrong={"same way": lambda c, dy: np.roll(dy, 1, axis=1)},
)
CASES.add(
    "windows",
    lambda x: (np.stack([x[i : i + 3] for i in range(3)]), None),
    lambda c, dy: sum(assigned(5, slice(i, i + 3), dy[i]) for i in range(3)),
    X[0],
    wrong={"last wins": lambda c, dy: np.concatenate([dy[0][:1], dy[1][:1], dy[2]])},
)
CASES.add(
    "histogram-like weights",
    lambda x: ((np.exp(-((x[:, None] - np.arange(3)) ** 2))).sum(0), x),
    lambda x, dy: (-2 * (x[:, None] - np.arange(3)) * np.exp(-((x[:, None] - np.arange(3)) ** 2))) @ dy,
    X[0],
    wrong={"sign": lambda x, dy: (2 * (x[:, None] - np.arange(3)) * np.exp(-((x[:, None] - np.arange(3)) ** 2))) @ dy},
)
CASES.add(
    "linear interpolation",
    lambda x: (np.interp(x, [0.0, 1, 2, 3], [0.0, 2, 1, 5]), x),
    lambda x, dy: dy * np.array([2.0, -1, 4])[np.clip(x.astype(int), 0, 2)],
    np.array([0.3, 1.5, 2.2, 0.9]),
    wrong={"right neighbour": lambda x, dy: dy * np.array([2.0, -1, 4])[np.clip(x.astype(int) + 1, 0, 2)]},
)
CASES.add(
    "linear interpolation at a knot",
    lambda x: (np.interp(x, [0.0, 1, 2, 3], [0.0, 2, 1, 5]), x),
    lambda x, dy: dy * np.array([2.0, -1, 4])[np.clip(x.astype(int), 0, 2)],
    np.array([1.0, 1.5, 2.0]),
    wrong={"10": lambda x, dy: dy * np.array([2.0, 10, 4])[np.clip(x.astype(int), 0, 2)]},
)
