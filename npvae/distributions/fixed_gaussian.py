"""The Gaussian whose standard deviation is given: the squared error, as a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import LOG_2PI, sum_to_shape
from npvae.distributions.links import check_link, link_mean, link_mean_backward
from npvae.distributions.location import Location
from npvae.distributions.registry import register_likelihood
from npvae.validation import number

__all__ = ["FixedGaussian"]


@register_likelihood("gaussian", sigma="sigma", mean_link="link")
@dataclass(frozen=True)
class FixedGaussian(Location):
    """x_j ~ N(m_j, σ²): `a` holds the means m, or their logits. With σ = 1, −log_prob is ½ Σ (x − m)² + ½ d log 2π.

    Parameters
    ----------
    sigma : float, default 1.0
        Standard deviation of every dimension, in units of x.
    link : {"identity", "sigmoid"}
        m = a, or m = 1/(1 + e^{−a}) for data in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If `sigma` is no positive number, or `link` is unknown.
    """

    sigma: float = 1.0
    link: str = "identity"

    def __post_init__(self) -> None:
        check_link(self.link)
        object.__setattr__(self, "sigma", number("sigma", self.sigma, above=0))

    @property
    def width(self) -> float:
        """σ: x = m + σ eps."""
        return self.sigma

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return rng.standard_normal(shape, dtype=dtype)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log N(x; m, σ²) = −½ Σ_j (log 2πσ² + (x_j − m_j)²/σ²), nats, shape (…).

        The cache, for both backwards, is ((x − m)/σ, m, shape of x).
        """
        mean = link_mean(self.link, a)
        deviation = (x - mean) / self.sigma
        constant = deviation.shape[-1] * (LOG_2PI + 2 * log(self.sigma))
        return -0.5 * (constant + (deviation * deviation).sum(axis=-1)), (deviation, mean, x.shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dm_j = (x_j − m_j)/σ² dlog_prob, of the shape of a; da = dm, or m (1 − m) dm."""
        deviation, mean, _ = cache
        dmean = sum_to_shape(deviation * (dlog_prob[..., None] / self.sigma), mean.shape)
        return link_mean_backward(self.link, mean, dmean)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = −(x_j − m_j)/σ² dlog_prob, of the shape of x."""
        deviation, _, shape = cache
        return sum_to_shape(deviation * (-dlog_prob[..., None] / self.sigma), shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = d ½ log(2πe σ²), nats, the same for every row; shape (…). The cache is a."""
        entropy = 0.5 * a.shape[-1] * (1 + LOG_2PI + 2 * log(self.sigma))
        return np.full(a.shape[:-1], entropy, dtype=a.dtype), a
