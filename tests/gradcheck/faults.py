"""Small functions on which a checker is easily wrong, each with the verdict that is right.

`CASES` lists (name, forward, backward, inputs, params, verdict); each stands for a kind.
"""

# ruff: noqa: E731
import numpy as np

rng = np.random.default_rng(0)
CASES = []


def case(name, forward, backward, inputs, params=None, verdict="PASS"):
    CASES.append((name, forward, backward, inputs, params, verdict))


# 1. The forward is not analytic

X, labels, W = rng.normal(size=(6, 4)), np.array([0.0, 2, 1, 2, 0, 1]), rng.normal(size=(4, 3))


def classify(X, labels, W):
    s = X @ W
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    i = labels.astype(int)
    return -np.log(p[np.arange(6), i]).mean() + 0.05 * np.linalg.norm(W) ** 2, (X, p, i, W)


def classify_backward(decay):
    return lambda c, dy: {"W": dy * (c[0].T @ (c[1] - np.eye(3)[c[2]]) / 6 + decay * c[3])}


case("decay by norm, float labels", classify, classify_backward(0.1), {"X": X, "labels": labels}, {"W": W})
case(
    "decay by norm, float labels, forgotten",
    classify,
    classify_backward(0.0),
    {"X": X, "labels": labels},
    {"W": W},
    "FAIL",
)

steep = np.array([1e-3, 0.4, 0.6])
barrier = lambda p: (-np.log(p).sum() + 0.1 * np.abs(p).sum(), p)
case("log barrier and L1", barrier, lambda p, dy: dy * (0.1 * np.sign(p) - 1 / p), steep)
case("log barrier, L1 forgotten", barrier, lambda p, dy: -dy / p, steep, verdict="FAIL")

V = rng.normal(size=(3, 4))
V[:, 2] = 0  # a pruned unit: relu is at its kink there
pruned = lambda x, W: ((np.maximum(x @ W, 0) ** 2).sum() + 0.5 * np.linalg.norm(W) ** 2, (x, W))


def pruned_backward(decay):
    def backward(c, dy):
        d = 2 * dy * np.maximum(c[0] @ c[1], 0)
        return {"x": d @ c[1].T, "W": c[0].T @ d + dy * decay * c[1]}

    return backward


case("pruned unit, decay by norm", pruned, pruned_backward(1.0), {"x": rng.normal(size=(5, 3))}, {"W": V})
case("pruned unit, decay forgotten", pruned, pruned_backward(0.0), {"x": rng.normal(size=(5, 3))}, {"W": V}, "FAIL")

target = np.array([1.0, 2, 3, 4])
absolute_error = lambda x: (np.abs(x - target).mean(), x)
fits = np.array([1.0, 2.5, 0, 9])
case("L1 loss, one exact fit", absolute_error, lambda x, dy: dy * np.sign(x - target) / 4, fits)
case("L1 loss, one exact fit, all zero", absolute_error, lambda x, dy: 0 * x, fits, verdict="FAIL")

# 2. Scale: a ladder steps over the function

bump = lambda x: (np.exp(-((x / 5e-6) ** 2)), x)
case("narrow bump", bump, lambda x, dy: -2 * dy * x / 25e-12 * np.exp(-((x / 5e-6) ** 2)), np.array([1e-6, 3e-6, 8e-6]))
charbonnier = lambda q: (np.sqrt(q * q + 1e-12).sum(), q)
case("Charbonnier", charbonnier, lambda q, dy: dy * q / np.sqrt(q * q + 1e-12), np.array([1e-6, 0.5, -1.0]))
case(
    "steep tanh",
    lambda x: (np.tanh(1e4 * x), x),
    lambda x, dy: dy * 1e4 / np.cosh(1e4 * x) ** 2,
    1e-4 * rng.normal(size=5),
)

# 3. Rounding: constants in a closure, large logits, float32 at the end

T = np.linspace(0, 1, 8)
K = np.exp(-((T[:, None] - T) ** 2)) + 1e-4 * np.eye(8)
case("ill-conditioned solve", lambda b: (np.linalg.solve(K, b), None), lambda c, dz: np.linalg.solve(K.T, dz), T + 1)


def softmax(x):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p, p


def softmax_backward(p, dy):
    return p * (dy - (p * dy).sum(axis=1, keepdims=True))


case("softmax of large logits", softmax, softmax_backward, 100 * rng.normal(size=(4, 10)))
case("float32 at the end", lambda x: (np.tanh(x).astype(np.float32), x), lambda x, dy: dy * (1 - np.tanh(x) ** 2), T)

# 4. Kinks away from zero, domains with an edge

clip = lambda x: (np.clip(x, -1, 1), x)
case("clip at its corner", clip, lambda x, dy: dy * (np.abs(x) < 1), np.array([-1.0, 0.5, 2]))
case(
    "clip at its corner, 1.5 times",
    clip,
    lambda x, dy: 1.5 * dy * (np.abs(x) < 1),
    np.array([-1.0, 0.5, 2]),
    verdict="FAIL",
)
case("log near its edge", lambda x: (float(np.log(x).sum()), x), lambda x, dy: dy / x, np.array([1e-2, 1, 2]))

# 5. An error in the last digits


def nearly(x, dy):
    dx = dy * (1 - np.tanh(x) ** 2)
    dx[2, 3] *= 1 + 1e-8
    return {"x": dx}


case("one element off by 1e-8", lambda x: (np.tanh(x), x), nearly, {"x": rng.normal(size=(5, 6))}, verdict="FAIL")
