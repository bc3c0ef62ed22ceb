"""Code that refuses, drops or never sees complex numbers: casts, real buffers, checks of the dtype, writes in place."""

# ruff: noqa: E731
import itertools
import math

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(31)
X = rng.normal(size=(4, 3))
v = rng.normal(size=5)
W = rng.normal(size=(3, 2))


def only_float(x):
    if x.dtype != np.float64:
        raise TypeError(f"expected float64, got {x.dtype}")
    return np.tanh(x) * x, x


only_float_back = lambda x, dy: dy * (np.tanh(x) + x * (1 - np.tanh(x) ** 2))
CASES.add(
    "checks the dtype",
    only_float,
    only_float_back,
    X,
    wrong={
        "product rule": lambda x, dy: dy * np.tanh(x),
        "slightly": lambda x, dy: only_float_back(x, dy) * (1 + 1e-6),
        "one element": lambda x, dy: only_float_back(x, dy) * (1 + 1e-3 * (np.arange(12).reshape(4, 3) == 5)),
    },
)


def buffer(x):
    out = np.zeros(x.shape)
    for i in range(len(x)):
        out[i] = x[i] ** 3
    return out, x


CASES.add(
    "float buffer",
    buffer,
    lambda x, dy: 3 * dy * x**2,
    v,
    wrong={"power": lambda x, dy: 2 * dy * x**2, "sign": lambda x, dy: -3 * dy * x**2},
)
CASES.add(
    "float() of every element",
    lambda x: (np.array([float(a) * float(b) for a, b in itertools.pairwise(x)]), x),
    lambda x, dy: np.append(dy * x[1:], 0) + np.append(0, dy * x[:-1]),
    v,
    wrong={"one neighbour": lambda x, dy: np.append(dy * x[1:], 0)},
)
CASES.add(
    "np.real",
    lambda x: (np.real(np.exp(x)).sum(), x),
    lambda x, dy: dy * np.exp(x),
    v,
    wrong={"constant": lambda x, dy: dy * np.ones_like(x)},
)
CASES.add(
    "np.asarray with a dtype",
    lambda x: (np.sin(np.asarray(x, dtype=float)), x),
    lambda x, dy: dy * np.cos(x),
    X,
    wrong={"sign": lambda x, dy: -dy * np.cos(x)},
)
CASES.add(
    "np.abs squared and halved",
    lambda x: (0.5 * np.abs(x) ** 2, x),
    lambda x, dy: dy * x,
    X,
    wrong={"abs": lambda x, dy: dy * np.abs(x), "2": lambda x, dy: 2 * dy * x},
)
CASES.add(
    "math.exp in a loop",
    lambda x: (sum(math.exp(-a * a) for a in x), x),
    lambda x, dy: -2 * dy * x * np.exp(-x * x),
    v,
    wrong={"2": lambda x, dy: -dy * x * np.exp(-x * x)},
)


def in_place(x):
    y = x.copy()
    y[y < 0] *= 0.1
    y += 1
    return y, x


CASES.add(
    "leaky by writing",
    in_place,
    lambda x, dy: dy * np.where(x < 0, 0.1, 1),
    X,
    wrong={"all ones": lambda x, dy: dy, "0.01": lambda x, dy: dy * np.where(x < 0, 0.01, 1)},
)
CASES.add(
    "views returned",
    lambda x: (x[:, ::2].T, x.shape),
    lambda shape, dy: np.stack([dy[0], np.zeros(4), dy[1]], axis=1),
    X,
    wrong={"shifted": lambda shape, dy: np.stack([np.zeros(4), dy[0], dy[1]], axis=1)},
)


CASES.add(
    "real part of a complex product",
    lambda a, b: (np.real((a + 1j * b) * (a - 0.5j * b)), (a, b)),
    lambda c, dy: (2 * dy * c[0], dy * c[1]),
    (v, v[::-1].copy()),
    wrong={"b": lambda c, dy: (2 * dy * c[0], 2 * dy * c[1])},
)
CASES.add(
    "modulus of a complex number",
    lambda a, b: (np.abs(a + 1j * b), (a, b)),
    lambda c, dy: (dy * c[0] / np.hypot(*c), dy * c[1] / np.hypot(*c)),
    (v, v[::-1].copy() + 3),
    wrong={"swapped": lambda c, dy: (dy * c[1] / np.hypot(*c), dy * c[0] / np.hypot(*c))},
)
CASES.add(
    "clip by Python's min and max",
    lambda x: (np.array([min(max(a, -1.0), 1.0) for a in x]), x),
    lambda x, dy: dy * (np.abs(x) < 1),
    v,
    wrong={"passes all": lambda x, dy: dy},
)
CASES.add(
    "dtype of an empty_like",
    lambda x: (np.multiply(x, x, out=np.empty_like(x)), x),
    lambda x, dy: 2 * dy * x,
    X,
    wrong={"1": lambda x, dy: dy * x},
)
CASES.add(
    "vectorize",
    lambda x: (np.vectorize(lambda a: a * a if a > 0 else a)(x), x),
    lambda x, dy: dy * np.where(x > 0, 2 * x, 1),
    v,
    wrong={"else": lambda x, dy: dy * np.where(x > 0, 2 * x, 0)},
)
CASES.add(
    "apply along an axis",
    lambda x: (np.apply_along_axis(lambda r: r / (1 + (r * r).sum()), 1, x), x),
    lambda x, dy: (
        dy / (1 + (x * x).sum(1, keepdims=True))
        - 2 * x * (dy * x).sum(1, keepdims=True) / (1 + (x * x).sum(1, keepdims=True)) ** 2
    ),
    X,
    wrong={"norm constant": lambda x, dy: dy / (1 + (x * x).sum(1, keepdims=True))},
)
CASES.add(
    "np.dot with out",
    lambda x, w: (np.dot(x, w, out=np.empty((4, 2), dtype=np.result_type(x, w))), (x, w)),
    lambda c, dy: (dy @ c[1].T, c[0].T @ dy),
    (X, W),
    wrong={"w": lambda c, dy: (dy @ c[1].T, -c[0].T @ dy)},
)
CASES.add(
    "piecewise",
    lambda x: (np.piecewise(x, [x < 0, x >= 0], [lambda a: a**2, lambda a: a**3]), x),
    lambda x, dy: dy * np.where(x < 0, 2 * x, 3 * x**2),
    X,
    wrong={"swapped": lambda x, dy: dy * np.where(x < 0, 3 * x**2, 2 * x)},
)
CASES.add(
    "select",
    lambda x: (np.select([x < -0.5, x < 0.5], [-x, x**2], np.exp(x)), x),
    lambda x, dy: dy * np.select([x < -0.5, x < 0.5], [-np.ones_like(x), 2 * x], np.exp(x)),
    X,
    wrong={"first": lambda x, dy: dy * np.select([x < -0.5, x < 0.5], [np.ones_like(x), 2 * x], np.exp(x))},
)
CASES.add(
    "heaviside gate",
    lambda x: (x**2 * np.heaviside(x, 0.5), x),
    lambda x, dy: 2 * dy * x * (x > 0),
    X,
    wrong={"no gate": lambda x, dy: 2 * dy * x},
)
CASES.add(
    "nan_to_num",
    lambda x: (np.nan_to_num(x) ** 2, x),
    lambda x, dy: 2 * dy * x,
    X,
    wrong={"1": lambda x, dy: dy * x},
)
CASES.add(
    "np.interp",
    lambda x: (np.interp(x, np.linspace(-4, 4, 9), np.linspace(-4, 4, 9) ** 2), x),
    lambda x, dy: dy * (2 * np.floor(x) + 1),
    np.array([0.3, -1.2, 2.7]),
    wrong={"smooth": lambda x, dy: 2 * dy * x},
)
CASES.add(
    "polyval",
    lambda c, x: (np.polyval(c, x), (c, x)),
    lambda k, dy: (np.array([(dy * k[1] ** p).sum() for p in (2, 1, 0)]), dy * np.polyval(np.polyder(k[0]), k[1])),
    (np.array([1.0, -2.0, 0.5]), v),
    wrong={
        "order": lambda k, dy: (
            np.array([(dy * k[1] ** p).sum() for p in (0, 1, 2)]),
            dy * np.polyval(np.polyder(k[0]), k[1]),
        )
    },
)
CASES.add(
    "trapezoid",
    lambda y: (float(0.1 * (y.sum() - 0.5 * (y[0] + y[-1]))), y.shape),
    lambda shape, dy: dy * 0.1 * np.array([0.5, 1, 1, 1, 0.5]),
    v,
    wrong={"ends": lambda shape, dy: dy * 0.1 * np.ones(5)},
)
CASES.add(
    "modulo",
    lambda x: (np.mod(x, 1.0) ** 2, x),
    lambda x, dy: 2 * dy * np.mod(x, 1.0),
    X,
    wrong={"x": lambda x, dy: 2 * dy * x},
)
CASES.add(
    "straight through, honest",
    lambda x: (np.round(x) + x, x),
    lambda x, dy: dy,
    X,
    wrong={"twice": lambda x, dy: 2 * dy},
)
