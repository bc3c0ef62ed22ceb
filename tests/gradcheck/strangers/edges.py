"""Where it is hard: numbers of very different size, float32, near-discontinuities, noise."""

import numpy as np
import scipy.special

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(35)
X = rng.normal(size=(6, 5))
v = rng.normal(size=8)

# Numbers of very different size -------------------------------------------------------------------------------------

SIZES = np.array([1e6, 1.0, 1e-3, 1e-8])
CASES.add(
    "squares from 1e6 to 1e-8",
    lambda x: (x**2, x),
    lambda x, dy: 2 * dy * x,
    SIZES,
    wrong={
        "the smallest": lambda x, dy: 2 * dy * x * np.array([1, 1, 1, 2]),
        "the largest": lambda x, dy: 2 * dy * x * np.array([1.001, 1, 1, 1]),
    },
)
CASES.add(
    "sum of squares from 1e6 to 1e-8",
    lambda x: ((x**2).sum(), x),
    lambda x, dy: 2 * dy * x,
    SIZES,
    wrong={"second": lambda x, dy: 2 * dy * x * np.array([1, 2, 1, 1])},
)
CASES.add(
    "weights of 1e6 and inputs of 1e-6",
    lambda x, w: (np.tanh(x @ w), (x, w)),
    lambda c, dy: (
        (dy * (1 - np.tanh(c[0] @ c[1]) ** 2)) @ c[1].T,
        c[0].T @ (dy * (1 - np.tanh(c[0] @ c[1]) ** 2)),
    ),
    (1e-6 * X, 1e6 * rng.normal(size=(5, 3))),
    wrong={
        "w": lambda c, dy: (
            (dy * (1 - np.tanh(c[0] @ c[1]) ** 2)) @ c[1].T,
            c[0].T @ dy,
        )
    },
)
CASES.add(
    "softmax cross entropy of logits of 1e6 apart",
    lambda s: (scipy.special.logsumexp(s) - s[0], s),
    lambda s, dy: dy * (scipy.special.softmax(s) - np.eye(4)[0]),
    np.array([1e6, 1e6 - 1, 1e6 + 0.5, 0.0]),
    wrong={"label": lambda s, dy: dy * (scipy.special.softmax(s) - np.eye(4)[1])},
)
CASES.add(
    "a rate of 1e-8",
    lambda x: (np.log1p(x).sum(), x),
    lambda x, dy: dy / (1 + x),
    1e-8 * np.abs(v),
    wrong={"1 - x": lambda x, dy: dy * (1 - 1e-3 - x), "2": lambda x, dy: 2 * dy / (1 + x)},
)
CASES.add(
    "temperature of 1e-3",
    lambda x: (1e-3 * scipy.special.logsumexp(x / 1e-3), x),
    lambda x, dy: dy * scipy.special.softmax(x / 1e-3),
    np.array([0.3, 0.3005, 0.299, 0.1]),
    wrong={"of x": lambda x, dy: dy * scipy.special.softmax(x)},
)
CASES.add(
    "exp of large numbers",
    lambda x: (np.exp(x), x),
    lambda x, dy: dy * np.exp(x),
    np.array([-300.0, 1.0, 300.0]),
    wrong={"middle": lambda x, dy: dy * np.exp(x) * np.array([1, 2, 1])},
)
CASES.add(
    "difference of squares that nearly cancel",
    lambda x: ((x + 1e4) ** 2 - 1e8, x),
    lambda x, dy: 2 * dy * (x + 1e4),
    v,
    wrong={"x": lambda x, dy: 2 * dy * x, "1e-6": lambda x, dy: 2 * dy * (x + 1e4) * (1 + 1e-6)},
)
CASES.add(
    "a variance by E[x²] − E[x]²",
    lambda x: ((x**2).mean() - x.mean() ** 2, x),
    lambda x, dy: 2 * dy * (x - x.mean()) / x.size,
    1e3 + v,
    wrong={"mean": lambda x, dy: 2 * dy * x / x.size},
)

# float32 ------------------------------------------------------------------------------------------------------------

V32, X32, W32 = v.astype(np.float32), X.astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)


def dense32(x, w):
    h = np.maximum(x @ w, 0)
    return h, (x, w, h)


def dense32_back(c, dy):
    da = dy * (c[2] > 0)
    return {"x": da @ c[1].T, "w": c[0].T @ da}


CASES.add(
    "float32 arrays, rectified",
    dense32,
    dense32_back,
    {"x": X32},
    {"w": W32},
    wrong={"mask": lambda c, dy: {"x": dy @ c[1].T, "w": c[0].T @ dy}},
)
CASES.add(
    "float32 constants inside",
    lambda x: (x * np.float32(0.1), None),
    lambda c, dy: dy * np.float32(0.1),
    v,
    wrong={"0.1001": lambda c, dy: dy * 0.1001},
)
CASES.add(
    "cast to float32 and back",
    lambda x: (np.sin(x.astype(np.float32)).astype(np.float64), x),
    lambda x, dy: dy * np.cos(x),
    v,
    wrong={"sin": lambda x, dy: dy * np.sin(x), "a percent": lambda x, dy: 1.01 * dy * np.cos(x)},
)
CASES.add(
    "float32 softmax",
    lambda x: (scipy.special.softmax(x.astype(np.float32), axis=1), x),
    lambda x, dy: softmax32_back(x, dy),
    X,
    wrong={"diagonal": lambda x, dy: scipy.special.softmax(x, axis=1) * dy},
)


def softmax32_back(x, dy):
    p = scipy.special.softmax(x.astype(np.float32), axis=1)
    return (p * (dy - (p * dy).sum(1, keepdims=True))).astype(np.float64)


# Kinks --------------------------------------------------------------------------------------------------------------

CASES.add(
    "absolute value of a difference of equal rows",
    lambda a, b: (np.abs(a - b).sum(), (a, b)),
    lambda c, dy: (dy * np.sign(c[0] - c[1]), -dy * np.sign(c[0] - c[1])),
    (X, np.where(np.arange(6)[:, None] == 2, X, X[::-1])),
    wrong={"b": lambda c, dy: (dy * np.sign(c[0] - c[1]), dy * np.sign(c[0] - c[1]))},
)
CASES.add(
    "maximum of three, all equal",
    lambda a, b, c: (np.maximum(np.maximum(a, b), c), (a, b, c)),
    lambda k, dy: three_back(k, dy),
    (np.ones(3), np.ones(3), np.ones(3)),
    wrong={
        "each": lambda k, dy: tuple(dy * (one >= np.max(k, axis=0)) for one in k),
        "negative": lambda k, dy: tuple(-g for g in three_back(k, dy)),
        "always the first": lambda k, dy: (dy, 0 * dy, 0 * dy),
    },
)


def three_back(k, dy):
    first = np.argmax(k, axis=0)
    return tuple(dy * (first == place) for place in range(3))


CASES.add(
    "sum of a relu and its mirror at zero",
    lambda x: (np.maximum(x, 0) - np.maximum(-x, 0), x),
    lambda x, dy: dy * np.ones_like(x),
    np.array([0.0, 1.0, -2.0, 0.0]),
    wrong={"half": lambda x, dy: dy * np.where(x == 0, 0.3, 1.0)},
)
CASES.add(
    "huber at its joint",
    lambda x: (np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5), x),
    lambda x, dy: dy * np.clip(x, -1, 1),
    np.array([1.0, -1.0, 0.4, 3.0]),
    wrong={"beyond": lambda x, dy: dy * x},
)
CASES.add(
    "smooth relu beside its joint",
    lambda x: (np.where(x < 0, 0, np.where(x < 1e-3, x**2 / 2e-3, x - 5e-4)), x),
    lambda x, dy: dy * np.clip(x / 1e-3, 0, 1),
    np.array([1e-3, 5e-4, 0.0, 2.0, -1.0]),
    wrong={"relu": lambda x, dy: dy * (x > 0)},
)
CASES.add(
    "floor in a weight",
    lambda x: (np.floor(4 * x) * x, x),
    lambda x, dy: dy * np.floor(4 * x),
    np.array([0.3, 1.37, -0.9]),
    wrong={"product": lambda x, dy: dy * (np.floor(4 * x) + 4 * x)},
)
CASES.add(
    "relu of exact zeros by zero weights, two layers",
    lambda x, w: (np.maximum(np.maximum(x @ w, 0) @ w.T, 0).sum(), (x, w)),
    lambda c, dy: (0 * c[0], 0 * c[1]),
    (X, np.zeros((5, 3))),
    wrong={"ones": lambda c, dy: (0 * c[0], 0 * c[1] + 1.0)},
)
CASES.add(
    "median of an even number",
    lambda x: (np.median(x), x),
    lambda x, dy: 0.5 * dy * np.isin(np.argsort(np.argsort(x)), (3, 4)),
    v,
    wrong={"one": lambda x, dy: dy * (np.argsort(np.argsort(x)) == 3)},
)
CASES.add(
    "quantile",
    lambda x: (np.quantile(x, 0.3), x),
    lambda x, dy: dy * (0.9 * (np.argsort(np.argsort(x)) == 2) + 0.1 * (np.argsort(np.argsort(x)) == 3)),
    v,
    wrong={
        "weights": lambda x, dy: dy * (0.1 * (np.argsort(np.argsort(x)) == 2) + 0.9 * (np.argsort(np.argsort(x)) == 3))
    },
)
CASES.add(
    "norm of a zero row",
    lambda x: (np.sqrt((x**2).sum(1) + 1e-12).sum(), x),
    lambda x, dy: dy * x / np.sqrt((x**2).sum(1, keepdims=True) + 1e-12),
    X * (np.arange(6)[:, None] != 3),
    wrong={"squared": lambda x, dy: dy * x},
)
CASES.add(
    "cosine of nearly parallel vectors",
    lambda a, b: (a @ b / np.linalg.norm(a) / np.linalg.norm(b), (a, b)),
    lambda c, dy: cosine_back(*c, dy),
    (v, v + 1e-5 * v[::-1]),
    wrong={"projection": lambda c, dy: (dy * c[1] / np.linalg.norm(c[0]) / np.linalg.norm(c[1]),) * 2},
)


def cosine_back(a, b, dy):
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    s = a @ b / na / nb
    return dy * (b / na / nb - s * a / na**2), dy * (a / na / nb - s * b / nb**2)


# Noise, iterations, special functions -------------------------------------------------------------------------------


def bisection(c):
    low, high = np.zeros_like(c.real), np.full_like(c.real, 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = middle**3 + middle < c.real
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2, (low + high) / 2


CASES.add(
    "root by bisection",
    bisection,
    lambda x, dy: dy / (3 * x**2 + 1),
    np.array([0.5, 3.0, 20.0]),
    wrong={"1": lambda x, dy: dy / (3 * x**2)},
)
CASES.add(
    "loss of a hundred small steps",
    lambda w: (hundred(w), w),
    lambda w, dy: hundred_back(w, dy),
    rng.normal(size=3),
    wrong={"rate": lambda w, dy: hundred_back(w, dy, 0.011)},
)


def hundred(w):
    for _ in range(100):
        w = w - 0.01 * np.sin(w)
    return (w**2).sum()


def hundred_back(w, dy, rate=0.01):
    states = [w]
    for _ in range(100):
        states.append(states[-1] - 0.01 * np.sin(states[-1]))
    g = 2 * states[-1] * dy
    for s in states[-2::-1]:
        g = g * (1 - rate * np.cos(s))
    return g


for name, function, derivative, at in (
    ("erfcx", scipy.special.erfcx, lambda x: 2 * x * scipy.special.erfcx(x) - 2 / np.sqrt(np.pi), v),
    ("erfinv", scipy.special.erfinv, lambda x: np.sqrt(np.pi) / 2 * np.exp(scipy.special.erfinv(x) ** 2), np.tanh(v)),
    (
        "log_ndtr",
        scipy.special.log_ndtr,
        lambda x: np.exp(-x * x / 2 - scipy.special.log_ndtr(x)) / np.sqrt(2 * np.pi),
        v,
    ),
    ("psi", scipy.special.psi, lambda x: scipy.special.polygamma(1, x), np.abs(v) + 0.1),
    ("gamma", scipy.special.gamma, lambda x: scipy.special.gamma(x) * scipy.special.psi(x), np.abs(v) + 0.1),
    ("j0", scipy.special.j0, lambda x: -scipy.special.j1(x), 3 * v),
    ("expit of 40", scipy.special.expit, lambda x: scipy.special.expit(x) * scipy.special.expit(-x), 20 * v),
    (
        "ellipk",
        scipy.special.ellipk,
        lambda m: (scipy.special.ellipe(m) / (1 - m) - scipy.special.ellipk(m)) / (2 * m),
        0.5 + 0.4 * np.tanh(v),
    ),
    ("airy", lambda x: scipy.special.airy(x)[0], lambda x: scipy.special.airy(x)[1], v),
    ("sinc", np.sinc, lambda x: (np.cos(np.pi * x) - np.sinc(x)) / x, v),
    ("expm1 over x", lambda x: np.expm1(x) / x, lambda x: (np.exp(x) - np.expm1(x) / x) / x, v),
    ("log of cosh", lambda x: np.logaddexp(x, -x) - np.log(2), np.tanh, 5 * v),
):
    CASES.add(
        name,
        lambda x, function=function: (function(x), x),
        lambda x, dy, derivative=derivative: dy * derivative(x),
        at,
        wrong={
            "sign": lambda x, dy, derivative=derivative: -dy * derivative(x),
            "1e-5": lambda x, dy, derivative=derivative: dy * derivative(x) * (1 + 1e-5),
            "one element": lambda x, dy, derivative=derivative: (
                dy * derivative(x) * (1 + 0.1 * (np.arange(x.size) == 2))
            ),
        },
    )
