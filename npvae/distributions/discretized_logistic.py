"""The logistic distribution on grey levels: a likelihood for 8-bit images that sums to one over what they can be."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.distribution import finite, sum_to_shape
from npvae.distributions.grey_levels import (
    GreyLevels,
    check_floor,
    mean_level,
    raw_scale,
    round_to_level,
    soft,
    unrounded_mean,
    unrounded_mean_backward,
)
from npvae.distributions.links import check_link, inverse_link, link_mean, link_mean_backward
from npvae.distributions.registry import register_likelihood
from npvae.numerics import logit, sigmoid
from npvae.validation import integer

__all__ = ["DiscretizedLogistic", "log_mass", "log_mass_backward"]

SMALLEST = 1e-30
"""1/s stays above it, so that nothing is divided by zero."""


@register_likelihood("discretized-logistic", unit_interval=True, mean_link="link")
@dataclass(frozen=True)
class DiscretizedLogistic(GreyLevels):
    """x_j in {0, 1/(K − 1), …, 1}: a logistic variable with mean m and scale s, rounded to the nearest level.

        P(x_j) = F(x_j + h) − F(x_j − h),   F(t) = σ((t − m_j)/s_j),   h = 1/(2 (K − 1)),

    where the lowest level has F(x − h) = 0 and the highest F(x + h) = 1: whatever lies outside counts as the end. With
    K = 256 these are 8-bit images divided by 255, and `log_prob` is the logarithm of a probability. In bits per
    dimension it is −log_prob/(d log 2), between 0 and 8 for a model that knows anything.

    a = [m | r], each d wide, with log s = min_log_scale + softplus(r − min_log_scale).

    Parameters
    ----------
    link : {"identity", "sigmoid"}
        The mean as a function of what a network puts out.
    levels : int, default 256
        K.
    min_log_scale : float, default −10.0
        The floor of log s, at least −30. A probability is bounded without it, but its gradient grows as 1/s.

    Raises
    ------
    TypeError, ValueError
        If `link` is unknown, there are fewer than two levels, or the floor is not in [−30, 0).

    References
    ----------
    Salimans, Karpathy, Chen & Kingma, PixelCNN++ (2017), section 2.1, with one component.
    """

    link: str = "identity"
    levels: int = 256
    min_log_scale: float = -10.0

    def __post_init__(self) -> None:
        check_link(self.link)
        integer("levels", self.levels, at_least=2)
        check_floor(self.min_log_scale)

    def n_params(self, d: int) -> int:
        """A mean and a scale a dimension: 2 d."""
        return 2 * d

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, None]:
        """m + s logit(eps), rounded to a level. A step has no derivative, so there is no backward."""
        mean, log_scale, _ = self._parts(a)
        with np.errstate(over="ignore"):
            return round_to_level(mean + finite(np.exp(log_scale)) * logit(eps), self.levels), None

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dm and dlog s as in `log_mass_backward`, on through the link and to dr = σ(r − min_log_scale) dlog s."""
        return self._terms_backward(cache, dlog_prob[..., None])

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx, of the formula between the levels, of the shape of x."""
        return sum_to_shape(log_mass_backward(cache[0], dlog_prob[..., None])[2], cache[3])

    def mean(self, a: NDArray) -> NDArray:
        """E[x_j] = 1/(K − 1) Σ_{i ≥ 1} P(x_j ≥ i/(K − 1)), of the levels, not of the logistic variable behind them."""
        mean, log_scale, _ = self._parts(a)
        return mean_level(mean, log_scale, self.levels)

    def _unrounded_mean(self, a: NDArray) -> NDArray:
        mean, log_scale, _ = self._parts(a)
        return unrounded_mean(mean, log_scale)

    def _unrounded_mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """dm and dlog s as in `unrounded_mean_backward`, on through the link, and dr = σ(r − min_log_scale) dlog s."""
        mean, log_scale, excess = self._parts(a)
        dm, dlog_scale = unrounded_mean_backward(mean, log_scale, dmean)
        return np.concatenate([link_mean_backward(self.link, mean, dm), dlog_scale * sigmoid(excess)], axis=-1)

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """m is the mean, and s has the variance s²π²/3; without variance it is half the distance of two levels."""
        return np.concatenate([inverse_link(self.link, mean), raw_scale(var, self.levels, self.min_log_scale)])

    def components(self, a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Log-weights, means and log-scales of a mixture of one, each (1, …, d)."""
        mean, log_scale, _ = self._parts(a)
        return np.zeros_like(mean)[None], mean[None], log_scale[None]

    def _parts(self, a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """The mean, log s, and r − min_log_scale."""
        d = a.shape[-1] // 2
        excess = a[..., d:] - self.min_log_scale
        return link_mean(self.link, a[..., :d]), self.min_log_scale + soft(excess), excess

    def _terms(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log P(x_j), see `log_mass`; the cache is that of `log_mass`, m, r − min_log_scale and the shape of x."""
        mean, log_scale, excess = self._parts(a)
        terms, cache = log_mass(mean, log_scale, x, self.levels)
        return terms, (cache, mean, excess, x.shape)

    def _terms_backward(self, cache: tuple, dterms: NDArray) -> NDArray:
        inner, mean, excess, _ = cache
        dmean, dlog_scale, _ = log_mass_backward(inner, dterms)
        dm = link_mean_backward(self.link, mean, sum_to_shape(dmean, mean.shape))
        return np.concatenate([dm, sum_to_shape(dlog_scale, excess.shape) * sigmoid(excess)], axis=-1)


def log_mass(mean: NDArray, log_scale: NDArray, x: NDArray, levels: int) -> tuple[NDArray, tuple]:
    """log P(x) of every element. With u = (x − m)/s, w = h/s, b = u + w and c = u − w,

        σ(b) − σ(c) = σ(b) σ(−c) (1 − e^{−2w}),

    so that nothing is subtracted: log P = −softplus(−b) − softplus(c) + log(1 − e^{−2w}). The highest level lacks the
    first and the last term, the lowest the second and the last. With t = tanh w the last is log 2h − log s + log φ with
    φ = (1 − e^{−2w})/(2w) = t/((1 + t) w), which is 1 for wide scales.

    Parameters
    ----------
    mean, log_scale, x : arrays
        Their shapes broadcast.
    levels : int

    Returns
    -------
    log_mass : array
        Nats.
    cache
        For `log_mass_backward`.
    """
    half = 0.5 / (levels - 1)
    inverse = np.maximum(np.exp(-log_scale), SMALLEST)
    u, w = (x - mean) * inverse, half * inverse
    below_top, above_bottom = x.real < 1 - half, x.real > half
    inside = below_top & above_bottom
    t = np.tanh(w)
    value = np.where(inside, log(2 * half) - log_scale + np.log(t / ((1 + t) * w)), 0)
    value = value - np.where(below_top, soft(-u - w), 0) - np.where(above_bottom, soft(u - w), 0)
    return value, (u, w, inverse, t, below_top, above_bottom, inside)


def log_mass_backward(cache: tuple, dlog_mass: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """(dmean, dlog_scale, dx), not yet summed over what was broadcast. With B = σ(−b) and C = σ(c), or 0 at the ends,

    dx = (B − C)/s, dmean = −dx and dlog s = −u (B − C) − w (B + C) − w (1 − t)/t, times dlog_mass.
    """
    u, w, inverse, t, below_top, above_bottom, inside = cache
    b, c = np.where(below_top, sigmoid(-u - w), 0), np.where(above_bottom, sigmoid(u - w), 0)
    dx = (b - c) * inverse * dlog_mass
    dlog_scale = -(u * (b - c) + w * (b + c) + np.where(inside, w * (1 - t) / t, 0)) * dlog_mass
    return -dx, dlog_scale, dx
