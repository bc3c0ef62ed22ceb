"""Densities, divergences, samplers with their noise given."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(13)
X = rng.normal(size=(4, 3))
MU = rng.normal(size=(4, 3))
LV = 0.5 * rng.normal(size=(4, 3))
EPS = rng.normal(size=(4, 3))
P = rng.uniform(0.1, 0.9, size=(4, 3))


def normal_log(x, mu, lv):
    return (-0.5 * (np.log(2 * np.pi) + lv + (x - mu) ** 2 / np.exp(lv))).sum(1), (x - mu, lv)


def normal_log_backward(c, dy, half=0.5, mu=1):
    d, lv = c
    g = dy[:, None] * d / np.exp(lv)
    return {"x": -g, "mu": mu * g, "lv": dy[:, None] * half * (d**2 / np.exp(lv) - 1)}


CASES.add(
    "normal log density",
    normal_log,
    normal_log_backward,
    {"x": X, "mu": MU, "lv": LV},
    wrong={
        "of σ": lambda c, dy: normal_log_backward(c, dy, 1.0),
        "mu's sign": lambda c, dy: normal_log_backward(c, dy, 0.5, -1),
    },
)
CASES.add(
    "normal by σ",
    lambda s: ((-np.log(s) - 0.5 * (X / s) ** 2).sum(), s),
    lambda s, dy: dy * (-1 / s + X**2 / s**3),
    P,
    wrong={"s²": lambda s, dy: dy * (-1 / s + X**2 / s**2)},
)
CASES.add(
    "KL to N(0, I)",
    lambda mu, lv: (-0.5 * (1 + lv - mu**2 - np.exp(lv)).sum(1).mean(), (mu, lv)),
    lambda c, dy: (dy * c[0] / 4, dy * 0.5 * (np.exp(c[1]) - 1) / 4),
    {"mu": MU, "lv": LV},
    wrong={
        "sum": lambda c, dy: (dy * c[0], dy * 0.5 * (np.exp(c[1]) - 1)),
        "lv": lambda c, dy: (dy * c[0] / 4, dy * 0.5 * np.exp(c[1]) / 4),
    },
)
CASES.add(
    "KL at its minimum",
    lambda mu, lv: (-0.5 * (1 + lv - mu**2 - np.exp(lv)).sum(), (mu, lv)),
    lambda c, dy: (dy * c[0], dy * 0.5 * (np.exp(c[1]) - 1)),
    {"mu": 0 * MU, "lv": 0 * LV},
    wrong={"offset": lambda c, dy: (dy * c[0], dy * 0.5 * np.exp(c[1]))},
)
CASES.add(
    "reparameterised",
    lambda mu, lv: (mu + np.exp(lv / 2) * EPS, lv),
    lambda lv, dy: (dy, dy * 0.5 * np.exp(lv / 2) * EPS),
    {"mu": MU, "lv": LV},
    wrong={
        "half": lambda lv, dy: (dy, dy * np.exp(lv / 2) * EPS),
        "no noise": lambda lv, dy: (dy, dy * 0.5 * np.exp(lv / 2)),
    },
)
CASES.add(
    "bernoulli entropy",
    lambda p: (-(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(), p),
    lambda p, dy: dy * np.log((1 - p) / p),
    P,
    wrong={"sign": lambda p, dy: dy * np.log(p / (1 - p))},
)
CASES.add(
    "categorical KL",
    lambda a, b: ((lambda p, q: (p * (np.log(p) - np.log(q))).sum())(a / a.sum(), b / b.sum()), (a, b)),
    lambda c, dy: (
        lambda a, b: (lambda p, q, k: (dy * (np.log(p / q) - k) / a.sum(), dy * (1 - p / q) / b.sum()))(
            a / a.sum(), b / b.sum(), (a / a.sum() * np.log(a / a.sum() / (b / b.sum()))).sum()
        )
    )(*c),
    {"a": P[0], "b": P[1]},
    wrong={"not normalised": lambda c, dy: (dy * np.log(c[0] / c[1]), dy * (1 - c[0] / c[1]))},
)
CASES.add(
    "laplace log density",
    lambda x, m, s: ((-np.log(2 * s) - np.abs(x - m) / s).sum(), (x, m, s)),
    lambda c, dy: (
        -dy * np.sign(c[0] - c[1]) / c[2],
        dy * np.sign(c[0] - c[1]) / c[2],
        dy * (np.abs(c[0] - c[1]) / c[2] ** 2 - 1 / c[2]),
    ),
    {"x": X, "m": np.where(MU > 0, X, MU), "s": P},
    wrong={
        "s": lambda c, dy: (
            -dy * np.sign(c[0] - c[1]) / c[2],
            dy * np.sign(c[0] - c[1]) / c[2],
            dy * (np.abs(c[0] - c[1]) / c[2] ** 2),
        )
    },
)
CASES.add(
    "student t",
    lambda x: (-2.5 * np.log1p(x**2 / 4), x),
    lambda x, dy: -2.5 * dy * 2 * x / 4 / (1 + x**2 / 4),
    X,
    wrong={"1": lambda x, dy: -2.5 * dy * x / 4 / (1 + x**2 / 4)},
)
CASES.add(
    "cauchy",
    lambda x, g: (-np.log(np.pi * g * (1 + (x / g) ** 2)), (x, g)),
    lambda c, dy: (
        -dy * 2 * c[0] / (c[1] ** 2 + c[0] ** 2),
        dy * (c[0] ** 2 - c[1] ** 2) / c[1] / (c[1] ** 2 + c[0] ** 2),
    ),
    {"x": X, "g": P},
    wrong={"g": lambda c, dy: (-dy * 2 * c[0] / (c[1] ** 2 + c[0] ** 2), -dy / c[1])},
)


def mixture(x, a, mu):
    w = np.exp(a) / np.exp(a).sum()
    k = w * np.exp(-0.5 * (x[:, None] - mu) ** 2)
    return np.log(k.sum(1)).sum(), (x, mu, w, k / k.sum(1, keepdims=True))


def mixture_backward(c, dy, prior=True):
    x, mu, w, r = c
    return {
        "x": dy * (r * (mu - x[:, None])).sum(1),
        "a": dy * (r.sum(0) - (len(x) * w if prior else 0)),
        "mu": dy * (r * (x[:, None] - mu)).sum(0),
    }


CASES.add(
    "mixture",
    mixture,
    mixture_backward,
    {"x": X[:, 0]},
    {"a": X[0], "mu": X[1]},
    wrong={"normaliser": lambda c, dy: mixture_backward(c, dy, False)},
)
U = rng.uniform(0.05, 0.95, size=(4, 3))
G = -np.log(-np.log(U))


def concrete(a, t=0.5):
    e = np.exp((a + G) / t)
    p = e / e.sum(1, keepdims=True)
    return p, (p, t)


CASES.add(
    "gumbel softmax",
    concrete,
    lambda c, dy: c[0] * (dy - (c[0] * dy).sum(1, keepdims=True)) / c[1],
    {"a": X},
    wrong={"temperature": lambda c, dy: c[0] * (dy - (c[0] * dy).sum(1, keepdims=True))},
)
CASES.add(
    "kumaraswamy",
    lambda a, b: ((1 - (1 - U) ** (1 / b)) ** (1 / a), (a, b)),
    lambda c, dy: (
        lambda a, b: (
            lambda v: (
                -dy * v ** (1 / a) * np.log(v) / a**2,
                dy * v ** (1 / a - 1) / a * (1 - U) ** (1 / b) * np.log(1 - U) / b**2,
            )
        )(1 - (1 - U) ** (1 / b))
    )(*c),
    {"a": P + 0.5, "b": P[::-1] + 0.5},
    wrong={
        "b's sign": lambda c, dy: (
            lambda a, b: (
                lambda v: (
                    -dy * v ** (1 / a) * np.log(v) / a**2,
                    -dy * v ** (1 / a - 1) / a * (1 - U) ** (1 / b) * np.log(1 - U) / b**2,
                )
            )(1 - (1 - U) ** (1 / b))
        )(*c)
    },
)
CASES.add(
    "importance weighted",
    lambda w: ((np.log(np.exp(w).mean(1))).mean(), w),
    lambda w, dy: dy * np.exp(w) / np.exp(w).sum(1, keepdims=True) / 4,
    X,
    wrong={
        "self-normalised over all": lambda w, dy: dy * np.exp(w) / np.exp(w).sum() / 4,
        "plain": lambda w, dy: dy * np.ones_like(w) / 12,
    },
)
CASES.add(
    "squared Hellinger",
    lambda p: (0.5 * ((np.sqrt(p) - np.sqrt(P[::-1])) ** 2).sum(), p),
    lambda p, dy: dy * 0.5 * (1 - np.sqrt(P[::-1] / p)),
    P,
    wrong={"1": lambda p, dy: dy * (1 - np.sqrt(P[::-1] / p))},
)
CASES.add(
    "Jensen-Shannon",
    lambda p: ((lambda m: 0.5 * (p * np.log(p / m) + P[::-1] * np.log(P[::-1] / m)).sum())((p + P[::-1]) / 2), p),
    lambda p, dy: dy * 0.5 * (np.log(2 * p / (p + P[::-1])) + 1 - 1),
    P,
    wrong={"1": lambda p, dy: dy * 0.5 * (np.log(2 * p / (p + P[::-1])) + 1)},
)
CASES.add(
    "total variation",
    lambda p: (0.5 * np.abs(p - P[::-1]).sum(), p),
    lambda p, dy: dy * 0.5 * np.sign(p - P[::-1]),
    P,
    wrong={"1": lambda p, dy: dy * np.sign(p - P[::-1])},
)
CASES.add(
    "planar flow",
    lambda z, w, u: (
        (lambda h: (z + h[:, None] * u, np.log(np.abs(1 + (1 - h**2) * (w @ u)))))(np.tanh(z @ w)),
        (z, w, u),
    ),
    lambda c, dz2, dl: planar_backward(c, dz2, dl),
    {"z": X},
    {"w": X[0] / 2, "u": X[1] / 2},
    wrong={"log det lost": lambda c, dz2, dl: planar_backward(c, dz2, 0 * dl)},
)


def planar_backward(c, dz2, dl):
    z, w, u = c
    h = np.tanh(z @ w)
    s = 1 - h**2
    det = 1 + s * (w @ u)
    ds = dl / det * (w @ u)
    dwu = (dl / det * s).sum()
    dh = (dz2 * u).sum(1) - 2 * h * ds
    da = dh * s
    return {"z": dz2 + da[:, None] * w, "w": z.T @ da + dwu * u, "u": (dz2 * h[:, None]).sum(0) + dwu * w}
