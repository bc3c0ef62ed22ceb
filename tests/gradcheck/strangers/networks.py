"""Whole small networks with their losses."""

import itertools

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(8)
X = rng.normal(size=(5, 4))
Y = np.array([0, 2, 1, 1, 0])
T = rng.normal(size=(5, 3))


def weights(*sizes, scale=0.7, zero_bias=False):
    out = {}
    for i, (m, n) in enumerate(itertools.pairwise(sizes)):
        out[f"W{i}"], out[f"b{i}"] = (
            scale * rng.normal(size=(m, n)),
            (np.zeros(n) if zero_bias else 0.3 * rng.normal(size=n)),
        )
    return out


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def mlp(act):
    def forward(x, W0, b0, W1, b1):
        a = x @ W0 + b0
        h = act(a)
        p = softmax(h @ W1 + b1)
        return -np.log(p[np.arange(5), Y]).mean(), (x, W0, W1, a, h, p)

    return forward


def mlp_backward(slope, **bad):
    def backward(c, dy):
        x, w0, w1, a, h, p = c
        d = dy * (p - np.eye(3)[Y]) / (1 if "sum" in bad else 5)
        dh = d @ (w1.T if "W1" not in bad else np.abs(w1).T)
        da = dh * slope(a, h)
        return {
            "x": da @ w0.T,
            "W0": x.T @ da,
            "b0": da[0] if "row" in bad else da.sum(0),
            "W1": h.T @ d,
            "b1": d.mean(0) if "mean" in bad else d.sum(0),
        }

    return backward


def tanh_slope(a, h):
    return 1 - h**2


def relu_slope(a, h):
    return a > 0


CASES.add(
    "tanh classifier",
    mlp(np.tanh),
    mlp_backward(tanh_slope),
    {"x": X},
    weights(4, 6, 3),
    wrong={
        "sum": mlp_backward(tanh_slope, sum=1),
        "W1": mlp_backward(tanh_slope, W1=1),
        "first row": mlp_backward(tanh_slope, row=1),
        "mean": mlp_backward(tanh_slope, mean=1),
        "linear": mlp_backward(lambda a, h: 1),
    },
)
CASES.add(
    "relu classifier",
    mlp(lambda a: np.maximum(a, 0)),
    mlp_backward(relu_slope),
    {"x": X},
    weights(4, 6, 3),
    wrong={"all pass": mlp_backward(lambda a, h: 1), "leaky": mlp_backward(lambda a, h: np.where(a > 0, 1, 0.01))},
)
DEAD = weights(4, 6, 3, zero_bias=True)
DEAD["W0"][:, 2] = 0
CASES.add(
    "relu classifier, a pruned unit",
    mlp(lambda a: np.maximum(a, 0)),
    mlp_backward(relu_slope),
    {"x": X},
    DEAD,
    wrong={"sum": mlp_backward(relu_slope, sum=1), "first row": mlp_backward(relu_slope, row=1)},
)
CASES.add(
    "relu classifier, zero weights",
    mlp(lambda a: np.maximum(a, 0)),
    mlp_backward(relu_slope),
    {"x": X},
    {k: 0 * v for k, v in weights(4, 6, 3).items()},
    wrong={"sum": mlp_backward(relu_slope, sum=1)},
)


def regression(x, w, b):
    r = x @ w + b - T
    return (r**2).mean() + 0.1 * np.linalg.norm(w) ** 2, (x, w, r)


def regression_backward(lam):
    return lambda c, dy: {
        "x": dy * 2 * c[2] @ c[1].T / 15,
        "w": dy * (2 * c[0].T @ c[2] / 15 + lam * c[1]),
        "b": dy * 2 * c[2].sum(0) / 15,
    }


CASES.add(
    "linear regression with decay",
    regression,
    regression_backward(0.2),
    {"x": X},
    {"w": rng.normal(size=(4, 3)), "b": np.zeros(3)},
    wrong={"decay forgotten": regression_backward(0.0), "decay halved": regression_backward(0.1)},
)


def autoencoder(x, W, b, c):
    h = 1 / (1 + np.exp(-(x @ W + b)))
    r = h @ W.T + c - x
    return (r**2).sum(1).mean(), (x, W, h, r)


def autoencoder_backward(c, dy, tied=True, through_x=True):
    x, w, h, r = c
    dr = 2 * dy * r / len(x)
    da = dr @ w * h * (1 - h)
    return {
        "x": da @ w.T - (dr if through_x else 0),
        "W": x.T @ da + (dr.T @ h if tied else 0),
        "b": da.sum(0),
        "c": dr.sum(0),
    }


CASES.add(
    "tied autoencoder",
    autoencoder,
    autoencoder_backward,
    {"x": X},
    {"W": rng.normal(size=(4, 3)), "b": np.zeros(3), "c": np.zeros(4)},
    wrong={
        "decoder's share of W lost": lambda c, dy: autoencoder_backward(c, dy, tied=False),
        "target's share of x lost": lambda c, dy: autoencoder_backward(c, dy, through_x=False),
    },
)

EPS = rng.normal(size=(5, 2))


def vae(x, We, Wv, Wd):
    mu, lv = x @ We, x @ Wv
    z = mu + np.exp(0.5 * lv) * EPS
    r = z @ Wd - x
    return (0.5 * (r**2).sum() - 0.5 * (1 + lv - mu**2 - np.exp(lv)).sum()) / 5, (x, We, Wv, Wd, mu, lv, z, r)


def vae_backward(c, dy, half=0.5, kl=1.0, eps=1.0):
    x, we, wv, wd, mu, lv, z, r = c
    dr = dy * r / 5
    dz = dr @ wd.T
    dmu, dlv = dz + kl * dy * mu / 5, dz * half * np.exp(0.5 * lv) * EPS * eps + kl * dy * 0.5 * (np.exp(lv) - 1) / 5
    return {"x": dmu @ we.T + dlv @ wv.T - dr, "We": x.T @ dmu, "Wv": x.T @ dlv, "Wd": z.T @ dr}


CASES.add(
    "linear VAE",
    vae,
    vae_backward,
    {"x": X},
    {"We": rng.normal(size=(4, 2)), "Wv": 0.3 * rng.normal(size=(4, 2)), "Wd": rng.normal(size=(2, 4))},
    wrong={
        "half": lambda c, dy: vae_backward(c, dy, half=1.0),
        "KL lost": lambda c, dy: vae_backward(c, dy, kl=0.0),
        "KL not averaged": lambda c, dy: vae_backward(c, dy, kl=5.0),
    },
)


def deep(x, **p):
    hs = [x]
    for i in range(4):
        hs.append(np.tanh(hs[-1] @ p[f"W{i}"] + p[f"b{i}"]))
    return hs[-1], (hs, p)


def deep_backward(c, dy, skip=None, square=None):
    hs, p = c
    g = {}
    for i in reversed(range(4)):
        d = dy * (1 - hs[i + 1] ** 2) if i != skip else dy
        g[f"W{i}"], g[f"b{i}"] = hs[i].T @ d, d.sum(0)
        dy = d @ (p[f"W{i}"] if i == square else p[f"W{i}"].T)
    return {"x": dy, **g}


CASES.add(
    "four layers",
    deep,
    deep_backward,
    {"x": X},
    weights(4, 5, 5, 5, 2),
    wrong={
        "slope of layer 2 lost": lambda c, dy: deep_backward(c, dy, skip=2),
        "transpose in layer 1": lambda c, dy: deep_backward(c, dy, square=1),
    },
)


def contrastive(a, b):
    u, v = (m / np.sqrt((m**2).sum(1, keepdims=True)) for m in (a, b))
    s = u @ v.T / 0.1
    p = softmax(s)
    return -np.log(np.diag(p)).mean(), (a, b, u, v, p)


def contrastive_backward(c, dy, project=True, temperature=0.1):
    a, b, u, v, p = c
    ds = dy * (p - np.eye(5)) / 5 / temperature
    du, dv = ds @ v, ds.T @ u
    out = {}
    for name, m, w, dw in (("a", a, u, du), ("b", b, v, dv)):
        out[name] = (dw - (w * (w * dw).sum(1, keepdims=True) if project else 0)) / np.sqrt(
            (m**2).sum(1, keepdims=True)
        )
    return out


CASES.add(
    "contrastive",
    contrastive,
    contrastive_backward,
    {"a": X, "b": X + 0.5 * rng.normal(size=X.shape)},
    wrong={
        "projection lost": lambda c, dy: contrastive_backward(c, dy, False),
        "temperature lost": lambda c, dy: contrastive_backward(c, dy, True, 1.0),
    },
)


def attention(x, Q, K, V):
    q, k, v = x @ Q, x @ K, x @ V
    p = softmax(q @ k.T / np.sqrt(3))
    return p @ v, (x, Q, K, V, q, k, v, p)


def attention_backward(c, dy, root=3**0.5, swap=False):
    x, wq, wk, wv, q, k, v, p = c
    dp = dy @ v.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True)) / root
    dq, dk, dv = ds @ k, (ds if swap else ds.T) @ q, p.T @ dy
    return {"x": dq @ wq.T + dk @ wk.T + dv @ wv.T, "Q": x.T @ dq, "K": x.T @ dk, "V": x.T @ dv}


CASES.add(
    "attention",
    attention,
    attention_backward,
    {"x": X},
    {n: rng.normal(size=(4, 3)) for n in "QKV"},
    wrong={
        "root lost": lambda c, dy: attention_backward(c, dy, 1.0),
        "transpose": lambda c, dy: attention_backward(c, dy, np.sqrt(3), True),
    },
)
