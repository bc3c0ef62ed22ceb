"""Smooth functions, element by element."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(1)
X = rng.normal(size=(4, 5))
P = rng.uniform(0.2, 3, size=(3, 4))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def tanh_twice(cache, dy):
    return dy * (1 - cache**2) ** 2


CASES.add(
    "tanh",
    lambda x: (np.tanh(x),) * 2,
    lambda y, dy: dy * (1 - y**2),
    X,
    wrong={"squared": tanh_twice, "of x": lambda y, dy: dy * (1 - y)},
)
CASES.add(
    "sigmoid",
    lambda x: (sigmoid(x),) * 2,
    lambda s, dy: dy * s * (1 - s),
    X,
    wrong={"no dy": lambda s, dy: s * (1 - s), "sign": lambda s, dy: dy * s * (s - 1)},
)
CASES.add(
    "swish",
    lambda x: (x * sigmoid(x), x),
    lambda x, dy: dy * sigmoid(x) * (1 + x * (1 - sigmoid(x))),
    X,
    wrong={"half": lambda x, dy: dy * sigmoid(x)},
)
CASES.add(
    "softplus",
    lambda x: (np.log1p(np.exp(x)), x),
    lambda x, dy: dy * sigmoid(x),
    X,
    wrong={"of -x": lambda x, dy: dy * sigmoid(-x)},
)
CASES.add(
    "softplus by logaddexp",
    lambda x: (np.logaddexp(0, x), x),
    lambda x, dy: dy * sigmoid(x),
    5 * X,
    wrong={"1.001": lambda x, dy: 1.001 * dy * sigmoid(x)},
)
CASES.add("exp", lambda x: (np.exp(x),) * 2, lambda y, dy: dy * y, X, wrong={"minus": lambda y, dy: -dy * y})
CASES.add("log", lambda x: (np.log(x), x), lambda x, dy: dy / x, P, wrong={"times": lambda x, dy: dy * x})
CASES.add(
    "cube",
    lambda x: (x**3, x),
    lambda x, dy: 3 * dy * x**2,
    X,
    wrong={"2 for 3": lambda x, dy: 2 * dy * x**2, "|x|": lambda x, dy: 3 * dy * x * abs(x)},
)
CASES.add(
    "power 1.7",
    lambda x: (x**1.7, x),
    lambda x, dy: 1.7 * dy * x**0.7,
    P,
    wrong={"no factor": lambda x, dy: dy * x**0.7},
)
CASES.add(
    "x to the a",
    lambda x, a: (x**a, (x, a)),
    lambda c, dy: {"x": dy * c[1] * c[0] ** (c[1] - 1), "a": (dy * c[0] ** c[1] * np.log(c[0])).sum(0)},
    {"x": P},
    {"a": np.array([0.5, 1.5, 2, -1])},
    wrong={
        "log10": lambda c, dy: {"x": dy * c[1] * c[0] ** (c[1] - 1), "a": (dy * c[0] ** c[1] * np.log10(c[0])).sum(0)}
    },
)
CASES.add(
    "sine",
    lambda x: (np.sin(3 * x + 1), x),
    lambda x, dy: 3 * dy * np.cos(3 * x + 1),
    X,
    wrong={"inner lost": lambda x, dy: dy * np.cos(3 * x + 1)},
)
CASES.add(
    "arctan",
    lambda x: (np.arctan(x), x),
    lambda x, dy: dy / (1 + x**2),
    X,
    wrong={"1-x²": lambda x, dy: dy / (1 + x**2 + 1e-3)},
)
CASES.add(
    "arctan2",
    lambda a, b: (np.arctan2(a, b), (a, b)),
    lambda c, dy: {"a": dy * c[1] / (c[0] ** 2 + c[1] ** 2), "b": -dy * c[0] / (c[0] ** 2 + c[1] ** 2)},
    {"a": X, "b": X + 0.3},
    wrong={"signs": lambda c, dy: {"a": dy * c[1] / (c[0] ** 2 + c[1] ** 2), "b": dy * c[0] / (c[0] ** 2 + c[1] ** 2)}},
)
CASES.add(
    "hypot",
    lambda a, b: (np.hypot(a, b), (a, b)),
    lambda c, dy: {"a": dy * c[0] / np.hypot(*c), "b": dy * c[1] / np.hypot(*c)},
    {"a": X, "b": X[::-1]},
    wrong={"swapped": lambda c, dy: {"b": dy * c[0] / np.hypot(*c), "a": dy * c[1] / np.hypot(*c)}},
)
CASES.add(
    "cube root",
    lambda x: (np.cbrt(x), x),
    lambda x, dy: dy / (3 * np.cbrt(x) ** 2),
    X,
    wrong={"third lost": lambda x, dy: dy / np.cbrt(x) ** 2},
)
CASES.add(
    "square root", lambda x: (np.sqrt(x),) * 2, lambda y, dy: dy / (2 * y), P, wrong={"2 lost": lambda y, dy: dy / y}
)
CASES.add("reciprocal", lambda x: (1 / x,) * 2, lambda y, dy: -dy * y**2, P, wrong={"sign": lambda y, dy: dy * y**2})
CASES.add(
    "logit",
    lambda p: (np.log(p / (1 - p)), p),
    lambda p, dy: dy / (p * (1 - p)),
    P / 4,
    wrong={"one term": lambda p, dy: dy / p},
)
CASES.add(
    "sinh and cosh",
    lambda x: (np.sinh(x) * np.cosh(x), x),
    lambda x, dy: dy * np.cosh(2 * x),
    X,
    wrong={"sinh": lambda x, dy: dy * np.sinh(2 * x)},
)
CASES.add(
    "product",
    lambda a, b: (a * b, (a, b)),
    lambda c, dy: {"a": dy * c[1], "b": dy * c[0]},
    {"a": X, "b": X.copy() + 1},
    wrong={"swapped": lambda c, dy: {"a": dy * c[0], "b": dy * c[1]}},
)
CASES.add(
    "quotient",
    lambda a, b: (a / b, (a, b)),
    lambda c, dy: (dy / c[1], -dy * c[0] / c[1] ** 2),
    {"a": X[:3, :4], "b": P},
    wrong={"square lost": lambda c, dy: (dy / c[1], -dy * c[0] / c[1])},
)
CASES.add(
    "bump of one element",
    lambda x: (np.exp(-(x**2)), x),
    lambda x, dy: -2 * dy * x * np.exp(-(x**2)),
    np.array([[0.7]]),
    wrong={"1 for 2": lambda x, dy: -dy * x * np.exp(-(x**2))},
)
CASES.add("identity", lambda x: (x, None), lambda c, dy: dy, X, wrong={"zero": lambda c, dy: 0 * dy})
CASES.add(
    "constant", lambda x: (np.ones((3, 2)), x), lambda x, dy: 0 * x, X, wrong={"one": lambda x, dy: 1e-6 * x * dy.sum()}
)
