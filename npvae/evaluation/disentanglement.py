"""Which latent knows which generating factor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.validation import ArgumentError, data_matrix, integer

__all__ = ["factor_matrix", "mig"]


def factor_matrix(z: ArrayLike, factors: Mapping[str, ArrayLike], n_bins: int = 20) -> NDArray:
    """I(z_j; v_k)/H(v_k), from 0 (z_j knows nothing of factor k) to 1 (all), between latents and known factors.

    Latents, and factors that are floats, are cut into bins of equal width between their least and their greatest value;
    integer factors are classes. The mutual information of the counts is too large by about
    (bins of z_j − 1)(bins of v_k − 1)/2n nats, so n should be many thousands.

    Parameters
    ----------
    z : (n, d) array
        Posterior means.
    factors : mapping of str to (n,) array
        Such as ``datasets.digits(n).factors``.
    n_bins : int, default 20

    Returns
    -------
    (len(factors), d) array
        A row for each factor, in the order of the mapping.

    Raises
    ------
    TypeError, ValueError
        If a factor is not one number for each row, or the same for all.

    References
    ----------
    Chen et al., Isolating sources of disentanglement in VAEs (2018), section 4.1. Locatello et al., Challenging common
    assumptions in the unsupervised learning of disentangled representations (2019), for the 20 bins.
    """
    z = data_matrix("z", z, dtype=np.float64)
    n_bins = integer("n_bins", n_bins, at_least=2)
    if not factors:
        raise ArgumentError("factors", "not be empty")
    codes = [_bins(column, n_bins) for column in z.T]
    rows = []
    for name, values in factors.items():
        factor = _codes(f"factors[{name!r}]", values, len(z), n_bins)
        entropy = _entropy(factor)
        if entropy == 0:
            raise ArgumentError(f"factors[{name!r}]", "take at least two values", "one for all rows")
        # I(z; v) = H(z) + H(v) − H(z, v)
        rows.append([1 + (_entropy(code) - _entropy(code * (factor.max() + 1) + factor)) / entropy for code in codes])
    return np.maximum(rows, 0)  # rounding leaves 0 an eps below


def mig(matrix: ArrayLike) -> float:
    """Mutual information gap: how far the best latent of a factor is ahead of the second, the mean over the factors.

    (1/K) Σ_k (I(z_(1); v_k) − I(z_(2); v_k))/H(v_k): 1 where each factor is one latent's alone, 0 where two know the
    same.

    Parameters
    ----------
    matrix : (K, d) array
        From `factor_matrix`, of at least two latents.

    References
    ----------
    Chen et al., Isolating sources of disentanglement in VAEs (2018), eq. (6).
    """
    matrix = data_matrix("matrix", matrix, dtype=np.float64)
    if matrix.shape[1] < 2:
        raise ArgumentError("matrix", "have at least 2 columns, one for each latent", f"shape {matrix.shape}")
    second, first = np.sort(matrix, axis=1)[:, -2:].T
    return float((first - second).mean())


def _codes(argument: str, values: ArrayLike, n: int, n_bins: int) -> NDArray:
    values = np.asarray(values)
    if values.shape != (n,):
        raise ArgumentError(argument, f"have shape ({n},), one for each row of z", values.shape)
    if values.dtype.kind == "f":
        return _bins(data_matrix(argument, values[:, None], dtype=np.float64)[:, 0], n_bins)
    return np.unique(values, return_inverse=True)[1]


def _bins(values: NDArray, n_bins: int) -> NDArray:
    low, high = values.min(), values.max()
    if low == high:
        return np.zeros(len(values), dtype=np.int64)
    return np.minimum((values - low) * (n_bins / (high - low)), n_bins - 1).astype(np.int64)


def _entropy(codes: NDArray) -> float:
    """H = −Σ p log p of the counts of small integers, nats."""
    counts = np.bincount(codes)
    p = counts[counts > 0] / len(codes)
    return float(-(p * np.log(p)).sum())
