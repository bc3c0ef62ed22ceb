"""Odd shapes and containers: no axes, one element, nothing at all, lists and dicts of outputs, classes with state."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(33)
X = rng.normal(size=(4, 3))
v = rng.normal(size=5)

CASES.add(
    "an array without axes",
    lambda t: (np.sin(t) * t, t),
    lambda t, dy: dy * (np.sin(t) + t * np.cos(t)),
    np.array(0.7),
    wrong={"product": lambda t, dy: dy * np.sin(t), "sign": lambda t, dy: -dy * (np.sin(t) + t * np.cos(t))},
)
CASES.add(
    "one by one",
    lambda t: (t @ t, t),
    lambda t, dy: 2 * t * dy,
    np.array([[1.3]]),
    wrong={"1": lambda t, dy: t * dy},
)
CASES.add(
    "an empty input beside another",
    lambda x, e: (np.concatenate([x**2, e]), x),
    lambda x, dy: {"x": 2 * x * dy, "e": np.zeros(0)},
    {"x": v, "e": np.zeros(0)},
    wrong={"1": lambda x, dy: {"x": x * dy, "e": np.zeros(0)}},
)
CASES.add(
    "an empty axis summed",
    lambda x, w: (x.sum() + (w[:0] ** 2).sum(), (x, w)),
    lambda c, dy: (dy * np.ones_like(c[0]), 0 * c[1]),
    (X, v),
    wrong={"w": lambda c, dy: (dy * np.ones_like(c[0]), 2 * c[1] * dy)},
)
CASES.add(
    "dict of a list's worth",
    lambda x: ({"mean": x.mean(0), "square": (x**2).sum()}, x),
    lambda x, d: d["mean"] / 4 + 2 * x * d["square"],
    X,
    wrong={
        "mean": lambda x, d: d["mean"] + 2 * x * d["square"],
        "square lost": lambda x, d: d["mean"] / 4 + 0 * x,
    },
)
CASES.add(
    "three outputs in a tuple",
    lambda x: ((x, x**2, x.sum(axis=1)), x),
    lambda x, d: d[0] + 2 * x * d[1] + d[2][:, None],
    X,
    wrong={"third": lambda x, d: d[0] + 2 * x * d[1]},
)
CASES.add(
    "values and places",
    lambda x: ((x.max(axis=1), x.argmax(axis=1)), x),
    lambda x, d: d[0][:, None] * (np.arange(3) == x.argmax(axis=1)[:, None]),
    X,
    wrong={"min": lambda x, d: d[0][:, None] * (np.arange(3) == x.argmin(axis=1)[:, None])},
)
CASES.add(
    "sorted and its order",
    lambda x: ((np.sort(x), np.argsort(x)), x),
    lambda x, d: d[0][np.argsort(np.argsort(x))],
    v,
    wrong={"not undone": lambda x, d: d[0][np.argsort(x)]},
)
CASES.add(
    "a closure as the cache",
    lambda x: (np.cosh(x), lambda dy: dy * np.sinh(x)),
    lambda c, dy: c(dy),
    X,
    wrong={"cosh": lambda c, dy: dy * np.cosh(X)},
)
CASES.add(
    "a dict as the cache",
    lambda x, w: (x @ w, {"x": x, "w": w}),
    lambda cache, dout: {"dx": dout @ cache["w"].T, "dw": cache["x"].T @ dout},
    {"x": X, "w": rng.normal(size=(3, 2))},
    wrong={"dw": lambda cache, dout: {"dx": dout @ cache["w"].T, "dw": cache["x"].T @ dout / 4}},
)
CASES.add(
    "five axes",
    lambda x: ((x.transpose(4, 2, 0, 1, 3) ** 2).sum(axis=(1, 3)), x),
    lambda x, dy: 2 * x * dy.transpose(1, 2, 0)[:, None, None, :, :],
    rng.normal(size=(2, 2, 2, 3, 2)),
    wrong={"order": lambda x, dy: 2 * x * dy.transpose(1, 2, 0)[None, :, None, :, :]},
)
CASES.add(
    "a scalar from scalars",
    lambda a, b, c: (a * b**2 / c, (a, b, c)),
    lambda k, dy: (dy * k[1] ** 2 / k[2], 2 * dy * k[0] * k[1] / k[2], -dy * k[0] * k[1] ** 2 / k[2] ** 2),
    (1.5, -0.7, 2.2),
    wrong={"c": lambda k, dy: (dy * k[1] ** 2 / k[2], 2 * dy * k[0] * k[1] / k[2], dy * k[0] * k[1] ** 2 / k[2] ** 2)},
)
CASES.add(
    "labels beside logits",
    lambda s, y: (np.mean(np.log(np.exp(s).sum(1)) - s[np.arange(4), y]), (s, y)),
    lambda c, dy: ((np.exp(c[0]) / np.exp(c[0]).sum(1, keepdims=True) - np.eye(3)[c[1]]) * dy / 4, None),
    (X, np.array([0, 2, 1, 1])),
    wrong={
        "sum": lambda c, dy: ((np.exp(c[0]) / np.exp(c[0]).sum(1, keepdims=True) - np.eye(3)[c[1]]) * dy, None),
        "next label": lambda c, dy: (
            (np.exp(c[0]) / np.exp(c[0]).sum(1, keepdims=True) - np.eye(3)[(c[1] + 1) % 3]) * dy / 4,
            None,
        ),
    },
)
CASES.add(
    "ignored labels",
    lambda s, y: (-(np.log(np.exp(s) / np.exp(s).sum(1, keepdims=True))[np.arange(4), y] * (y > 0)).sum(), (s, y)),
    lambda c, dy: {
        "s": dy * (np.exp(c[0]) / np.exp(c[0]).sum(1, keepdims=True) - np.eye(3)[c[1]]) * (c[1] > 0)[:, None]
    },
    {"s": X, "y": np.array([0, 2, 1, 0])},
    wrong={"all": lambda c, dy: {"s": dy * (np.exp(c[0]) / np.exp(c[0]).sum(1, keepdims=True) - np.eye(3)[c[1]])}},
)


class Dense:
    def __init__(self, factor=1.0):
        self.W = np.random.default_rng(1).normal(size=(3, 2))
        self.b = np.zeros(2)
        self.factor = factor

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy * self.factor
        self.db = dy.sum(0)
        return dy @ self.W.T


class Centred:
    """Subtracts a running mean that it updates."""

    def __init__(self, wrong=False):
        self.mean, self.wrong = np.zeros(3), wrong

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean

    def backward(self, dy):
        return dy if self.wrong else dy - 0.1 * dy.mean(0)


class Mask:
    """Draws its mask in forward."""

    def __init__(self, wrong=False):
        self.rng, self.wrong = np.random.default_rng(0), wrong

    def forward(self, x):
        self.keep = self.rng.random(x.shape) < 0.5
        return x * self.keep * 2

    def backward(self, dy):
        return dy * self.keep * (1 if self.wrong else 2)


class Scale:
    def __init__(self, wrong=False):
        self.params, self.grads, self.wrong = {"g": np.array([1.0, -0.5, 2.0])}, {}, wrong

    def forward(self, x):
        self.x = x
        return x * np.exp(self.params["g"])

    def backward(self, dy):
        g = np.exp(self.params["g"])
        self.grads["g"] = (dy * self.x).sum(0) * (1 if self.wrong else g)
        return dy * g


class Stack:
    def __init__(self, wrong=False):
        self.layers = [Dense(2.0 if wrong else 1.0), Tanh()]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


CASES.layer("dense class", Dense, X, wrong={"2": lambda: Dense(2.0), "1.0001": lambda: Dense(1.0001)})
CASES.layer("running mean that is used", Centred, X, wrong={"constant": lambda: Centred(True)})
CASES.layer("mask drawn inside", Mask, X, wrong={"scale": lambda: Mask(True)})
CASES.layer("params and grads", Scale, X, wrong={"exp": lambda: Scale(True)})
CASES.layer("a stack of classes", Stack, X, wrong={"2": lambda: Stack(True)})
