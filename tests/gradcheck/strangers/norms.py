"""Norms, normalisation, decay terms."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(3)
X = rng.normal(size=(4, 5))
W = rng.normal(size=(5, 3))
W0 = W.copy()
W0[:, 1] = 0

norm = np.linalg.norm
CASES.add(
    "norm",
    lambda x: (norm(x), x),
    lambda x, dy: dy * x / norm(x),
    X,
    wrong={"undivided": lambda x, dy: dy * x, "squared": lambda x, dy: dy * x / norm(x) ** 2},
)
CASES.add("norm squared", lambda x: (norm(x) ** 2, x), lambda x, dy: 2 * dy * x, X, wrong={"1": lambda x, dy: dy * x})
CASES.add(
    "row norms",
    lambda x: (norm(x, axis=1), x),
    lambda x, dy: dy[:, None] * x / norm(x, axis=1)[:, None],
    X,
    wrong={"whole norm": lambda x, dy: dy[:, None] * x / norm(x)},
)
CASES.add(
    "one-norm",
    lambda x: (norm(x, 1), x),
    lambda x, dy: dy * np.sign(x),
    X[0],
    wrong={"abs": lambda x, dy: dy * np.abs(x)},
)
CASES.add(
    "infinity norm",
    lambda x: (norm(x, np.inf), x),
    lambda x, dy: dy * np.sign(x) * (np.abs(x) == np.abs(x).max()),
    X[0],
    wrong={"sign lost": lambda x, dy: dy * (np.abs(x) == np.abs(x).max()) * np.where(x > 0, 1, 1.5)},
)
CASES.add(
    "3-norm",
    lambda x: (norm(x.ravel(), 3), x),
    lambda x, dy: dy * np.sign(x) * x**2 / norm(x.ravel(), 3) ** 2,
    X,
    wrong={"power": lambda x, dy: dy * np.sign(x) * x**2 / norm(x.ravel(), 3) ** 3},
)
CASES.add(
    "nuclear norm",
    lambda x: (norm(x, "nuc"), x),
    lambda x, dy: dy * (lambda u, s, v: u @ v)(*np.linalg.svd(x, full_matrices=False)),
    X,
    wrong={"x": lambda x, dy: dy * x / norm(x)},
)
CASES.add(
    "spectral norm",
    lambda x: (norm(x, 2), x),
    lambda x, dy: dy * (lambda u, s, v: np.outer(u[:, 0], v[0]))(*np.linalg.svd(x)),
    X,
    wrong={"last": lambda x, dy: dy * (lambda u, s, v: np.outer(u[:, 1], v[1]))(*np.linalg.svd(x))},
)


def unit(x):
    n = norm(x, axis=1, keepdims=True)
    return x / n, (x / n, n)


CASES.add(
    "unit rows",
    unit,
    lambda c, dy: (dy - c[0] * (c[0] * dy).sum(1, keepdims=True)) / c[1],
    X,
    wrong={
        "no projection": lambda c, dy: dy / c[1],
        "axis": lambda c, dy: (dy - c[0] * (c[0] * dy).sum(0, keepdims=True)) / c[1],
    },
)


def decayed(power, missing=False):
    def backward(c, dy):
        x, w = c
        out = {"x": dy * 2 * (x @ w) @ w.T, "w": dy * 2 * x.T @ (x @ w)}
        if not missing:
            out["w"] = out["w"] + dy * (
                0.02 * w if power == 2 else 0.01 * np.sign(w) if power == 1 else 0.01 * w / norm(w)
            )
        return out

    return backward


def loss_with(penalty):
    return lambda x, w: (((x @ w) ** 2).sum() + 0.01 * penalty(w), (x, w))


CASES.add(
    "decay by norm²",
    loss_with(lambda w: norm(w) ** 2),
    decayed(2),
    {"x": X},
    {"w": W},
    wrong={"forgotten": decayed(2, True), "of the norm": decayed(0)},
)
CASES.add("decay by the norm", loss_with(norm), decayed(0), {"x": X}, {"w": W}, wrong={"forgotten": decayed(0, True)})
CASES.add(
    "decay by abs",
    loss_with(lambda w: np.abs(w).sum()),
    decayed(1),
    {"x": X},
    {"w": W},
    wrong={"forgotten": decayed(1, True)},
)
CASES.add(
    "decay by abs, zeros in w",
    loss_with(lambda w: np.abs(w).sum()),
    decayed(1),
    {"x": X},
    {"w": W0},
    wrong={"forgotten": decayed(1, True)},
)
CASES.add(
    "decay by vdot",
    loss_with(lambda w: np.vdot(w, w)),
    decayed(2),
    {"x": X},
    {"w": W},
    wrong={"forgotten": decayed(2, True)},
)
CASES.add(
    "decay by abs squared",
    loss_with(lambda w: (np.abs(w) ** 2).sum()),
    decayed(2),
    {"x": X},
    {"w": W0},
    wrong={"forgotten": decayed(2, True)},
)


def group(w):
    return norm(w, axis=0).sum(), w


def group_backward(w, dy):
    n = norm(w, axis=0)
    return dy * w / np.where(n > 0, n, 1)


CASES.add("group lasso", group, group_backward, W, wrong={"no norm": lambda w, dy: dy * w})
CASES.add(
    "group lasso, a dead group", group, group_backward, W0, wrong={"1.2": lambda w, dy: 1.2 * group_backward(w, dy)}
)
CASES.add(
    "elastic net",
    lambda w: (0.3 * np.abs(w).sum() + 0.7 * (w**2).sum(), w),
    lambda w, dy: dy * (0.3 * np.sign(w) + 1.4 * w),
    W0,
    wrong={"0.7": lambda w, dy: dy * (0.3 * np.sign(w) + 0.7 * w), "no sign": lambda w, dy: dy * 1.4 * w},
)
CASES.add(
    "variance",
    lambda x: (x.var(axis=0), x),
    lambda x, dy: dy * 2 * (x - x.mean(0)) / 4,
    X,
    wrong={"ddof": lambda x, dy: dy * 2 * (x - x.mean(0)) / 3},
)
CASES.add(
    "standard deviation",
    lambda x: (x.std(), x),
    lambda x, dy: dy * (x - x.mean()) / x.size / x.std(),
    X,
    wrong={"n": lambda x, dy: dy * (x - x.mean()) / x.std()},
)


def standardise(x):
    s = x.std(axis=0, keepdims=True)
    h = (x - x.mean(axis=0, keepdims=True)) / s
    return h, (h, s)


CASES.add(
    "standardise",
    standardise,
    lambda c, dy: (dy - dy.mean(0) - c[0] * (dy * c[0]).mean(0)) / c[1],
    X,
    wrong={"statistics constant": lambda c, dy: dy / c[1], "mean alone": lambda c, dy: (dy - dy.mean(0)) / c[1]},
)
CASES.add(
    "cosine",
    lambda a, b: (a @ b / norm(a) / norm(b), (a, b)),
    lambda c, dy: tuple(
        dy * (v / norm(v) - u / norm(u) * (u @ v) / norm(u) / norm(v)) / norm(u) for u, v in (c, c[::-1])
    ),
    {"a": X[0], "b": X[1]},
    wrong={"no projection": lambda c, dy: tuple(dy * v / norm(v) / norm(u) for u, v in (c, c[::-1]))},
)


def clipped(x):
    n = np.sqrt((x**2).sum())
    return x * min(1.0, 2.0 / n), (x, n)


CASES.add(
    "clip by norm, active",
    clipped,
    lambda c, dy: 2 * (dy / c[1] - c[0] * (c[0] * dy).sum() / c[1] ** 3),
    X,
    wrong={"scale constant": lambda c, dy: 2 * dy / c[1]},
)
CASES.add(
    "rms",
    lambda x: (np.sqrt(np.mean(np.square(x))), x),
    lambda x, dy: dy * x / x.size / np.sqrt((x**2).mean()),
    X,
    wrong={"root n": lambda x, dy: dy * x / np.sqrt(x.size) / np.sqrt((x**2).mean())},
)
