"""Losses."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(6)
X = rng.normal(size=(4, 5))
T = rng.normal(size=(4, 5))
Y = np.array([0, 3, 1, 4])
BITS = (rng.uniform(size=(4, 5)) > 0.5).astype(float)
PROB = rng.uniform(0.05, 0.95, size=(4, 5))
HOT = np.eye(5)[Y]


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(x, y):
    p = softmax(x)
    return -np.log(p[np.arange(len(y)), y]).mean(), (p, y)


CASES.add(
    "squared error",
    lambda x, t: (((x - t) ** 2).mean(), x - t),
    lambda d, dy: {"x": dy * 2 * d / 20, "t": -dy * 2 * d / 20},
    {"x": X, "t": T},
    wrong={
        "over rows": lambda d, dy: {"x": dy * 2 * d / 4, "t": -dy * 2 * d / 4},
        "t lost": lambda d, dy: {"x": dy * 2 * d / 20, "t": 0 * d},
    },
)
CASES.add(
    "half squared error",
    lambda x: (0.5 * ((x - T) ** 2).sum(), x),
    lambda x, dy: dy * (x - T),
    X,
    wrong={"2": lambda x, dy: 2 * dy * (x - T), "reversed": lambda x, dy: dy * (T - x)},
)
CASES.add(
    "cross entropy, integer labels",
    cross_entropy,
    lambda c, dy: {"x": dy * (c[0] - np.eye(5)[c[1]]) / 4},
    {"x": X, "y": Y},
    wrong={"sum": lambda c, dy: {"x": dy * (c[0] - np.eye(5)[c[1]])}, "no label": lambda c, dy: {"x": dy * c[0] / 4}},
)
CASES.add(
    "cross entropy, float labels",
    lambda x, y: cross_entropy(x, y.astype(int)),
    lambda c, dy: {"x": dy * (c[0] - np.eye(5)[c[1]]) / 4},
    {"x": X, "y": Y.astype(float)},
    wrong={"5": lambda c, dy: {"x": dy * (c[0] - np.eye(5)[c[1]]) / 5}},
)
CASES.add(
    "cross entropy, one-hot",
    lambda x: (-(HOT * np.log(softmax(x))).sum(), x),
    lambda x, dy: dy * (softmax(x) - HOT),
    X,
    wrong={"minus": lambda x, dy: dy * (HOT - softmax(x))},
)
CASES.add(
    "binary cross entropy",
    lambda p: (-(BITS * np.log(p) + (1 - BITS) * np.log(1 - p)).sum(), p),
    lambda p, dy: dy * (p - BITS) / (p * (1 - p)),
    PROB,
    wrong={"logits": lambda p, dy: dy * (p - BITS)},
)
CASES.add(
    "binary cross entropy with logits",
    lambda a: ((np.logaddexp(0, a) - BITS * a).sum(1).mean(), a),
    lambda a, dy: dy * (sigmoid(a) - BITS) / 4,
    3 * X,
    wrong={"20": lambda a, dy: dy * (sigmoid(a) - BITS) / 20},
)
CASES.add(
    "cross entropy with eps",
    lambda p: (-(BITS * np.log(p + 1e-7)).sum(), p),
    lambda p, dy: -dy * BITS / (p + 1e-7),
    PROB,
    wrong={"sign": lambda p, dy: dy * BITS / (p + 1e-7)},
)
CASES.add(
    "clipped cross entropy",
    lambda p: (-(BITS * np.log(np.clip(p, 1e-7, 1 - 1e-7))).mean(), p),
    lambda p, dy: -dy * BITS / p / 20 * ((p > 1e-7) & (p < 1 - 1e-7)),
    np.where(PROB < 0.2, 0.0, PROB),
    wrong={"4": lambda p, dy: -dy * BITS / np.clip(p, 1e-7, 1) / 4 * (p > 0)},
)
CASES.add(
    "focal",
    lambda p: (-((1 - p) ** 2 * np.log(p)).sum(), p),
    lambda p, dy: dy * (2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p),
    PROB,
    wrong={"weight constant": lambda p, dy: -dy * (1 - p) ** 2 / p},
)
CASES.add(
    "kl of softmaxes",
    lambda a: ((softmax(T) * (np.log(softmax(T)) - np.log(softmax(a)))).sum(1).mean(), a),
    lambda a, dy: dy * (softmax(a) - softmax(T)) / 4,
    X,
    wrong={"reversed": lambda a, dy: dy * (softmax(T) - softmax(a)) / 4},
)
CASES.add(
    "label smoothing",
    lambda x: (-((0.9 * HOT + 0.02) * np.log(softmax(x))).sum(), x),
    lambda x, dy: dy * (softmax(x) - 0.9 * HOT - 0.02),
    X,
    wrong={"no smoothing": lambda x, dy: dy * (softmax(x) - HOT)},
)
CASES.add(
    "log cosh",
    lambda x: (np.log(np.cosh(x - T)).sum(), x),
    lambda x, dy: dy * np.tanh(x - T),
    X,
    wrong={"x": lambda x, dy: dy * np.tanh(x)},
)
CASES.add(
    "poisson",
    lambda a: ((np.exp(a) - BITS * a).mean(), a),
    lambda a, dy: dy * (np.exp(a) - BITS) / 20,
    X,
    wrong={"exp": lambda a, dy: dy * (np.exp(a) - 1) / 20},
)
CASES.add(
    "charbonnier",
    lambda x: (np.sqrt((x - T) ** 2 + 1e-6).mean(), x),
    lambda x, dy: dy * (x - T) / np.sqrt((x - T) ** 2 + 1e-6) / 20,
    np.where(BITS > 0, T + 1e-3 * X, X),
    wrong={"sign": lambda x, dy: dy * np.sign(x - T) / 20},
)


def triplet(a, p, n):
    m = ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1
    return np.maximum(m, 0).mean(), (a, p, n, m > 0)


CASES.add(
    "triplet",
    triplet,
    lambda c, dy: {
        "a": 2 * dy * c[3][:, None] * (c[2] - c[1]) / 4,
        "p": 2 * dy * c[3][:, None] * (c[1] - c[0]) / 4,
        "n": 2 * dy * c[3][:, None] * (c[0] - c[2]) / 4,
    },
    {"a": X, "p": T, "n": T[::-1].copy()},
    wrong={
        "not masked": lambda c, dy: {
            "a": 2 * dy * (c[2] - c[1]) / 4,
            "p": 2 * dy * (c[1] - c[0]) / 4,
            "n": 2 * dy * (c[0] - c[2]) / 4,
        },
        "n": lambda c, dy: {
            "a": 2 * dy * c[3][:, None] * (c[2] - c[1]) / 4,
            "p": 2 * dy * c[3][:, None] * (c[1] - c[0]) / 4,
            "n": 2 * dy * c[3][:, None] * (c[2] - c[0]) / 4,
        },
    },
)
MASK = BITS.copy()
CASES.add(
    "masked mean",
    lambda x: ((MASK * (x - T) ** 2).sum() / MASK.sum(), x),
    lambda x, dy: 2 * dy * MASK * (x - T) / MASK.sum(),
    X,
    wrong={"all": lambda x, dy: 2 * dy * MASK * (x - T) / 20},
)


def multiclass_hinge(s):
    m = np.maximum(0, s - s[np.arange(4), Y][:, None] + 1)
    m[np.arange(4), Y] = 0
    return m.sum() / 4, m


def multiclass_hinge_backward(m, dy):
    d = (m > 0).astype(float)
    d[np.arange(4), Y] = -d.sum(1)
    return dy * d / 4


CASES.add(
    "multiclass hinge", multiclass_hinge, multiclass_hinge_backward, X, wrong={"label": lambda m, dy: dy * (m > 0) / 4}
)
CASES.add(
    "multiclass hinge at zero scores",
    multiclass_hinge,
    multiclass_hinge_backward,
    np.zeros((4, 5)),
    wrong={"4 for 5": lambda m, dy: multiclass_hinge_backward(m, dy) * 1.25},
)
CASES.add(
    "dice",
    lambda p: (1 - 2 * (p * BITS).sum() / (p.sum() + BITS.sum()), p),
    lambda p, dy: -2 * dy * (BITS / (p.sum() + BITS.sum()) - (p * BITS).sum() / (p.sum() + BITS.sum()) ** 2),
    PROB,
    wrong={"numerator": lambda p, dy: -2 * dy * BITS / (p.sum() + BITS.sum())},
)
CASES.add(
    "squared error of a perfect fit",
    lambda x: (((x - T) ** 2).sum(), x),
    lambda x, dy: 2 * dy * (x - T),
    T.copy(),
    wrong={"1": lambda x, dy: 2 * dy * (x - T) + 1e-3 * dy},
)
