"""Things with a time axis."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(12)
X = rng.normal(size=(5, 2, 3))
H0 = rng.normal(size=(2, 4))
PARAMS = {"Wx": rng.normal(size=(3, 4)), "Wh": 0.5 * rng.normal(size=(4, 4)), "b": rng.normal(size=4)}


def rnn(x, h0, Wx, Wh, b):
    hs = [h0]
    for xt in x:
        hs.append(np.tanh(xt @ Wx + hs[-1] @ Wh + b))
    return np.stack(hs[1:]), (x, hs, Wx, Wh)


def rnn_backward(c, dy, truncated=False, assign=False, late=False, h0=True):
    x, hs, wx, wh = c
    dx, g = np.zeros(x.shape), {"Wx": 0 * wx, "Wh": 0 * wh, "b": np.zeros(4)}
    dh = np.zeros_like(hs[0])
    for t in reversed(range(len(x))):
        da = (dy[t] + dh) * (1 - hs[t + 1] ** 2)
        dx[t] = da @ wx.T
        new = {"Wx": x[t].T @ da, "Wh": hs[t + 1 if late else t].T @ da, "b": da.sum(0)}
        g = new if assign else {k: g[k] + new[k] for k in g}
        dh = 0 * dh if truncated else da @ wh.T
    return {"x": dx, "h0": dh if h0 else 0 * dh, **g}


CASES.add(
    "rnn",
    rnn,
    rnn_backward,
    {"x": X, "h0": H0},
    PARAMS,
    wrong={
        "no time": lambda c, dy: rnn_backward(c, dy, truncated=True),
        "= for +=": lambda c, dy: rnn_backward(c, dy, assign=True),
        "h of the wrong step": lambda c, dy: rnn_backward(c, dy, late=True),
        "h0 zero": lambda c, dy: rnn_backward(c, dy, h0=False),
    },
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, W, U, b):
    i, f, o, g = np.split(x @ W + h @ U + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    c2 = f * c + i * g
    return (o * np.tanh(c2), c2), (x, h, c, W, U, i, f, o, g, c2)


def lstm_backward(cache, dh, dc=None, forget_c=False, order=False, half=False):
    x, h, c, w, u, i, f, o, g, c2 = cache
    if dc is None:
        dh, dc = dh
    t = np.tanh(c2)
    dc = (0 if forget_c else dc) + dh * o * (1 - t**2)
    parts = [dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)]
    if order:
        parts[0], parts[1] = parts[1], parts[0]
    d = np.concatenate(parts, axis=1)
    return {"x": d @ w.T, "h": d @ u.T, "c": dc * (i if half else f), "W": x.T @ d, "U": h.T @ d, "b": d.sum(0)}


LSTM = {"W": rng.normal(size=(3, 8)), "U": rng.normal(size=(2, 8)), "b": rng.normal(size=8)}
CASES.add(
    "lstm step",
    lstm_step,
    lstm_backward,
    {"x": X[0], "h": H0[:, :2], "c": H0[:, 2:]},
    LSTM,
    wrong={
        "upstream of c lost": lambda c, dh, dc: lstm_backward(c, dh, dc, forget_c=True),
        "gates swapped": lambda c, dh, dc: lstm_backward(c, dh, dc, order=True),
        "i for f": lambda c, dh, dc: lstm_backward(c, dh, dc, half=True),
    },
)


def gru_step(x, h, W, U):
    r, z = sigmoid(x @ W[0] + h @ U[0]), sigmoid(x @ W[1] + h @ U[1])
    n = np.tanh(x @ W[2] + (r * h) @ U[2])
    return z * h + (1 - z) * n, (x, h, W, U, r, z, n)


def gru_backward(c, dy, through_r=True, z_sign=1):
    x, h, w, u, r, z, n = c
    dn = dy * (1 - z) * (1 - n**2)
    dz = z_sign * dy * (h - n) * z * (1 - z)
    drh = dn @ u[2].T
    dr = drh * h * r * (1 - r) if through_r else 0 * r
    dw = np.stack([x.T @ dr, x.T @ dz, x.T @ dn])
    du = np.stack([h.T @ dr, h.T @ dz, (r * h).T @ dn])
    return {
        "x": dr @ w[0].T + dz @ w[1].T + dn @ w[2].T,
        "h": dy * z + dr @ u[0].T + dz @ u[1].T + drh * r,
        "W": dw,
        "U": du,
    }


CASES.add(
    "gru step",
    gru_step,
    gru_backward,
    {"x": X[0], "h": H0},
    {"W": rng.normal(size=(3, 3, 4)), "U": rng.normal(size=(3, 4, 4))},
    wrong={
        "reset gate lost": lambda c, dy: gru_backward(c, dy, False),
        "z's sign": lambda c, dy: gru_backward(c, dy, True, -1),
    },
)


def decay_filter(x, a):
    y = []
    for xt in x:
        y.append(xt if not y else a * y[-1] + (1 - a) * xt)
    return np.stack(y), (x, a, np.stack(y))


def decay_filter_backward(c, dy, own=True):
    x, a, y = c
    dx, da, g = np.zeros(len(x)), 0.0, 0.0
    for t in reversed(range(len(x))):
        g = dy[t] + a * g if t < len(x) - 1 else dy[t]
        if t:
            dx[t] = (1 - a) * g
            da += g * (y[t - 1] - (x[t] if own else 0))
        else:
            dx[t] = g
    return {"x": dx, "a": da}


CASES.add(
    "exponential smoothing",
    decay_filter,
    decay_filter_backward,
    {"x": X[:, 0, 0]},
    {"a": np.array(0.8)},
    wrong={"a's own term": lambda c, dy: decay_filter_backward(c, dy, False)},
)
CASES.add(
    "logistic map",
    lambda r: ((lambda x: x)(r * (r * 0.3 * 0.7) * (1 - r * 0.3 * 0.7)), r),
    lambda r, dy: dy * (0.21 * 2 * r - 0.21**2 * 3 * r**2),
    np.array([3.2, 3.9]),
    wrong={"inner": lambda r, dy: dy * (0.21 * r - 0.21**2 * r**2)},
)


def chaotic(r, steps):
    x, dx = 0.3, 0.0
    for _ in range(steps):
        x, dx = r * x * (1 - x), x * (1 - x) + r * (1 - 2 * x) * dx
    return x, dx


CASES.add(
    "logistic map, twelve steps",
    lambda r: chaotic(r, 12),
    lambda dx, dy: dy * dx,
    np.array([3.2, 3.9]),
    wrong={"1.01": lambda dx, dy: 1.01 * dy * dx},
)
A = rng.normal(size=(3, 3)) / 3
CASES.add(
    "linear system",
    lambda x: ((lambda a: a @ a @ a @ a @ x)(np.eye(3) + 0.1 * A), None),
    lambda c, dy: np.linalg.matrix_power((np.eye(3) + 0.1 * A).T, 4) @ dy,
    X[0, 0],
    wrong={"3 steps": lambda c, dy: np.linalg.matrix_power((np.eye(3) + 0.1 * A).T, 3) @ dy},
)


def rk4(y, k):
    def f(y):
        return -k * y + np.sin(y)

    h = 0.1
    for _ in range(5):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def tangent(y, k, dirs):
    return rk4(y + 1e-30j * dirs[0], k + 1e-30j * dirs[1]).imag / 1e-30


CASES.add(
    "Runge-Kutta",
    lambda y, k: (rk4(y, k), (y, k)),
    lambda c, dy: {"y": dy * tangent(*c, (1, 0)), "k": np.sum(dy * tangent(*c, (0, 1)))},
    {"y": X[0, 0]},
    {"k": np.array(0.7)},
    wrong={"k": lambda c, dy: {"y": dy * tangent(*c, (1, 0)), "k": np.sum(dy * tangent(*c, (0, 2)))}},
)


def viterbi_soft(s, T):
    a = s[0]
    for st in s[1:]:
        m = a[:, None] + T
        a = st + np.log(np.exp(m).sum(0))
    return np.log(np.exp(a).sum()), (s, T)


def crf_backward(c, dy, pair=True):
    s, tr = c
    n = len(s)
    al, be = [s[0]], [np.zeros(3)]
    for st in s[1:]:
        al.append(st + np.log(np.exp(al[-1][:, None] + tr).sum(0)))
    for t in range(n - 1, 0, -1):
        be.insert(0, np.log(np.exp(tr + (s[t] + be[0])[None]).sum(1)))
    z = np.log(np.exp(al[-1]).sum())
    ds = np.exp(np.stack(al) + np.stack(be) - z)
    dt = sum(np.exp(al[t][:, None] + tr + (s[t + 1] + be[t + 1])[None] - z) for t in range(n - 1))
    return {"s": dy * ds, "T": dy * (dt if pair else dt / (n - 1))}


CASES.add(
    "CRF log partition",
    viterbi_soft,
    crf_backward,
    {"s": X[:, 0, :]},
    {"T": rng.normal(size=(3, 3))},
    wrong={"mean over steps": lambda c, dy: crf_backward(c, dy, False)},
)
