"""Larger pieces: recurrent cells, attention with masks, normalisations, losses that combine several terms."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(34)
X = rng.normal(size=(5, 4))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# A gated recurrent unit over several steps


def gru(x, W, U, b):
    h, cache = np.zeros(3), []
    for xt in x:
        a = xt @ W + b
        z, r = sigmoid(a[:3] + h @ U[:, :3]), sigmoid(a[3:6] + h @ U[:, 3:6])
        n = np.tanh(a[6:] + (r * h) @ U[:, 6:])
        cache.append((xt, h, z, r, n))
        h = (1 - z) * n + z * h
    return h, (cache, W, U)


def gru_back(c, dh, reset=1, update=1):
    cache, W, U = c
    dx, dW, dU, db = np.zeros((len(cache), 4)), np.zeros_like(W), np.zeros_like(U), np.zeros(9)
    for t in reversed(range(len(cache))):
        xt, h, z, r, n = cache[t]
        dn = dh * (1 - z) * (1 - n**2)
        dz = update * dh * (h - n) * z * (1 - z)
        drh = dn @ U[:, 6:].T
        dr = drh * h * r * (1 - r) * reset
        da = np.concatenate([dz, dr, dn])
        dx[t] = da @ W.T
        dW += np.outer(xt, da)
        dU += np.concatenate([np.outer(h, dz), np.outer(h, dr), np.outer(r * h, dn)], axis=1)
        db += da
        dh = dh * z + drh * r + dz @ U[:, :3].T + dr @ U[:, 3:6].T
    return {"x": dx, "W": dW, "U": dU, "b": db}


GRU = {"x": X}, {"W": rng.normal(size=(4, 9)), "U": 0.5 * rng.normal(size=(3, 9)), "b": 0.1 * rng.normal(size=9)}
CASES.add(
    "gru",
    gru,
    gru_back,
    *GRU,
    wrong={"reset gate": lambda c, dh: gru_back(c, dh, reset=0), "sign of z": lambda c, dh: gru_back(c, dh, update=-1)},
)


def attention(q, k, v):
    s = q @ k.T / 2
    s = np.where(np.tri(5, dtype=bool), s, -1e9)
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return p @ v, (q, k, v, p)


def attention_back(c, dy, root=2.0, normalised=1):
    q, k, v, p = c
    dp = dy @ v.T
    ds = p * (dp - normalised * (dp * p).sum(1, keepdims=True)) / root
    return {"q": ds @ k, "k": ds.T @ q, "v": p.T @ dy}


QKV = {name: rng.normal(size=(5, 4)) for name in "qkv"}
CASES.add(
    "causal attention",
    attention,
    attention_back,
    QKV,
    wrong={
        "root": lambda c, dy: attention_back(c, dy, root=1.0),
        "normaliser": lambda c, dy: attention_back(c, dy, normalised=0),
        "v": lambda c, dy: {**attention_back(c, dy), "v": c[3] @ dy},
    },
)


def group_norm(x, g):
    y = x.reshape(5, 2, 2)
    mu, var = y.mean(2, keepdims=True), y.var(2, keepdims=True)
    n = (y - mu) / np.sqrt(var + 1e-3)
    return n.reshape(5, 4) * g, (n, var, g)


def group_norm_back(c, dy, variance=1):
    n, var, g = c
    dn = (dy * g).reshape(5, 2, 2)
    dx = dn - dn.mean(2, keepdims=True) - variance * n * (dn * n).mean(2, keepdims=True)
    return {"x": (dx / np.sqrt(var + 1e-3)).reshape(5, 4), "g": (dy * n.reshape(5, 4)).sum(0)}


CASES.add(
    "group norm",
    group_norm,
    group_norm_back,
    {"x": X},
    {"g": rng.normal(size=4)},
    wrong={"variance": lambda c, dy: group_norm_back(c, dy, 0)},
)


def weight_norm(x, V, g):
    size = np.sqrt((V * V).sum(0))
    return x @ (V / size * g), (x, V, g, size)


def weight_norm_back(c, dy, radial=1):
    x, V, g, size = c
    dw = x.T @ dy
    dg = (dw * V).sum(0) / size
    return {"x": dy @ (V / size * g).T, "V": g / size * (dw - radial * V * dg / size), "g": dg}


CASES.add(
    "weight norm",
    weight_norm,
    weight_norm_back,
    {"x": X},
    {"V": rng.normal(size=(4, 3)), "g": rng.normal(size=3)},
    wrong={"radial": lambda c, dy: weight_norm_back(c, dy, 0)},
)


def vae(x, W, V, eps):
    a = x @ W
    mu, lv = a[:, :2], a[:, 2:]
    z = mu + np.exp(lv / 2) * eps
    logits = z @ V
    nll = (np.logaddexp(0, logits) - (x > 0) * logits).sum()
    return nll + 0.5 * (mu**2 + np.exp(lv) - 1 - lv).sum(), (x, W, V, eps, mu, lv, z, logits)


def vae_back(c, dy, half=0.5, kl=1):
    x, _W, V, eps, mu, lv, z, logits = c
    dl = sigmoid(logits) - (x > 0)
    dz = dl @ V.T
    dmu, dlv = dz + kl * mu, half * dz * eps * np.exp(lv / 2) + kl * 0.5 * (np.exp(lv) - 1)
    da = np.concatenate([dmu, dlv], axis=1)
    return {"W": dy * x.T @ da, "V": dy * z.T @ dl}


VAE = {"x": X, "eps": rng.normal(size=(5, 2))}, {"W": 0.3 * rng.normal(size=(4, 4)), "V": rng.normal(size=(2, 4))}
CASES.add(
    "vae with binary data by comparison",
    vae,
    vae_back,
    *VAE,
    wrong={"half": lambda c, dy: vae_back(c, dy, half=1.0), "kl": lambda c, dy: vae_back(c, dy, kl=0)},
)


def conv1d(x, k):
    y = np.zeros((5, 2))
    for i in range(2):
        y[:, i] = x[:, i : i + 3] @ k
    return np.maximum(y, 0), (x, k, y)


def conv1d_back(c, dy, add=True):
    x, k, y = c
    dy = dy * (y > 0)
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(2):
        if add:
            dx[:, i : i + 3] += np.outer(dy[:, i], k)
        else:
            dx[:, i : i + 3] = np.outer(dy[:, i], k)
        dk += x[:, i : i + 3].T @ dy[:, i]
    return {"x": dx, "k": dk}


CASES.add(
    "convolution into a buffer, rectified",
    conv1d,
    conv1d_back,
    {"x": X},
    {"k": rng.normal(size=3)},
    wrong={
        "overwritten": lambda c, dy: conv1d_back(c, dy, False),
        "mask": lambda c, dy: conv1d_back((c[0], c[1], np.abs(c[2])), dy),
    },
)


def mixture_of_experts(x, G, E):
    p = np.exp(x @ G)
    p /= p.sum(1, keepdims=True)
    e = np.tanh(np.einsum("ni,ijk->nkj", x, E))
    return np.einsum("nk,nkj->nj", p, e), (x, G, E, p, e)


def experts_back(c, dy, gate=1):
    x, G, E, p, e = c
    dp = np.einsum("nj,nkj->nk", dy, e)
    ds = gate * p * (dp - (dp * p).sum(1, keepdims=True))
    da = p[:, :, None] * dy[:, None, :] * (1 - e**2)
    return {"x": ds @ G.T + np.einsum("nkj,ijk->ni", da, E), "G": x.T @ ds, "E": np.einsum("ni,nkj->ijk", x, da)}


CASES.add(
    "mixture of experts",
    mixture_of_experts,
    experts_back,
    {"x": X},
    {"G": rng.normal(size=(4, 3)), "E": rng.normal(size=(4, 2, 3))},
    wrong={"gate": lambda c, dy: experts_back(c, dy, 0)},
)


def ctc_like(logits):
    p = np.exp(logits)
    p /= p.sum(1, keepdims=True)
    alpha = np.array([1.0, 0, 0])
    history = []
    for row in p:
        history.append(alpha)
        alpha = (alpha + np.append(0, alpha[:-1])) * row
    return -np.log(alpha[-1] + alpha[-2]), (p, history, alpha)


def ctc_back(c, dy, shift=1):
    p, history, alpha = c
    d = np.array([0, 1.0, 1.0]) * -dy / (alpha[-1] + alpha[-2])
    dlogits = np.zeros_like(p)
    for t in reversed(range(len(p))):
        before = history[t]
        total = before + np.append(0, before[:-1])
        dp = d * total
        dlogits[t] = p[t] * (dp - (dp * p[t]).sum())
        d = d * p[t]
        d = d + shift * np.append(d[1:], 0)
    return dlogits


CASES.add(
    "forward algorithm",
    ctc_like,
    ctc_back,
    rng.normal(size=(4, 3)),
    wrong={"shift": lambda c, dy: ctc_back(c, dy, 0)},
)


def kalman(a, q):
    mean, var, total = 0.0, 1.0, 0.0
    for y in (0.5, -0.3, 0.8):
        mean, var = a * mean, a * a * var + q
        s = var + 0.5
        total = total + 0.5 * (np.log(s) + (y - mean) ** 2 / s)
        k = var / s
        mean, var = mean + k * (y - mean), (1 - k) * var
    return total, (a, q)


def kalman_back(c, dy, scale=1.0):
    h = 1e-20
    return (
        scale * dy * (kalman(c[0] + 1j * h, c[1])[0].imag / h),
        dy * (kalman(c[0], c[1] + 1j * h)[0].imag / h),
    )


CASES.add(
    "kalman filter, its gradient by another complex step",
    kalman,
    kalman_back,
    (np.array(0.9), np.array(0.3)),
    wrong={"a": lambda c, dy: kalman_back(c, dy, 1 + 1e-5)},
)


def soft_sort(x):
    d = x[:, None] - x
    return (sigmoid(d / 0.1).sum(1) - 0.5), x


def soft_sort_back(x, dy, both=1):
    p = sigmoid((x[:, None] - x) / 0.1)
    w = p * (1 - p) / 0.1
    return (w * dy[:, None]).sum(1) - both * (w * dy[:, None]).sum(0)


CASES.add(
    "soft ranks",
    soft_sort,
    soft_sort_back,
    rng.normal(size=6),
    wrong={"one side": lambda x, dy: soft_sort_back(x, dy, 0)},
)
CASES.add(
    "iou of boxes",
    lambda a, b: (
        (lambda w: w[0] * w[1] / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w[0] * w[1]))(
            np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        ),
        (a, b),
    ),
    lambda c, dy: iou_back(*c, dy),
    (np.array([0.0, 0.0, 2.0, 2.0]), np.array([1.0, 0.5, 3.0, 1.7])),
    wrong={"union": lambda c, dy: iou_back(*c, dy, union=0)},
)


def iou_back(a, b, dy, union=1):
    w = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    inner = w[0] * w[1]
    sa, sb = a[2:] - a[:2], b[2:] - b[:2]
    outer = sa[0] * sa[1] + sb[0] * sb[1] - inner
    di = dy * (1 / outer + union * inner / outer**2)
    do = -dy * union * inner / outer**2
    dw = di * w[::-1]
    da = np.concatenate([-dw * (a[:2] > b[:2]), dw * (a[2:] < b[2:])])
    db = np.concatenate([-dw * (b[:2] > a[:2]), dw * (b[2:] < a[2:])])
    return da + do * np.concatenate([-sa[::-1], sa[::-1]]), db + do * np.concatenate([-sb[::-1], sb[::-1]])
