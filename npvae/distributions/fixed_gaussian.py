"""The Gaussian whose standard deviation is given: the squared error, as a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.diagonal_gaussian import LOG_2PI
from npvae.distributions.distribution import sum_to_shape
from npvae.validation import number

__all__ = ["FixedGaussian"]


@dataclass(frozen=True)
class FixedGaussian:
    """x_j ~ N(a_j, σ²): `a` holds the means. With σ = 1 its −log_prob is ½ Σ (x − a)² + ½ d log 2π.

    Parameters
    ----------
    sigma : float, default 1.0
        Standard deviation of every dimension, in units of x.

    Raises
    ------
    TypeError, ValueError
        If `sigma` is no positive number.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", number("sigma", self.sigma, above=0))

    def n_params(self, d: int) -> int:
        """One mean a dimension: d."""
        return d

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return rng.standard_normal(shape, dtype=dtype)

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, tuple]:
        """x = a + σ eps. The cache is the shape of a."""
        return a + self.sigma * eps, a.shape

    def sample_backward(self, cache: tuple, dx: NDArray) -> NDArray:
        """da = dx, summed over the axes that only eps had."""
        return sum_to_shape(dx.copy(), cache)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log N(x; a, σ²) = −½ Σ_j (log 2πσ² + (x_j − a_j)²/σ²), nats, shape (…). The cache serves both backwards."""
        deviation = (x - a) / self.sigma
        constant = deviation.shape[-1] * (LOG_2PI + 2 * log(self.sigma))
        return -0.5 * (constant + (deviation * deviation).sum(axis=-1)), (deviation, a.shape, x.shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """da_j = (x_j − a_j)/σ² dlog_prob, of the shape of a."""
        deviation, shape, _ = cache
        return sum_to_shape(deviation * (dlog_prob[..., None] / self.sigma), shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = −(x_j − a_j)/σ² dlog_prob, of the shape of x."""
        deviation, _, shape = cache
        return sum_to_shape(deviation * (-dlog_prob[..., None] / self.sigma), shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = d ½ log(2πe σ²), nats, the same for every row; shape (…). The cache is a."""
        entropy = 0.5 * a.shape[-1] * (1 + LOG_2PI + 2 * log(self.sigma))
        return np.full(a.shape[:-1], entropy, dtype=a.dtype), a

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """da = 0: the width is not a function of a."""
        return np.zeros_like(cache)

    def mean(self, a: NDArray) -> NDArray:
        """E[x] = a (a copy)."""
        return a.copy()

    def output_bias(self, mean: NDArray) -> NDArray:
        """The mean itself (a copy)."""
        return np.array(mean)
