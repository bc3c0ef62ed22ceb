"""Layers of a network."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(7)
X = rng.normal(size=(6, 4))
W = rng.normal(size=(4, 3))
b = rng.normal(size=3)
IMG = rng.normal(size=(2, 3, 6, 6))
K = rng.normal(size=(4, 3, 3, 3))


def dense(x, W, b):
    return x @ W + b, (x, W)


def dense_backward(c, dy, scale_b=1.0, scale_w=1.0):
    return {"x": dy @ c[1].T, "W": scale_w * c[0].T @ dy, "b": scale_b * dy.sum(0)}


CASES.add(
    "dense",
    dense,
    dense_backward,
    {"x": X},
    {"W": W, "b": b},
    wrong={
        "mean b": lambda c, dy: dense_backward(c, dy, 1 / 6),
        "W by n": lambda c, dy: dense_backward(c, dy, 1, 1 / 6),
        "b of one row": lambda c, dy: {**dense_backward(c, dy), "b": dy[0]},
        "x scaled": lambda c, dy: {**dense_backward(c, dy), "x": 0.5 * dy @ c[1].T},
    },
)
CASES.add(
    "dense, rows out",
    lambda x, W, b: (x @ W.T + b[:, None].T, (x, W)),
    lambda c, dy: {"x": dy @ c[1], "W": dy.T @ c[0], "b": dy.sum(0)},
    {"x": X},
    {"W": W.T.copy(), "b": b},
    wrong={"minus b": lambda c, dy: {"x": dy @ c[1], "W": dy.T @ c[0], "b": -dy.sum(0)}},
)


def conv(x, k, b):
    n, _, h, w = x.shape
    y = np.zeros((n, len(k), h - 2, w - 2), dtype=x.dtype)
    for i in range(3):
        for j in range(3):
            y = y + np.einsum("nchw,oc->nohw", x[:, :, i : h - 2 + i, j : w - 2 + j], k[:, :, i, j])
    return y + b[:, None, None], (x, k)


def conv_backward(c, dy, flip=False, assign=False, mean=False):
    x, k = c
    h, w = dy.shape[2:]
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(3):
        for j in range(3):
            kk = k[:, :, 2 - i, 2 - j] if flip else k[:, :, i, j]
            g = np.einsum("nohw,oc->nchw", dy, kk)
            if assign:
                dx[:, :, i : i + h, j : j + w] = g
            else:
                dx[:, :, i : i + h, j : j + w] += g
            dk[:, :, i, j] = np.einsum("nohw,nchw->oc", dy, x[:, :, i : i + h, j : j + w])
    return {"x": dx, "k": dk, "b": dy.mean((0, 2, 3)) if mean else dy.sum((0, 2, 3))}


CASES.add(
    "convolution",
    conv,
    conv_backward,
    {"x": IMG},
    {"k": K, "b": np.zeros(4)},
    wrong={
        "kernel flipped": lambda c, dy: conv_backward(c, dy, flip=True),
        "= for +=": lambda c, dy: conv_backward(c, dy, assign=True),
        "mean b": lambda c, dy: conv_backward(c, dy, mean=True),
    },
)


def batch_norm(x, gamma, beta):
    mu, var = x.mean(0), ((x - x.mean(0)) ** 2).mean(0)
    h = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * h + beta, (h, var, gamma)


def batch_norm_backward(c, dy, frozen=False, biased=False):
    h, var, gamma = c
    d = dy * gamma
    full = d if frozen else d - d.mean(0) - (0 if biased else h * (d * h).mean(0))
    return {"x": full / np.sqrt(var + 1e-5), "gamma": (dy * h).sum(0), "beta": dy.sum(0)}


CASES.add(
    "batch norm",
    batch_norm,
    batch_norm_backward,
    {"x": X},
    {"gamma": np.ones(4) + 0.1 * X[0], "beta": X[1]},
    wrong={
        "statistics frozen": lambda c, dy: batch_norm_backward(c, dy, True),
        "variance frozen": lambda c, dy: batch_norm_backward(c, dy, False, True),
    },
)


def layer_norm(x, eps=1e-5):
    mu = x.mean(-1, keepdims=True)
    s = np.sqrt(x.var(-1, keepdims=True) + eps)
    return (x - mu) / s, ((x - mu) / s, s)


def layer_norm_backward(c, dy):
    h, s = c
    return (dy - dy.mean(-1, keepdims=True) - h * (dy * h).mean(-1, keepdims=True)) / s


CASES.add(
    "layer norm",
    layer_norm,
    layer_norm_backward,
    {"x": X},
    wrong={
        "mean": lambda c, dy: (dy - c[0] * (dy * c[0]).mean(-1, keepdims=True)) / c[1],
        "axis 0": lambda c, dy: (dy - dy.mean(0) - c[0] * (dy * c[0]).mean(0)) / c[1],
    },
)


def pool(x):
    n, c, h, w = x.shape
    y = x.reshape(n, c, h // 2, 2, w // 2, 2)
    m = y.max(axis=(3, 5), keepdims=True)
    return m[:, :, :, 0, :, 0], (y == m, x.shape)


CASES.add(
    "max pooling",
    pool,
    lambda c, dy: (c[0] * dy[:, :, :, None, :, None]).reshape(c[1]),
    IMG,
    wrong={"4": lambda c, dy: (c[0] * dy[:, :, :, None, :, None]).reshape(c[1]) / 4},
)
CASES.add(
    "average pooling",
    lambda x: (x.reshape(2, 3, 3, 2, 3, 2).mean(axis=(3, 5)), None),
    lambda c, dy: dy.repeat(2, 2).repeat(2, 3) / 4,
    IMG,
    wrong={"2": lambda c, dy: dy.repeat(2, 2).repeat(2, 3) / 2},
)
CASES.add(
    "global pooling",
    lambda x: (x.mean(axis=(2, 3)), x.shape),
    lambda s, dy: np.broadcast_to(dy[:, :, None, None] / 36, s),
    IMG,
    wrong={"6": lambda s, dy: np.broadcast_to(dy[:, :, None, None] / 6, s)},
)
MASK = (rng.uniform(size=X.shape) > 0.5) / 0.5
CASES.add(
    "dropout, mask fixed",
    lambda x: (x * MASK, None),
    lambda c, dy: dy * MASK,
    X,
    wrong={"unscaled": lambda c, dy: dy * (MASK > 0), "no mask": lambda c, dy: dy},
)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


CASES.add(
    "softmax",
    softmax,
    lambda p, dy: p * (dy - (p * dy).sum(1, keepdims=True)),
    X,
    wrong={"diagonal": lambda p, dy: p * (1 - p) * dy, "axis": lambda p, dy: p * (dy - (p * dy).sum(0, keepdims=True))},
)
CASES.add(
    "log softmax",
    lambda x: (np.log(softmax(x)[0]), softmax(x)[0]),
    lambda p, dy: dy - p * dy.sum(1, keepdims=True),
    X,
    wrong={"no sum": lambda p, dy: dy - p * dy},
)
CASES.add(
    "maxout",
    lambda x, W: ((x @ W).reshape(6, 2, 2).max(2), (x, W, (x @ W).reshape(6, 2, 2))),
    lambda c, dy: (lambda d: {"x": d @ c[1].T, "W": c[0].T @ d})(
        ((c[2] == c[2].max(2, keepdims=True)) * dy[:, :, None]).reshape(6, 4)
    ),
    {"x": X},
    {"W": rng.normal(size=(4, 4))},
    wrong={
        "both": lambda c, dy: (lambda d: {"x": d @ c[1].T, "W": c[0].T @ d})(
            (np.ones(c[2].shape) * dy[:, :, None]).reshape(6, 4)
        )
    },
)
CASES.add(
    "prelu",
    lambda x, a: (np.where(x > 0, x, a * x), (x, a)),
    lambda c, dy: {"x": dy * np.where(c[0] > 0, 1, c[1]), "a": (dy * c[0] * (c[0] <= 0)).sum(0)},
    {"x": X},
    {"a": np.full(4, 0.25)},
    wrong={"a of all": lambda c, dy: {"x": dy * np.where(c[0] > 0, 1, c[1]), "a": (dy * c[0]).sum(0)}},
)
CASES.add(
    "glu",
    lambda x: (x[:, :2] / (1 + np.exp(-x[:, 2:])), x),
    lambda x, dy: (lambda s: np.concatenate([dy * s, dy * x[:, :2] * s * (1 - s)], 1))(1 / (1 + np.exp(-x[:, 2:]))),
    X,
    wrong={
        "halves swapped": lambda x, dy: (lambda s: np.concatenate([dy * x[:, :2] * s * (1 - s), dy * s], 1))(
            1 / (1 + np.exp(-x[:, 2:]))
        )
    },
)


def bilinear(x, y, W):
    return np.einsum("ni,ijk,nj->nk", x, W, y), (x, y, W)


def bilinear_backward(c, dy):
    x, y, w = c
    return {
        "x": np.einsum("nk,ijk,nj->ni", dy, w, y),
        "y": np.einsum("nk,ijk,ni->nj", dy, w, x),
        "W": np.einsum("nk,ni,nj->ijk", dy, x, y),
    }


CASES.add(
    "bilinear",
    bilinear,
    bilinear_backward,
    {"x": X, "y": X[:, ::-1] + 1},
    {"W": rng.normal(size=(4, 4, 3))},
    wrong={
        "permuted": lambda c, dy: {**bilinear_backward(c, dy), "W": np.einsum("nk,ni,nj->jik", dy, c[0], c[1])},
        "y for x": lambda c, dy: {**bilinear_backward(c, dy), "y": bilinear_backward(c, dy)["x"]},
    },
)
CASES.add(
    "residual",
    lambda x, W: (x + np.tanh(x @ W), (x, W)),
    lambda c, dy: (lambda d: {"x": dy + d @ c[1].T, "W": c[0].T @ d})(dy * (1 - np.tanh(c[0] @ c[1]) ** 2)),
    {"x": X},
    {"W": rng.normal(size=(4, 4))},
    wrong={
        "skip lost": lambda c, dy: (lambda d: {"x": d @ c[1].T, "W": c[0].T @ d})(dy * (1 - np.tanh(c[0] @ c[1]) ** 2))
    },
)
CASES.add(
    "scale and shift",
    lambda x, s, t: (x * np.exp(s) + t, (x, s)),
    lambda c, dy: {"x": dy * np.exp(c[1]), "s": (dy * c[0] * np.exp(c[1])).sum(0), "t": dy.sum(0)},
    {"x": X},
    {"s": X[2], "t": X[3]},
    wrong={"s": lambda c, dy: {"x": dy * np.exp(c[1]), "s": (dy * c[0]).sum(0), "t": dy.sum(0)}},
)
