"""Precisions, integers, layouts."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(10)
X = rng.normal(size=(4, 5))
X32 = X.astype(np.float32)
W32 = rng.normal(size=(5, 3)).astype(np.float32)

CASES.add(
    "float32 input",
    lambda x: (np.tanh(x), x),
    lambda x, dy: dy * (1 - np.tanh(x) ** 2),
    X32,
    wrong={"1.01": lambda x, dy: 1.01 * dy * (1 - np.tanh(x) ** 2)},
)
CASES.add(
    "float32 dense",
    lambda x, w: (x @ w, (x, w)),
    lambda c, dy: {"x": dy @ c[1].T, "w": c[0].T @ dy},
    {"x": X32},
    {"w": W32},
    wrong={"mean": lambda c, dy: {"x": dy @ c[1].T, "w": c[0].T @ dy / 4}},
)
CASES.add(
    "float32 at the end",
    lambda x: (np.sin(x).astype(np.float32), x),
    lambda x, dy: dy * np.cos(x),
    X,
    wrong={"1.1": lambda x, dy: 1.1 * dy * np.cos(x), "sin": lambda x, dy: dy * np.sin(x)},
)
CASES.add(
    "float32 inside",
    lambda x: (np.exp(x.astype(np.float32)).astype(np.float64) ** 2, x),
    lambda x, dy: 2 * dy * np.exp(2 * x),
    X,
    wrong={"1": lambda x, dy: dy * np.exp(2 * x)},
)
CASES.add(
    "float32 loss",
    lambda x: (np.float32((x**2).mean()), x),
    lambda x, dy: dy * 2 * x / 20,
    X,
    wrong={"sum": lambda x, dy: dy * 2 * x},
)
CASES.add(
    "float32 gradient",
    lambda x: (x**2, x),
    lambda x, dy: (2 * dy * x).astype(np.float32).astype(float),
    X,
    wrong={"1": lambda x, dy: (dy * x).astype(np.float32).astype(float)},
    rtol=1e-6,
)
CASES.add(
    "python floats",
    lambda x: (float(x**3), x),
    lambda x, dy: 3 * dy * x**2,
    1.7,
    wrong={"2": lambda x, dy: 2 * dy * x**2},
)
CASES.add(
    "two scalars",
    lambda a, b: (a * np.exp(b), (a, b)),
    lambda c, dy: (dy * np.exp(c[1]), dy * c[0] * np.exp(c[1])),
    {"a": 2.0, "b": -0.5},
    wrong={"a": lambda c, dy: (dy * c[0] * np.exp(c[1]), dy * c[0] * np.exp(c[1]))},
)
CASES.add(
    "integer table of weights",
    lambda x, k: (x * k, k),
    lambda k, dy: {"x": dy * k},
    {"x": X, "k": np.arange(5)},
    wrong={"k + 1": lambda k, dy: {"x": dy * (k + 1)}},
)
CASES.add(
    "boolean mask",
    lambda x, m: (np.where(m, x, 0).sum(axis=1), m),
    lambda m, dy: {"x": dy[:, None] * m},
    {"x": X, "m": X > 0.3},
    wrong={"not": lambda m, dy: {"x": dy[:, None] * ~m}},
)
CASES.add(
    "complex inside",
    lambda x: (np.abs(np.exp(1j * x) + 1) ** 2, x),
    lambda x, dy: -2 * dy * np.sin(x),
    X,
    wrong={"cos": lambda x, dy: -2 * dy * np.cos(x)},
)
CASES.add(
    "fft power",
    lambda x: ((np.abs(np.fft.rfft(x)) ** 2).sum(), x),
    lambda x, dy: dy * (x.size * x + x.sum() + (x * (-1) ** np.arange(x.size)).sum() * (-1) ** np.arange(x.size)),
    X.ravel()[:8],
    wrong={"no ends": lambda x, dy: dy * x.size * x},
)
CASES.add(
    "assigned into an array",
    lambda x: ((lambda out: (out.__setitem__(slice(None), x**2), out)[1])(np.zeros(x.shape)), x),
    lambda x, dy: 2 * dy * x,
    X,
    wrong={"3": lambda x, dy: 3 * dy * x},
)
CASES.add(
    "list of floats",
    lambda x: (np.array([float(v) ** 2 for v in x]), x),
    lambda x, dy: 2 * dy * np.asarray(x),
    X[0],
    wrong={"1": lambda x, dy: dy * np.asarray(x)},
)
CASES.add(
    "math module",
    lambda x: (sum(__import__("math").sin(v) for v in x), x),
    lambda x, dy: dy * np.cos(x),
    X[0],
    wrong={"sin": lambda x, dy: dy * np.sin(x)},
)
CASES.add(
    "rounded to eight digits",
    lambda x: (np.round(np.sin(x), 8), x),
    lambda x, dy: dy * np.cos(x),
    X,
    wrong={"1.2": lambda x, dy: 1.2 * dy * np.cos(x)},
)
CASES.add(
    "fortran order",
    lambda x: (np.asfortranarray(x).ravel(order="K") ** 2, x),
    lambda x, dy: 2 * np.asarray(dy).reshape(x.shape[::-1]).T * x,
    X,
    wrong={"C": lambda x, dy: 2 * dy.reshape(x.shape) * x},
)
CASES.add(
    "longdouble inside",
    lambda x: (np.sin(x.astype(np.longdouble)).astype(float), x),
    lambda x, dy: dy * np.cos(x),
    X,
    wrong={"0.99": lambda x, dy: 0.99 * dy * np.cos(x)},
)
CASES.add(
    "empty batch axis of one",
    lambda x: (x[None].mean(axis=0), x),
    lambda x, dy: dy,
    X,
    wrong={"half": lambda x, dy: dy / 2},
)
CASES.add(
    "half precision",
    lambda x: ((x.astype(np.float16) * np.float16(2)).astype(float), x),
    lambda x, dy: 2 * dy,
    X,
    rtol=0.05,
    wrong={"3": lambda x, dy: 3 * dy},
)
