"""Functions with kinks, checked at them and beside them."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(2)
X = rng.normal(size=(4, 5))
Z = X.copy()
Z[1, 2] = Z[3, 0] = 0.0
T = np.round(X, 1) + np.array([0, 0.5, 0, -0.5, 1])
SMALL = rng.normal(size=(3, 4)) * np.array([1, 1e-3, 1e-6, 1])

relu = lambda x: (np.maximum(x, 0), x)  # noqa: E731
CASES.add(
    "relu",
    relu,
    lambda x, dy: dy * (x > 0),
    X,
    wrong={">=-0.5": lambda x, dy: dy * (x > -0.5), "all": lambda x, dy: dy, "of dy": lambda x, dy: np.maximum(dy, 0)},
)
CASES.add(
    "relu at zero",
    relu,
    lambda x, dy: dy * (x > 0),
    Z,
    wrong={"twice": lambda x, dy: 2 * dy * (x > 0), "twice at zero": lambda x, dy: dy * np.where(x == 0, 2.0, x > 0)},
)
CASES.add(
    "relu at zero, one there",
    relu,
    lambda x, dy: dy * (x >= 0),
    Z,
    wrong={"minus one there": lambda x, dy: dy * np.where(x == 0, -1.0, x > 0)},
)
CASES.add(
    "relu of all zeros",
    relu,
    lambda x, dy: dy * (x > 0),
    np.zeros((3, 4)),
    wrong={"minus": lambda x, dy: -dy * np.ones_like(x)},
)
CASES.add(
    "leaky relu by where",
    lambda x: (np.where(x > 0, x, 0.1 * x), x),
    lambda x, dy: dy * np.where(x > 0, 1, 0.1),
    Z,
    wrong={"0.01": lambda x, dy: dy * np.where(x > 0, 1, 0.01)},
)
CASES.add(
    "leaky relu by mask",
    lambda x: (x * (x > 0) + 0.2 * x * (x <= 0), x),
    lambda x, dy: dy * ((x > 0) + 0.2 * (x <= 0)),
    X,
    wrong={"0.2 everywhere": lambda x, dy: 0.2 * dy},
)
CASES.add("relu near zero", relu, lambda x, dy: dy * (x > 0), SMALL, wrong={"1.5": lambda x, dy: 1.5 * dy * (x > 0)})
CASES.add(
    "abs",
    lambda x: (np.abs(x), x),
    lambda x, dy: dy * np.sign(x),
    X,
    wrong={"1": lambda x, dy: dy, "minus": lambda x, dy: -dy * np.sign(x)},
)
CASES.add(
    "abs at zero",
    lambda x: (abs(x), x),
    lambda x, dy: dy * np.sign(x),
    Z,
    wrong={"0.9": lambda x, dy: 0.9 * dy * np.sign(x)},
)
CASES.add(
    "abs by two relus",
    lambda x: (np.maximum(x, -x), x),
    lambda x, dy: dy * np.where(x >= 0, 1, -1),
    Z,
    wrong={"2 there": lambda x, dy: dy * np.where(x == 0, 2, np.sign(x))},
)
CASES.add(
    "|x - t| mean",
    lambda x, t: (np.abs(x - t).mean(), (x, t)),
    lambda c, dy: {"x": dy * np.sign(c[0] - c[1]) / 20, "t": dy * np.sign(c[1] - c[0]) / 20},
    {"x": X, "t": T},
    wrong={
        "sum": lambda c, dy: {"x": dy * np.sign(c[0] - c[1]), "t": dy * np.sign(c[1] - c[0])},
        "t plus": lambda c, dy: {"x": dy * np.sign(c[0] - c[1]) / 20, "t": dy * np.sign(c[0] - c[1]) / 20},
    },
)
CASES.add(
    "|x - t| with fits",
    lambda x: (np.abs(x - np.round(X)).sum(), x),
    lambda x, dy: dy * np.sign(x - np.round(X)),
    np.where(X > 0, np.round(X), X),
    wrong={"squares": lambda x, dy: 2 * dy * (x - np.round(X))},
)
CASES.add(
    "clip",
    lambda x: (np.clip(x, -0.5, 0.5), x),
    lambda x, dy: dy * (np.abs(x) < 0.5),
    X,
    wrong={"1": lambda x, dy: dy, "outside": lambda x, dy: dy * (np.abs(x) > 0.5)},
)
CASES.add(
    "clip at its corners",
    lambda x: (np.clip(x, 0, 6), x),
    lambda x, dy: dy * ((x > 0) & (x < 6)),
    np.array([0.0, 6, 3, 7, -1]),
    wrong={"2": lambda x, dy: 2.0 * dy * ((x > 0) & (x < 6))},
)
CASES.add(
    "relu6 inclusive",
    lambda x: (np.minimum(np.maximum(x, 0), 6), x),
    lambda x, dy: dy * ((x >= 0) & (x <= 6)),
    np.array([0.0, 6, 3, 7, -1]),
    wrong={"from 0 to 7": lambda x, dy: dy * ((x >= 0) & (x <= 7))},
)
CASES.add(
    "hard sigmoid",
    lambda x: (np.clip(0.2 * x + 0.5, 0, 1), x),
    lambda x, dy: 0.2 * dy * (np.abs(x) < 2.5),
    2 * X,
    wrong={"0.25": lambda x, dy: 0.25 * dy * (np.abs(x) < 2.5)},
)
CASES.add(
    "elu",
    lambda x: (np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1), x),
    lambda x, dy: dy * np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
    Z,
    wrong={"y": lambda x, dy: dy * np.where(x > 0, 1, np.exp(np.minimum(x, 0)) - 1)},
)


def largest(x):
    i = x.argmax(axis=1)
    return x.max(axis=1), (x.shape, i)


def largest_backward(c, dy):
    dx = np.zeros(c[0])
    dx[np.arange(c[0][0]), c[1]] = dy
    return dx


TIED = np.array([[1.0, 3, 3], [0, -1, -2], [2, 2, 2]])
CASES.add(
    "max over an axis",
    largest,
    largest_backward,
    X,
    wrong={"spread": lambda c, dy: np.repeat(dy[:, None], c[0][1], 1) / c[0][1]},
)
CASES.add(
    "max with ties",
    largest,
    largest_backward,
    TIED,
    wrong={
        "both": lambda c, dy: dy[:, None] * (TIED.max(1, keepdims=True) == TIED),
        "first": lambda c, dy: dy[:, None] * np.array([1.0, 0, 0]),
    },
)
CASES.add(
    "max with ties, shared",
    lambda x: (x.max(axis=1), x),
    lambda x, dy: dy[:, None] * (x == x.max(1, keepdims=True)) / (x == x.max(1, keepdims=True)).sum(1, keepdims=True),
    TIED,
    wrong={
        "1.1": lambda x, dy: (
            1.1 * dy[:, None] * (x == x.max(1, keepdims=True)) / (x == x.max(1, keepdims=True)).sum(1, keepdims=True)
        )
    },
)
CASES.add(
    "maximum of two",
    lambda a, b: (np.maximum(a, b), (a, b)),
    lambda c, dy: {"a": dy * (c[0] >= c[1]), "b": dy * (c[0] < c[1])},
    {"a": X, "b": T},
    wrong={"b lost": lambda c, dy: {"a": dy * (c[0] >= c[1]), "b": 0 * dy}},
)
CASES.add(
    "minimum of two, equal",
    lambda a, b: (np.minimum(a, b), (a, b)),
    lambda c, dy: {"a": dy * (c[0] <= c[1]), "b": dy * (c[0] > c[1])},
    {"a": T, "b": np.where(X > 0, T, X)},
    wrong={
        "both at ties": lambda c, dy: {"a": dy * (c[0] <= c[1]), "b": dy * (c[0] >= c[1])},
        "reversed": lambda c, dy: {"a": dy * (c[0] > c[1]), "b": dy * (c[0] <= c[1])},
    },
)
Y = np.array([1, -1, 1, -1.0])
SCORE = np.array([1.0, 0.3, -2, -1.0])  # two of them sit at their margin
CASES.add(
    "hinge at the margin",
    lambda s: (np.maximum(0, 1 - Y * s).mean(), s),
    lambda s, dy: -dy * Y * (1 - Y * s > 0) / 4,
    SCORE,
    wrong={"sign": lambda s, dy: dy * Y * (1 - Y * s > 0) / 4, "margin 0": lambda s, dy: -dy * Y * (-Y * s > 0) / 4},
)
CASES.add(
    "squared hinge at the margin",
    lambda s: ((np.maximum(0, 1 - Y * s) ** 2).mean(), s),
    lambda s, dy: -dy * Y * np.maximum(0, 1 - Y * s) / 2,
    SCORE,
    wrong={"not squared": lambda s, dy: -dy * Y * (1 - Y * s > 0) / 2},
)


def huber(r, delta=1.0):
    return np.where(np.abs(r) <= delta, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).sum(), r


CASES.add(
    "huber with residuals at delta",
    huber,
    lambda r, dy: dy * np.clip(r, -1, 1),
    np.array([1.0, -1, 0.3, 4, 0]),
    wrong={"unclipped": lambda r, dy: dy * r, "sign": lambda r, dy: dy * np.sign(r)},
)
CASES.add(
    "soft threshold",
    lambda x: (np.sign(x) * np.maximum(np.abs(x) - 0.3, 0), x),
    lambda x, dy: dy * (np.abs(x) > 0.3),
    Z,
    wrong={"all": lambda x, dy: dy, "0.5": lambda x, dy: dy * (np.abs(x) > 0.5)},
)
CASES.add(
    "range",
    lambda x: (x.max() - x.min(), x),
    lambda x, dy: dy * ((x == x.max()) * 1.0 - (x == x.min())),
    X,
    wrong={"min lost": lambda x, dy: dy * (x == x.max())},
)
CASES.add(
    "median",
    lambda x: (np.median(x), x),
    lambda x, dy: dy * (x == np.median(x)),
    X.ravel()[:7],
    wrong={"mean": lambda x, dy: dy / x.size * np.ones_like(x)},
)
CASES.add(
    "pooling of a constant patch",
    lambda x: (x.reshape(2, 2, 2, 2).max(axis=(1, 3)), x),
    lambda x, dy: (
        (np.eye(4)[x.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(2, 2, 4).argmax(-1)] * dy[..., None])
        .reshape(2, 2, 2, 2)
        .swapaxes(1, 2)
        .reshape(4, 4)
    ),
    np.array([[1.0, 1, 0, 2], [1, 1, 3, 1], [4, 5, 0, 0], [6, 7, 0, 0]]),
    wrong={"everywhere": lambda x, dy: dy.repeat(2, 0).repeat(2, 1)},
)
CASES.add(
    "total variation",
    lambda x: (np.abs(np.diff(x)).sum(), x),
    lambda x, dy: dy * (np.concatenate([[0], np.sign(np.diff(x))]) - np.concatenate([np.sign(np.diff(x)), [0]])),
    np.array([1.0, 1, 1, 4, 4, 2]),
    wrong={"one side": lambda x, dy: dy * np.concatenate([[0], np.sign(np.diff(x))])},
)
CASES.add(
    "sorted, weighted",
    lambda x: (np.sort(x) @ np.arange(5.0), x),
    lambda x, dy: dy * np.argsort(np.argsort(x)),
    X[0],
    wrong={"argsort": lambda x, dy: dy * np.argsort(x) * 1.0 + dy},
)
CASES.add(
    "quantile loss",
    lambda x: (np.maximum(0.9 * (x - 1), -0.1 * (x - 1)).mean(), x),
    lambda x, dy: dy * np.where(x > 1, 0.9, -0.1) / 5,
    np.array([1.0, 0, 2, 3, 1]),
    wrong={"sides": lambda x, dy: dy * np.where(x > 1, 0.1, -0.9) / 5},
)
