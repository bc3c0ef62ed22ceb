"""Functions of odd scales: very narrow, very wide, very steep, very flat."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(9)
X = rng.normal(size=(3, 4))


def gauss(width):
    return lambda x: (
        np.exp(-((x / width) ** 2)),
        x,
    ), lambda x, dy: -2 * dy * x / width**2 * np.exp(-((x / width) ** 2))


for width in (1e-9, 1e-6, 1e-3, 1e3, 1e8):
    f, g = gauss(width)
    CASES.add(
        f"bump of width {width:g}",
        f,
        g,
        width * X,
        wrong={"1.01": lambda x, dy, g=g: 1.01 * g(x, dy), "sign": lambda x, dy, g=g: -g(x, dy)},
    )
for k in (1e4, 1e7):
    CASES.add(
        f"tanh({k:g} x)",
        lambda x, k=k: (np.tanh(k * x), x),
        lambda x, dy, k=k: dy * k / np.cosh(k * x) ** 2,
        X / k,
        wrong={
            "k lost": lambda x, dy, k=k: dy / np.cosh(k * x) ** 2,
            "square lost": lambda x, dy, k=k: dy * k / np.cosh(k * x),
        },
    )
MIXED = np.array([1e-6, 0.5, -1.0, 3e-7])
CASES.add(
    "sqrt(x² + 1e-12)",
    lambda x: (np.sqrt(x**2 + 1e-12).sum(), x),
    lambda x, dy: dy * x / np.sqrt(x**2 + 1e-12),
    MIXED,
    wrong={"sign": lambda x, dy: dy * np.sign(x)},
)
CASES.add(
    "scales of 1e-6 to 1e6",
    lambda x: (np.tanh(x * np.array([1e6, 1, 1e-6, 1e3])), x),
    lambda x, dy: (lambda s: dy * s / np.cosh(x * s) ** 2)(np.array([1e6, 1, 1e-6, 1e3])),
    X * np.array([1e-6, 1, 1e6, 1e-3]),
    wrong={"third": lambda x, dy: (lambda s: dy * s / np.cosh(x * s) ** 2)(np.array([1e6, 1, 1.1e-6, 1e3]))},
)


def softmax_at(t):
    def forward(x):
        e = np.exp((x - x.max(1, keepdims=True)) / t)
        p = e / e.sum(1, keepdims=True)
        return p, p

    return forward, lambda p, dy: p * (dy - (p * dy).sum(1, keepdims=True)) / t


for t in (1e-6, 1e-3, 1e3):
    f, g = softmax_at(t)
    CASES.add(f"softmax at temperature {t:g}", f, g, t * X, wrong={"diagonal": lambda p, dy, t=t: p * (1 - p) * dy / t})
f, g = softmax_at(1.0)
CASES.add(
    "softmax of logits of 100",
    f,
    g,
    100 * X,
    wrong={"t": lambda p, dy: 3.0 * p * (dy - (p * dy).sum(1, keepdims=True))},
)


def layer_norm(x, eps=1e-12):
    m = x - x.mean(1, keepdims=True)
    s = np.sqrt((m**2).mean(1, keepdims=True) + eps)
    return m / s, (m / s, s)


def layer_norm_backward(c, dy):
    return (dy - dy.mean(1, keepdims=True) - c[0] * (dy * c[0]).mean(1, keepdims=True)) / c[1]


CASES.add(
    "layer norm of tiny rows",
    layer_norm,
    layer_norm_backward,
    1e-6 * X,
    wrong={"mean": lambda c, dy: (dy - c[0] * (dy * c[0]).mean(1, keepdims=True)) / c[1]},
)
CASES.add(
    "layer norm of equal rows",
    layer_norm,
    layer_norm_backward,
    np.ones((2, 4)),
    wrong={"mean": lambda c, dy: dy / c[1]},
)
CASES.add(
    "gradient of 1e-9",
    lambda x: (1e-9 * np.sin(x), x),
    lambda x, dy: 1e-9 * dy * np.cos(x),
    X,
    wrong={"1.1": lambda x, dy: 1.1e-9 * dy * np.cos(x)},
)
CASES.add(
    "gradient of 1e-30",
    lambda x: (1e-30 * np.sin(x), x),
    lambda x, dy: 1e-30 * dy * np.cos(x),
    X,
    wrong={"zero": lambda x, dy: 0 * x},
)
CASES.add(
    "gradient of 1e12",
    lambda x: (1e12 * np.sin(x), x),
    lambda x, dy: 1e12 * dy * np.cos(x),
    X,
    wrong={"1.001": lambda x, dy: 1.001e12 * dy * np.cos(x)},
)
CASES.add(
    "1e6 + x²",
    lambda x: (1e6 + (x**2).sum(), x),
    lambda x, dy: 2 * dy * x,
    X,
    wrong={"1.0001": lambda x, dy: 2.0002 * dy * x},
)
CASES.add(
    "inputs of 1e8",
    lambda x: (np.log(x).sum(), x),
    lambda x, dy: dy / x,
    1e8 * (1 + X**2),
    wrong={"2": lambda x, dy: 2 * dy / x},
)
CASES.add(
    "inputs of 1e-8",
    lambda x: (np.log(x).sum(), x),
    lambda x, dy: dy / x,
    1e-8 * (1 + X**2),
    wrong={"1.1": lambda x, dy: 1.1 * dy / x},
)
CASES.add(
    "log across scales",
    lambda x: (np.log(x), x),
    lambda x, dy: dy / x,
    np.array([1e-12, 1e-6, 1e-2, 1, 1e5]),
    wrong={"smallest": lambda x, dy: dy / x * np.array([1.1, 1, 1, 1, 1])},
)
CASES.add(
    "fast oscillation",
    lambda x: (np.sin(1e5 * x), x),
    lambda x, dy: 1e5 * dy * np.cos(1e5 * x),
    X,
    wrong={"cos lost": lambda x, dy: 1e5 * dy},
)
CASES.add(
    "sharp ridge beside a slope",
    lambda x: (x + 1e-3 * np.exp(-((x / 1e-4) ** 2)), x),
    lambda x, dy: dy * (1 - 2e-3 * x / 1e-8 * np.exp(-((x / 1e-4) ** 2))),
    1e-4 * X,
    wrong={"ridge lost": lambda x, dy: dy},
)
CASES.add(
    "a small term beside a large",
    lambda a, b: ((a**2).sum() + 1e-6 * np.sin(b).sum(), (a, b)),
    lambda c, dy: {"a": 2 * dy * c[0], "b": 1e-6 * dy * np.cos(c[1])},
    {"a": X, "b": X[0]},
    wrong={"sin": lambda c, dy: {"a": 2 * dy * c[0], "b": 1e-6 * dy * np.sin(c[1])}},
)
CASES.add(
    "saturated",
    lambda x: (np.tanh(x), x),
    lambda x, dy: dy / np.cosh(x) ** 2,
    np.array([18.0, 5.0, -17.5, 0.1]),
    wrong={"one": lambda x, dy: dy * (1 + 0 * x)},
)
CASES.add(
    "x / (|x| + eps)",
    lambda x: (x / (np.abs(x) + 1e-8), x),
    lambda x, dy: dy * 1e-8 / (np.abs(x) + 1e-8) ** 2,
    1e-8 * X,
    wrong={"quotient": lambda x, dy: dy / (np.abs(x) + 1e-8)},
)
