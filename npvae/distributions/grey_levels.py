"""What likelihoods of grey levels share: the levels, sums over all of them, noise, rounding, and refusals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from math import log, pi, sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import Distribution, finite
from npvae.numerics import absolute, inverse_softplus, sigmoid, softplus
from npvae.validation import ArgumentError, number

__all__ = [
    "GreyLevels",
    "Unrounded",
    "check_floor",
    "mean_level",
    "raw_scale",
    "round_to_level",
    "soft",
    "unrounded_mean",
    "unrounded_mean_backward",
]


LOWEST_FLOOR = -30.0
"""Lowest floor of log s. Gradients grow as 1/s = e³⁰ = 10¹³: float32 holds their squares, and 10¹² times their sum."""


def check_floor(min_log_scale: float) -> None:
    """An ArgumentError unless the floor of log s lies in [−30, 0)."""
    number("min_log_scale", min_log_scale, at_least=LOWEST_FLOOR, below=0)


class Unrounded(NamedTuple):
    """The mean before it is rounded to levels, and its gradient: a `DifferentiableMean`."""

    mean: Callable[[NDArray], NDArray]
    mean_grad: Callable[[NDArray, NDArray], NDArray]


class GreyLevels(Distribution):
    """A distribution of x_j in {0, 1/(K − 1), …, 1}, each dimension by itself.

    A subclass has the option `levels`, K, and says log P(x_j) of every dimension and its backward in `_terms` and
    `_terms_backward`; densities and entropies are sums of these.
    """

    discrete: ClassVar[bool] = True
    levels: int

    @abstractmethod
    def _terms(self, a: NDArray, x: NDArray) -> tuple[NDArray, Any]:
        """log P(x_j) of every dimension, (…, d), and the cache; x may be one level for all."""

    @abstractmethod
    def _terms_backward(self, cache: Any, dterms: NDArray) -> NDArray:
        """da, of the shape of a, from ∂loss/∂log P(x_j), (…, d) or of a shape that broadcasts to it."""

    @property
    def unrounded(self) -> Unrounded:
        """The mean of the variable behind the levels, cut off at 0 and 1 but not rounded.

        It is within half a level of `mean`, whose 255 steps are slow, and where the scale is small have no gradient.
        """
        return Unrounded(self._unrounded_mean, self._unrounded_mean_grad)

    @abstractmethod
    def _unrounded_mean(self, a: NDArray) -> NDArray:
        """E[min(max(X_j, 0), 1)] of every dimension, see `unrounded_mean`."""

    @abstractmethod
    def _unrounded_mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂mean."""

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in (0, 1), whose logits are finite."""
        return np.maximum(rng.random(shape, dtype=dtype), np.finfo(dtype).tiny)

    def require_support(self, argument: str, x: NDArray) -> None:
        """An ArgumentError unless all x are grey levels, to a thousandth of their distance."""
        top = self.levels - 1
        off = ~(np.abs(x * top - np.rint(x * top)) <= 1e-3) | (x < 0) | (x > 1)  # NaN is off as well
        if off.any():
            rule = f"hold the {self.levels} grey levels 0, 1/{top}, …, 1"
            got = f"{x[off][0]:.9g}"
            if x.ndim == 2:
                got += " at row {}, column {}".format(*np.argwhere(off)[0])
            larger = bool((x > 1).any())
            advice = f"divide {self.levels}-level images by {top}" if larger else "round them, or take a gaussian"
            raise ArgumentError(argument, rule, got, advice)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, Any]:
        """log P(x; a) = Σ_j log P(x_j).

        Parameters
        ----------
        a : (…, n_params(d)) array
        x : (…, d) array
            Levels.

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions; never positive.
        cache
            For the two backwards, that of `_terms`.
        """
        terms, cache = self._terms(a, x)
        return terms.sum(axis=-1), cache

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = −Σ_j Σ_i P_j(i) log P_j(i) over all levels i, nats, shape (…). The cache is a."""
        total = 0.0
        for level in self._all_levels(a.dtype):
            log_p, _ = self._terms(a, level)
            total = total - np.exp(log_p) * log_p
        return total.sum(axis=-1), a

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """dlog P(i) = −P(i) (1 + log P(i)) dentropy for every level, each on to da."""
        da = np.zeros_like(cache)
        for level in self._all_levels(cache.dtype):
            log_p, inner = self._terms(cache, level)
            da += self._terms_backward(inner, -np.exp(log_p) * (1 + log_p) * dentropy[..., None])
        return da

    def _all_levels(self, dtype: DTypeLike) -> NDArray:
        """0, 1/(K − 1), …, 1."""
        return (np.arange(self.levels) / (self.levels - 1)).astype(dtype)


def soft(a: NDArray) -> NDArray:
    """softplus(a) to an eps of 1, not to the last digits, in a third of the time: log is vectorised, log1p is not."""
    return np.log(1 + np.exp(-absolute(a))) + np.maximum(a, 0)


def round_to_level(x: NDArray, levels: int) -> NDArray:
    """The nearest level, and an end for whatever lies outside [0, 1]."""
    return np.rint(np.minimum(np.maximum(x, 0), 1) * (levels - 1)) / (levels - 1)


def mean_level(mean: NDArray, log_scale: NDArray, levels: int) -> NDArray:
    """Mean of the rounded logistic variable: Σ_i σ((m − t_i)/s)/(K − 1) over the thresholds t_i between the levels."""
    inverse, total = np.exp(-log_scale), np.zeros(mean.shape, mean.dtype)
    for i in range(1, levels):
        total += sigmoid((mean - (i - 0.5) / (levels - 1)) * inverse)
    return total / (levels - 1)


def unrounded_mean(mean: NDArray, log_scale: NDArray) -> NDArray:
    """E[min(max(X, 0), 1)] = ∫₀¹ P(X > t) dt = s (softplus(m/s) − softplus((m − 1)/s)) of a logistic variable X."""
    s = finite(np.exp(log_scale))
    return s * (softplus(mean / s) - softplus((mean - 1) / s))


def unrounded_mean_backward(mean: NDArray, log_scale: NDArray, dvalue: NDArray) -> tuple[NDArray, NDArray]:
    """With u = m/s and v = (m − 1)/s: dm = (σ(u) − σ(v)) dvalue, dlog s = (value − m σ(u) + (m − 1) σ(v)) dvalue.

    σ(u) − σ(v) = σ(u) σ(−v) (1 − e^{−1/s}) subtracts nothing. dlog s is computed at m or 1 − m, whichever is at most ½
    and has small terms, since there it has the same size and the other sign.
    """
    s = finite(np.exp(log_scale))
    dmean = -np.expm1(-1 / s) * sigmoid(mean / s) * sigmoid((1 - mean) / s)
    lower = mean.real <= 0.5
    m = np.where(lower, mean, 1 - mean)
    dlog_scale = (unrounded_mean(m, log_scale) - m * sigmoid(m / s) + (m - 1) * sigmoid((m - 1) / s)) * dvalue
    return dmean * dvalue, np.where(lower, dlog_scale, -dlog_scale)


def raw_scale(var: NDArray, levels: int, min_log_scale: float) -> NDArray:
    """The r whose logistic variable has the given variances, at least that of s = h."""
    scale = np.maximum(np.sqrt(var) * (sqrt(3) / pi), 0.5 / (levels - 1))
    above = np.maximum(np.log(scale) - min_log_scale, log(2))
    return min_log_scale + inverse_softplus(above)
