"""How heavy the tail of importance weights is, from the largest of them."""

from __future__ import annotations

from math import log10

import numpy as np
from numpy.typing import NDArray

__all__ = ["LargestWeights", "trusted_index"]

LEAST = 5
"""Weights in the tail of which an index can be told at all."""

PRIOR_WEIGHTS, PRIOR_INDEX = 10, 0.5
"""The index is drawn to ½ as if by ten more weights, which steadies it for short tails."""


def trusted_index(k: int) -> float:
    """The index up to which a mean of k weights can be trusted, min(1 − 1/log₁₀ k, 0.7).

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry, Pareto smoothed importance sampling (2024), section 3.2.
    """
    return min(1 - 1 / log10(k), 0.7) if k > 10 else 0.0


class LargestWeights:
    """The largest of the k weights of every row, min(k/5, 3 √k) of them and one more, as a stream of logarithms."""

    def __init__(self, n: int, k: int) -> None:
        self._size = int(min(k / 5, 3 * k**0.5))
        self._log_w = np.full((n, self._size + 1), -np.inf)

    def add(self, log_w: NDArray) -> None:
        """Take in log-weights (n, s)."""
        kept = self._size + 1
        self._log_w = np.partition(np.concatenate([self._log_w, log_w], axis=1), -kept, axis=1)[:, -kept:]

    def index(self) -> NDArray:
        """k̂, the index of the generalised Pareto distribution of the tail: (n,).

        From ½ on the weights have no variance, from 1 on no mean. NaN if the tail has fewer than five weights, or two
        of its weights in five are zero or alike.

        References
        ----------
        Vehtari et al. (2024), section 2; Zhang & Stephens, A new and efficient estimation method for the generalized
        Pareto distribution (2009).
        """
        if self._size < LEAST:
            return np.full(len(self._log_w), np.nan)
        log_w = np.sort(self._log_w, axis=1)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            w = np.exp(log_w - log_w[:, -1:])
            return _pareto_index(w[:, 1:] - w[:, :1])


def _pareto_index(x: NDArray) -> NDArray:
    """The index of exceedances x (n, M), sorted upwards: the posterior mean of Zhang & Stephens over a grid of b.

    The density is (1 + k x/s)^{−1/k − 1}/s, and with b = −k/s the profile likelihood has k = mean log(1 − b x).
    """
    m = x.shape[1]
    grid = np.arange(1, 31 + int(m**0.5)) - 0.5
    scale = 3 * x[:, m // 4, None]  # a quarter of the exceedances lie below
    b = 1 / x[:, -1:] + (1 - np.sqrt(len(grid) / grid)) / scale
    k = np.log1p(-b[:, :, None] * x[:, None]).mean(axis=2)
    log_likelihood = m * (np.log(-b / k) - k - 1)
    weight = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    mean_b = (b * weight).sum(axis=1) / weight.sum(axis=1)
    index = np.log1p(-mean_b[:, None] * x).mean(axis=1)
    return (m * index + PRIOR_WEIGHTS * PRIOR_INDEX) / (m + PRIOR_WEIGHTS)
