"""The ways in which people write a forward and a backward."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(16)
X = rng.normal(size=(4, 3))
W = rng.normal(size=(3, 2))


def keyword_only(x, *, scale):
    return scale * np.sin(x), (x, scale)


CASES.add(
    "keyword-only",
    keyword_only,
    lambda c, dy: {"x": dy * c[1] * np.cos(c[0]), "scale": (dy * np.sin(c[0])).sum()},
    {"x": X, "scale": np.array(2.0)},
    wrong={"scale": lambda c, dy: {"x": dy * np.cos(c[0]), "scale": (dy * np.sin(c[0])).sum()}},
)


def strided(x, stride=1):
    return x[::stride] ** 2, (x, stride)


def strided_backward(c, dy):
    dx = np.zeros_like(c[0])
    dx[:: c[1]] = 2 * dy * c[0][:: c[1]]
    return {"x": dx}


CASES.add(
    "a constant by name",
    strided,
    strided_backward,
    {"x": X},
    constants={"stride": 2},
    wrong={"1": lambda c, dy: {"x": strided_backward(c, dy)["x"] / 2}},
)
CASES.add(
    "two outputs",
    lambda x: ((np.sin(x), (x**2).sum()), x),
    lambda x, d1, d2: d1 * np.cos(x) + 2 * d2 * x,
    X,
    wrong={"second lost": lambda x, d1, d2: d1 * np.cos(x), "first lost": lambda x, d1, d2: 2 * d2 * x},
)
CASES.add(
    "two outputs, one argument",
    lambda x: ((np.sin(x), x**2), x),
    lambda x, d: d[0] * np.cos(x) + 2 * d[1] * x,
    X,
    wrong={"second lost": lambda x, d: d[0] * np.cos(x)},
)
CASES.add(
    "list of outputs",
    lambda x: ([x, 3 * x], None),
    lambda c, d: d[0] + 3 * d[1],
    X,
    wrong={"1": lambda c, d: d[0] + d[1]},
)
CASES.add(
    "dict of outputs",
    lambda x: ({"s": np.sin(x), "c": np.cos(x)}, x),
    lambda x, d: d["s"] * np.cos(x) - d["c"] * np.sin(x),
    X,
    wrong={"c's sign": lambda x, d: d["s"] * np.cos(x) + d["c"] * np.sin(x)},
)
CASES.add(
    "gradients as a tuple",
    lambda x, W: (x @ W, (x, W)),
    lambda c, dy: (dy @ c[1].T, c[0].T @ dy),
    {"x": X, "W": W},
    wrong={"W": lambda c, dy: (dy @ c[1].T, 2 * c[0].T @ dy)},
)
CASES.add(
    "gradients as a list",
    lambda x, W: (x @ W, (x, W)),
    lambda c, dy: [dy @ c[1].T, c[0].T @ dy],
    {"x": X, "W": W},
    wrong={"x": lambda c, dy: [2 * dy @ c[1].T, c[0].T @ dy]},
)
CASES.add(
    "gradients as dW",
    lambda x, W: (x @ W, (x, W)),
    lambda c, dy: {"dx": dy @ c[1].T, "dW": c[0].T @ dy},
    {"x": X},
    {"W": W},
    wrong={"W": lambda c, dy: {"dx": dy @ c[1].T, "dW": -c[0].T @ dy}},
)
CASES.add(
    "dx and a dict",
    lambda x, W: (x @ W, (x, W)),
    lambda c, dy: (dy @ c[1].T, {"W": c[0].T @ dy}),
    {"x": X},
    {"W": W},
    wrong={"x": lambda c, dy: (dy @ c[1].T / 2, {"W": c[0].T @ dy})},
)


class Dense:
    """The classic one: keeps what it needs."""

    def __init__(self, mean=False, slope=True):
        self.W, self.b = W.copy(), np.array([0.3, -0.2])
        self.mean, self.slope = mean, slope

    def forward(self, x):
        self.x = x
        self.y = np.tanh(x @ self.W + self.b)
        return self.y

    def backward(self, dy):
        da = dy * (1 - self.y**2) if self.slope else dy
        self.dW = self.x.T @ da
        self.db = da.mean(0) if self.mean else da.sum(0)
        return da @ self.W.T


CASES.layer("class with dW", Dense, X, wrong={"mean": lambda: Dense(mean=True), "slope": lambda: Dense(slope=False)})


class Accumulating:
    """Adds to its gradients, as frameworks do."""

    def __init__(self, twice=False):
        self.params = {"W": W.copy()}
        self.grads = {"W": np.zeros_like(W)}
        self.factor = 2 if twice else 1

    def forward(self, x):
        self.x = x
        return x @ self.params["W"]

    def backward(self, dy):
        self.grads["W"] += self.factor * self.x.T @ dy
        return dy @ self.params["W"].T


CASES.layer("class that accumulates", Accumulating, X, accumulate=True, wrong={"twice": lambda: Accumulating(True)})


class RunningMean:
    """Batch normalisation with a running mean."""

    def __init__(self, frozen=False):
        self.params, self.grads = {"gamma": np.array([1.0, 2, 0.5])}, {}
        self.running, self.frozen = np.zeros(3), frozen

    def forward(self, x):
        mu = x.mean(0)
        self.running = 0.9 * self.running + 0.1 * mu.real
        self.s = np.sqrt(((x - mu) ** 2).mean(0) + 1e-5)
        self.h = (x - mu) / self.s
        return self.params["gamma"] * self.h

    def backward(self, dy):
        self.grads["gamma"] = (dy * self.h).sum(0)
        d = dy * self.params["gamma"]
        return (d if self.frozen else d - d.mean(0) - self.h * (d * self.h).mean(0)) / self.s


CASES.layer("class with a running mean", RunningMean, X, wrong={"frozen": lambda: RunningMean(True)})


class Relu:
    """No parameters."""

    def __init__(self, bad=False):
        self.bad = bad

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * (1.0 if self.bad else self.mask)


CASES.layer("class without parameters", Relu, X, wrong={"mask": lambda: Relu(True)})


class Network:
    """Layers inside."""

    def __init__(self, bad=False):
        self.layers = [Dense(), Relu(bad)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


CASES.layer("network of classes", Network, X, wrong={"relu": lambda: Network(True)})


class Loss:
    """A loss with its target."""

    def __init__(self, n=4):
        self.n = n

    def forward(self, x, t):
        self.d = x - t
        return (self.d**2).sum() / 4

    def backward(self, dy=1.0):
        return dy * 2 * self.d / self.n


CASES.layer("loss class", Loss, {"x": X, "t": X[::-1].copy()}, wrong={"12": lambda: Loss(12)})


class Dropout:
    """Draws its mask inside, from a generator of its own that is seeded anew."""

    def __init__(self, scale=True):
        self.scale = scale

    def forward(self, x):
        self.mask = np.random.default_rng(3).uniform(size=x.shape) > 0.4
        return x * self.mask / 0.6

    def backward(self, dy):
        return dy * self.mask / (0.6 if self.scale else 1.0)


CASES.layer("dropout with its own seed", Dropout, X, wrong={"scale": lambda: Dropout(False)})
