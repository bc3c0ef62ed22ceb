"""The Laplace distribution whose scale is given: the absolute error, as a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import sum_to_shape
from npvae.distributions.links import check_link, link_mean, link_mean_backward
from npvae.distributions.location import Location
from npvae.distributions.registry import register_likelihood
from npvae.numerics import absolute
from npvae.validation import number

__all__ = ["Laplace"]


@register_likelihood("laplace", sigma="scale", mean_link="link")
@dataclass(frozen=True)
class Laplace(Location):
    """x_j with density e^{−|x_j − m_j|/b}/(2b): `a` holds the means m, or their logits.

    With b = 1, −log_prob is Σ |x − m| + d log 2. An outlier pulls at m with the same force as any other datum, where
    under a Gaussian it pulls with its distance. b is given and not learned: the two weights of a loss with a learned
    one are those of `LearnedGaussian`.

    Parameters
    ----------
    scale : float, default 1.0
        b of every dimension, in units of x; the standard deviation is √2 b.
    link : {"identity", "sigmoid"}
        m = a, or m = 1/(1 + e^{−a}) for data in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If `scale` is no positive number, or `link` is unknown.
    """

    scale: float = 1.0
    link: str = "identity"

    def __post_init__(self) -> None:
        check_link(self.link)
        object.__setattr__(self, "scale", number("scale", self.scale, above=0))

    @property
    def width(self) -> float:
        """b: x = m + b eps."""
        return self.scale

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps with density ½ e^{−|eps|}: the difference of two exponential variables."""
        return rng.standard_exponential(shape, dtype=dtype) - rng.standard_exponential(shape, dtype=dtype)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log p(x; m) = −Σ_j (|x_j − m_j|/b + log 2b), nats, shape (…).

        The cache, for both backwards, is (x − m, m, shape of x).
        """
        mean = link_mean(self.link, a)
        deviation = x - mean
        distance = absolute(deviation).sum(axis=-1) / self.scale
        return -distance - deviation.shape[-1] * log(2 * self.scale), (deviation, mean, x.shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dm_j = sign(x_j − m_j)/b dlog_prob, of the shape of a, and 0 at the kink x = m; da = dm, or m (1 − m) dm."""
        _, mean, _ = cache
        return link_mean_backward(self.link, mean, sum_to_shape(self._pull(cache, dlog_prob), mean.shape))

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = −sign(x_j − m_j)/b dlog_prob, of the shape of x."""
        return sum_to_shape(-self._pull(cache, dlog_prob), cache[2])

    def _pull(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """sign(x_j − m_j)/b dlog_prob of every dimension."""
        return np.sign(cache[0].real) * (dlog_prob[..., None] / self.scale)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = d (1 + log 2b), nats, the same for every row; shape (…). The cache is a."""
        return np.full(a.shape[:-1], a.shape[-1] * (1 + log(2 * self.scale)), dtype=a.dtype), a
