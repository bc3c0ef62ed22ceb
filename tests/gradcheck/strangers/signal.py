"""Filters, transforms, images."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(17)
X = rng.normal(size=8)
K = np.array([0.5, -1.0, 2.0])
I = rng.normal(size=(5, 6))  # noqa: E741

CASES.add(
    "convolve, valid",
    lambda x, k: (np.convolve(x, k, "valid"), (x, k)),
    lambda c, dy: (np.convolve(dy, c[1][::-1], "full"), np.convolve(c[0], dy[::-1], "valid")[::-1]),
    {"x": X, "k": K},
    wrong={"not flipped": lambda c, dy: (np.convolve(dy, c[1], "full"), np.convolve(c[0], dy[::-1], "valid")[::-1])},
)
CASES.add(
    "correlate",
    lambda x: (np.correlate(x, K, "same"), None),
    lambda c, dy: np.convolve(dy, K, "same"),
    X,
    wrong={"again": lambda c, dy: np.correlate(dy, K, "same")},
)
CASES.add(
    "dft, real part",
    lambda x: (np.fft.fft(x).real, None),
    lambda c, dy: np.fft.fft(dy).real,
    X,
    wrong={"inverse": lambda c, dy: np.fft.ifft(dy).real},
)
CASES.add(
    "power spectrum",
    lambda x: (np.abs(np.fft.fft(x)) ** 2, x),
    lambda x, dy: 2 * len(x) * np.fft.ifft(dy * np.fft.fft(x)).real,
    X,
    wrong={"n": lambda x, dy: 2 * np.fft.ifft(dy * np.fft.fft(x)).real},
)
CASES.add(
    "magnitude spectrum",
    lambda x: (np.abs(np.fft.fft(x)), x),
    lambda x, dy: len(x) * np.fft.ifft(dy * np.fft.fft(x) / np.abs(np.fft.fft(x))).real,
    X,
    wrong={"undivided": lambda x, dy: len(x) * np.fft.ifft(dy * np.fft.fft(x)).real},
)
CASES.add(
    "low pass by irfft",
    lambda x: (np.fft.irfft(np.fft.rfft(x) * np.array([1, 1, 0.5, 0, 0]), 8), None),
    lambda c, dy: np.fft.irfft(np.fft.rfft(dy) * np.array([1, 1, 0.5, 0, 0]), 8),
    X,
    wrong={"1": lambda c, dy: np.fft.irfft(np.fft.rfft(dy) * np.array([1, 1, 1, 0, 0]), 8)},
)
CASES.add(
    "image gradient energy",
    lambda x: ((np.diff(x, axis=0) ** 2).sum() + (np.diff(x, axis=1) ** 2).sum(), x),
    lambda x, dy: (
        2
        * dy
        * (
            (np.pad(np.diff(x, axis=0), ((1, 0), (0, 0))) - np.pad(np.diff(x, axis=0), ((0, 1), (0, 0))))
            + (np.pad(np.diff(x, axis=1), ((0, 0), (1, 0))) - np.pad(np.diff(x, axis=1), ((0, 0), (0, 1))))
        )
    ),
    I,
    wrong={
        "one axis": lambda x, dy: (
            2 * dy * (np.pad(np.diff(x, axis=0), ((1, 0), (0, 0))) - np.pad(np.diff(x, axis=0), ((0, 1), (0, 0))))
        )
    },
)


def tv(x):
    a, b = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    r = np.sqrt(a**2 + b**2 + 1e-8)
    return r.sum(), (a, b, r)


def tv_backward(c, dy, diagonal=True):
    a, b, r = c
    dx = np.zeros((a.shape[0] + 1, a.shape[1] + 1))
    dx[1:, :-1] += dy * a / r
    dx[:-1, 1:] += dy * b / r
    dx[:-1, :-1] -= dy * (a + (b if diagonal else 0)) / r
    return dx


CASES.add("isotropic total variation", tv, tv_backward, I, wrong={"corner": lambda c, dy: tv_backward(c, dy, False)})
FLAT = I.copy()
FLAT[1:4, 1:4] = 0.5
CASES.add(
    "isotropic total variation, a flat patch",
    tv,
    tv_backward,
    FLAT,
    wrong={"corner": lambda c, dy: tv_backward(c, dy, False)},
)


def bilinear_sample(img, p):
    i, j = np.floor(p.real).astype(int).T
    u, v = (p - np.stack([i, j], 1)).T
    y = (
        img[i, j] * (1 - u) * (1 - v)
        + img[i + 1, j] * u * (1 - v)
        + img[i, j + 1] * (1 - u) * v
        + img[i + 1, j + 1] * u * v
    )
    return y, (img, i, j, u, v)


def bilinear_sample_backward(c, dy, swap=False):
    img, i, j, u, v = c
    dimg = np.zeros(img.shape)
    for a, b, w in ((0, 0, (1 - u) * (1 - v)), (1, 0, u * (1 - v)), (0, 1, (1 - u) * v), (1, 1, u * v)):
        np.add.at(dimg, (i + a, j + b), dy * w)
    du = (img[i + 1, j] - img[i, j]) * (1 - v) + (img[i + 1, j + 1] - img[i, j + 1]) * v
    dv = (img[i, j + 1] - img[i, j]) * (1 - u) + (img[i + 1, j + 1] - img[i + 1, j]) * u
    return {"img": dimg, "p": dy[:, None] * np.stack([dv, du] if swap else [du, dv], 1)}


CASES.add(
    "bilinear sampling",
    bilinear_sample,
    bilinear_sample_backward,
    {"img": I, "p": np.array([[0.3, 1.7], [2.2, 3.1], [0.6, 1.2]])},
    wrong={"coordinates swapped": lambda c, dy: bilinear_sample_backward(c, dy, True)},
)
CASES.add(
    "bilinear sampling at a pixel",
    bilinear_sample,
    bilinear_sample_backward,
    {"img": I, "p": np.array([[1.0, 1.7], [2.0, 3.0]])},
    wrong={"coordinates swapped": lambda c, dy: bilinear_sample_backward(c, dy, True)},
)
CASES.add(
    "upsampling",
    lambda x: (x.repeat(2, 0).repeat(2, 1), None),
    lambda c, dy: dy.reshape(5, 2, 6, 2).sum((1, 3)),
    I,
    wrong={"mean": lambda c, dy: dy.reshape(5, 2, 6, 2).mean((1, 3))},
)
CASES.add(
    "im2col by strides",
    lambda x: (np.lib.stride_tricks.sliding_window_view(x, 3) @ K, None),
    lambda c, dy: np.convolve(dy, K, "full"),
    X,
    wrong={"flipped": lambda c, dy: np.convolve(dy, K[::-1], "full")},
)
CASES.add(
    "autocorrelation",
    lambda x: (np.array([x[: 8 - k] @ x[k:] for k in range(3)]), x),
    lambda x, dy: sum(dy[k] * (np.pad(x[k:], (0, k)) + np.pad(x[: 8 - k], (k, 0))) for k in range(3)),
    X,
    wrong={"one side": lambda x, dy: sum(dy[k] * 2 * np.pad(x[k:], (0, k)) for k in range(3))},
)
CASES.add(
    "gaussian blur of width s",
    lambda s: (np.exp(-0.5 * (np.arange(-3, 4) / s) ** 2) / np.exp(-0.5 * (np.arange(-3, 4) / s) ** 2).sum(), s),
    lambda s, dy: (lambda g, q: (dy * (g / g.sum() * q - g / g.sum() * (g / g.sum() * q).sum())).sum())(
        np.exp(-0.5 * (np.arange(-3, 4) / s) ** 2), np.arange(-3, 4) ** 2 / s**3
    ),
    np.array(1.3),
    wrong={
        "not normalised": lambda s, dy: (lambda g, q: (dy * (g / g.sum() * q)).sum())(
            np.exp(-0.5 * (np.arange(-3, 4) / s) ** 2), np.arange(-3, 4) ** 2 / s**3
        )
    },
)
