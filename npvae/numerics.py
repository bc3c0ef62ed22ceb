"""Stable elementary functions and aligned memory: the floor everything stands on.

Every function here is analytic where it is smooth and accepts complex input, so that the complex step
(``Im f(x + ih) / h``) passes through it undamaged.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = [
    "absolute",
    "aligned_empty",
    "aligned_zeros",
    "column_moments",
    "inverse_softplus",
    "keep_freed_memory",
    "log_mean_exp",
    "log_product",
    "logit",
    "logsumexp",
    "sigmoid",
    "softplus",
    "with_sign_of",
]

CACHE_LINE = 64
"""Bytes in a cache line, and the widest vector register of a common processor."""


def absolute(a: NDArray) -> NDArray:
    """|a|, continued analytically: for complex a it is a or −a, whichever has the larger real part.

    ``np.abs`` would return the modulus of a complex number, and lose the imaginary part that the complex step reads.
    NumPy orders complex numbers by their real part first, so ``np.maximum(a, -a)`` carries it along.

    Returns
    -------
    array of the same shape
        Derivative: sign(a); at the kink a = 0 there is none.
    """
    return np.maximum(a, -a) if a.dtype.kind == "c" else np.abs(a)


def with_sign_of(a: NDArray, b: NDArray) -> NDArray:
    """b, which is not negative, where a is positive, and −b where it is negative; of complex numbers the real parts."""
    return np.where(np.signbit(a.real), -b, b) if b.dtype.kind == "c" else np.copysign(b, a)


def sigmoid(a: NDArray) -> NDArray:
    """Logistic function σ(a) = 1 / (1 + e^{−a}) = ½ (1 + tanh(a/2)).

    The second form neither overflows nor branches. Its error is absolute (below the dtype's eps), so a
    logarithm of a probability comes from `softplus` of the logit, never from ``log(sigmoid(a))``.

    Parameters
    ----------
    a : array of any shape
        Logits.

    Returns
    -------
    array of the same shape
        Values in [0, 1]. Derivative: σ'(a) = σ(a) (1 − σ(a)).
    """
    s = np.asarray(0.5 * a)
    np.tanh(s, out=s)
    s *= 0.5
    s += 0.5
    return s


def softplus(a: NDArray) -> NDArray:
    """Softplus log(1 + e^a) = max(a, 0) + log1p(e^{−|a|}), for every a to the last digits.

    Parameters
    ----------
    a : array of any shape

    Returns
    -------
    array of the same shape
        Values ≥ 0 (0 only where e^a underflows). Derivative: `sigmoid` (a).
    """
    s = np.asarray(-absolute(a))
    np.exp(s, out=s)
    np.log1p(s, out=s)
    s += np.maximum(a, 0)
    return s


def inverse_softplus(y: NDArray) -> NDArray:
    """Inverse of `softplus`: y + log(1 − e^{−y}) for y > 0."""
    return y + np.log1p(-np.exp(-y))


def logit(p: NDArray) -> NDArray:
    """Inverse of `sigmoid`: log(p / (1 − p)) for p in (0, 1)."""
    return np.log(p) - np.log1p(-p)


def logsumexp(a: NDArray, axis: int = 0) -> NDArray:
    """Logarithm of a sum of exponentials, log Σ_l e^{a_l}, over one axis.

    The maximum of the real parts is taken out first, so the largest summand is e^0 = 1. Infinite entries keep their
    meaning: −inf contributes nothing, and a slice of nothing but −inf gives −inf.

    Parameters
    ----------
    a : array
        Logarithms, for example log-weights of shape (L, n).
    axis : int, default 0
        The axis summed over; it is removed.

    Returns
    -------
    array
        Derivative: ∂/∂a_l = softmax(a)_l along `axis`.
    """
    top = np.max(a.real, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore", over="ignore"):  # log 0 of nothing; e^{a_l} beside an infinite a_l
        return np.log(np.sum(np.exp(a - top), axis=axis)) + np.squeeze(top, axis=axis)


def log_mean_exp(a: NDArray, axis: int = 0) -> NDArray:
    """Logarithm of a mean of exponentials, log (1/L) Σ_l e^{a_l}: `logsumexp` − log L."""
    return logsumexp(a, axis=axis) - log(a.shape[axis])


def log_product(factors: NDArray) -> NDArray:
    """Σ_j log f_j over the last axis, for factors in [1, 2], as the logarithm of a few products.

    Multiplying is many times cheaper than a logarithm. A product has at most 64 factors, so it stays below 2⁶⁴, and
    each factor is in it with the relative error of one multiplication.

    Returns
    -------
    (…) array
        Derivative: ∂/∂f_j = 1/f_j.
    """
    n = factors.shape[-1]
    for _ in range(6):
        if n == 1:
            break
        half = n // 2
        products = factors[..., : n - half].copy()
        products[..., :half] *= factors[..., n - half :]
        factors, n = products, n - half
    return np.log(factors).sum(axis=-1)


def column_moments(x: NDArray, block: int = 1000) -> tuple[NDArray, NDArray]:
    """Mean and variance (1/n) Σ_i (x_ij − mean_j)² of every column of x (n, d), in x's dtype.

    The sums are taken in float64, `block` rows at a time, so there is no second copy of x. A variance that x's dtype
    cannot hold becomes its largest number, and one that is nothing but the rounding of the mean becomes 0. What is NaN
    is left out of both.
    """
    starts = range(0, len(x), block)
    mean = sum(x[i : i + block].sum(axis=0, dtype=np.float64) for i in starts) / len(x)
    var = sum(np.square(x[i : i + block] - mean).sum(axis=0) for i in starts) / len(x)
    for j in np.flatnonzero(np.isnan(mean)):
        known = x[:, j].astype(np.float64)
        known = known[~np.isnan(known)]
        mean[j], var[j] = (known.mean(), known.var()) if len(known) else (0, 1)
    var[var <= np.square(1e-12 * mean)] = 0
    return mean.astype(x.dtype), np.minimum(var, np.finfo(x.dtype).max).astype(x.dtype)


def aligned_empty(n: int, dtype: DTypeLike = np.float32) -> NDArray:
    """Uninitialised vector of `n` elements whose first byte lies on a cache line (64 bytes)."""
    dtype = np.dtype(dtype)
    block = np.empty(n * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    start = -block.ctypes.data % CACHE_LINE
    return block[start : start + n * dtype.itemsize].view(dtype)


def aligned_zeros(n: int, dtype: DTypeLike = np.float32) -> NDArray:
    """Like `aligned_empty`, filled with zeros."""
    vector = aligned_empty(n, dtype)
    vector[:] = 0
    return vector


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays for the next ones, up to 31 MiB apiece.

    A pure function takes fresh memory for its results. The GNU C library hands larger blocks back to the system when
    they are freed, and every page of the next ones costs a page fault: up to a third of a training step. It moves its
    threshold up to the largest block that it has mapped and freed so far, so taking and freeing one such block, which
    nothing touches, is enough. Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)
