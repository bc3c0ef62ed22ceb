"""The likelihoods of columns of one kind, side by side: real numbers, counts, truth values, categories.

Every block has numbers `a` of its columns and their data `x`, and leaves out what is not `seen`. `terms` returns log p
in nats summed over its columns, with a cache; `da` and `dx` are its two backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import erfc, log, sqrt

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.distribution import LOG_2PI, off_the_ends
from npvae.distributions.log_gamma import log_factorial, log_factorial_slope
from npvae.numerics import inverse_softplus, logit, sigmoid, softplus

__all__ = ["Categories", "Counts", "Reals", "TruthValues"]

LOG_2 = log(2)

FLOOR = -10.0
"""Smallest log σ² of a real column on its own scale: without a floor the likelihood is unbounded."""

LOW = -15
"""Number of a count from which down the logarithm of its rate is a series."""

LARGE_RATE = 500
"""The rate from which on a Poisson draw is a rounded normal one."""


@dataclass(frozen=True)
class Reals:
    """x_j ~ N(m_j, σ_j²) with a = [m | r], log σ² = floor + softplus(r − floor); r is the same for all data.

    A positive column is one of these by its logarithm, which makes it log-normal.
    """

    n: int

    def _parts(self, a: NDArray, x: NDArray, seen: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        excess = a[..., self.n :] - FLOOR
        log_var = FLOOR + softplus(excess)
        return (x - a[..., : self.n]) * seen, log_var, excess

    def terms(self, a: NDArray, x: NDArray, seen: NDArray) -> tuple[NDArray, tuple]:
        """−½ Σ_j (log 2π + log σ_j² + (x_j − m_j)²/σ_j²) over what is seen. The cache is (δ, 1/σ², r − floor, seen)."""
        delta, log_var, excess = self._parts(a, x, seen)
        precision = np.exp(-log_var)
        terms = -0.5 * ((LOG_2PI + log_var) * seen + delta * delta * precision).sum(axis=-1)
        return terms, (delta, precision, excess, seen)

    def da(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dm = δ/σ² and dr = ½ (δ²/σ² − 1) σ(r − floor), each times dlog_prob; 0 where nothing is seen."""
        delta, precision, excess, seen = cache
        dm = delta * precision
        dr = 0.5 * (delta * dm - seen) * sigmoid(excess)
        return np.concatenate([dm, dr], axis=-1) * dlog_prob[..., None]

    def dx(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """−δ/σ² dlog_prob."""
        delta, precision, _, _ = cache
        return -delta * precision * dlog_prob[..., None]

    def draw(self, a: NDArray, eps: NDArray) -> NDArray:
        """x = m + σ eps, eps normal."""
        log_var = FLOOR + softplus(a[..., self.n :] - FLOOR)
        return a[..., : self.n] + np.exp(0.5 * log_var) * eps

    def mean(self, a: NDArray) -> NDArray:
        """m."""
        return a[..., : self.n].copy()

    def start(self, mean: NDArray, var: NDArray) -> NDArray:
        """m at the mean; r at the variance, off the floor by a factor of 2 at least."""
        with np.errstate(divide="ignore"):
            above = np.maximum(np.log(var) - FLOOR, LOG_2)
        return np.concatenate([mean, FLOOR + inverse_softplus(above)])


@dataclass(frozen=True)
class Counts:
    """n_j ~ Poisson(λ_j), λ = rate softplus(a)/log 2, so that a = 0 is the rate; x = (log(1 + n) − shift)/unit.

    Above the rate λ grows like a, not like e^a, so that no network makes it overflow.

    Parameters
    ----------
    shift, unit, rate : tuples of float
        One of each for every column.
    """

    shift: tuple[float, ...] = ()
    unit: tuple[float, ...] = ()
    rate: tuple[float, ...] = ()

    @property
    def n(self) -> int:
        """How many columns."""
        return len(self.rate)

    def _counts(self, x: NDArray) -> NDArray:
        return np.expm1(x * np.asarray(self.unit, x.real.dtype) + np.asarray(self.shift, x.real.dtype))

    def _rates(self, a: NDArray) -> NDArray:
        return softplus(a) * (np.asarray(self.rate, a.real.dtype) / np.asarray(LOG_2, a.real.dtype))

    def terms(self, a: NDArray, x: NDArray, seen: NDArray) -> tuple[NDArray, tuple]:
        """Σ_j (n_j log λ_j − λ_j − log n_j!) over what is seen. The cache is (a, λ, log λ, n, seen, x).

        Below a = −15 log softplus(a) is taken as a − e^a/2, right to 2e-14, so that −∞ is never reached.
        """
        n, lam = self._counts(x), self._rates(a)
        low, high = _split(a)
        log_soft = np.where(a.real < LOW, low - 0.5 * np.exp(low), np.log(softplus(high)))
        log_lam = log_soft + np.asarray(np.log(np.asarray(self.rate) / LOG_2), a.real.dtype)
        return ((n * log_lam - lam - log_factorial(n)) * seen).sum(axis=-1), (a, lam, log_lam, n, seen, x)

    def da(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """(n − λ) σ(a)/softplus(a) dlog_prob, with σ(a) = e^{−softplus(−a)}, which keeps its digits far below 0."""
        a, lam, _, n, seen, _ = cache
        low, high = _split(a)
        ratio = np.where(a.real < LOW, 1 - 0.5 * np.exp(low), np.exp(-softplus(-high)) / softplus(high))
        return (n - lam) * ratio * seen * dlog_prob[..., None]

    def dx(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """(log λ − ψ(n + 1)) dn/dx dlog_prob with dn/dx = (n + 1) unit."""
        _, _, log_lam, n, seen, x = cache
        slope = (n + 1) * np.asarray(self.unit, x.real.dtype)
        return (log_lam - log_factorial_slope(n)) * slope * seen * dlog_prob[..., None]

    def draw(self, a: NDArray, eps: NDArray) -> NDArray:
        """The smallest n whose cumulative probability reaches that of eps; for large rates a rounded normal."""
        lam = np.broadcast_to(self._rates(a), np.broadcast_shapes(a.shape, eps.shape)).astype(np.float64)
        u = 1 - 0.5 * np.vectorize(erfc, otypes=[float])(eps / sqrt(2))
        n, rate = np.zeros(lam.shape), np.minimum(lam, LARGE_RATE)
        p = np.exp(-rate)
        total, k = p.copy(), 0
        while (open_ := total < u).any() and k < LARGE_RATE + 12 * sqrt(LARGE_RATE):
            k += 1
            p = p * rate / k
            total += p
            n[open_] = k
        return self._encoded(np.where(lam > LARGE_RATE, np.rint(np.maximum(lam + np.sqrt(lam) * eps, 0)), n), eps)

    def mean(self, a: NDArray) -> NDArray:
        """λ, on the scale of x."""
        return self._encoded(self._rates(a), a)

    def _encoded(self, n: NDArray, like: NDArray) -> NDArray:
        return ((np.log1p(n) - np.asarray(self.shift)) / np.asarray(self.unit)).astype(like.dtype)

    def start(self, mean: NDArray, var: NDArray) -> NDArray:
        """0, which is the rate."""
        return np.zeros(self.n)


@dataclass(frozen=True)
class TruthValues:
    """x_j ~ Bernoulli(σ(a_j))."""

    n: int

    def terms(self, a: NDArray, x: NDArray, seen: NDArray) -> tuple[NDArray, tuple]:
        """Σ_j (x_j a_j − softplus(a_j)) over what is seen. The cache is (a, x, seen)."""
        return ((x * a - softplus(a)) * seen).sum(axis=-1), (a, x, seen)

    def da(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """(x − σ(a)) dlog_prob."""
        a, x, seen = cache
        return (x - sigmoid(a)) * seen * dlog_prob[..., None]

    def dx(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = a_j dlog_prob."""
        a, _, seen = cache
        return a * seen * dlog_prob[..., None]

    def draw(self, a: NDArray, eps: NDArray) -> NDArray:
        """1 where the uniform eps is below σ(a), else 0."""
        return (eps < sigmoid(a)).astype(eps.dtype)

    def mean(self, a: NDArray) -> NDArray:
        """σ(a)."""
        return sigmoid(a)

    def start(self, mean: NDArray, var: NDArray) -> NDArray:
        """The logit of the mean."""
        return logit(off_the_ends(mean))


@dataclass(frozen=True)
class Categories:
    """One of K for every column, with probabilities softmax(a); x has a 1 for it among K numbers.

    Parameters
    ----------
    sizes : tuple of int
        K of every column; their numbers lie one after the other.
    """

    sizes: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        """Σ K."""
        return sum(self.sizes)

    @property
    def _starts(self) -> list[int]:
        return [sum(self.sizes[:i]) for i in range(len(self.sizes))]

    def _spread(self, values: NDArray) -> NDArray:
        """A number for every column, as many times as the column has categories."""
        return np.repeat(values, self.sizes, axis=-1)

    def _log_probabilities(self, a: NDArray) -> NDArray:
        """a_k − log Σ_l e^{a_l} of every column; the largest a_k is taken out first, so nothing overflows."""
        top = self._spread(np.maximum.reduceat(a.real, self._starts, axis=-1))
        shifted = a - top
        return shifted - self._spread(np.log(np.add.reduceat(np.exp(shifted), self._starts, axis=-1)))

    def terms(self, a: NDArray, x: NDArray, seen: NDArray) -> tuple[NDArray, tuple]:
        """Σ_k x_k (a_k − log Σ_l e^{a_l}) over what is seen. The cache is (log probabilities, x, seen)."""
        log_p = self._log_probabilities(a)
        return (x * log_p * seen).sum(axis=-1), (log_p, x, seen)

    def da(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """(x_k − softmax(a)_k Σ_l x_l) dlog_prob."""
        log_p, x, seen = cache
        x = x * seen
        total = self._spread(np.add.reduceat(x, self._starts, axis=-1))
        return (x - np.exp(log_p) * total) * dlog_prob[..., None]

    def dx(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """log softmax(a) dlog_prob."""
        log_p, _, seen = cache
        return log_p * seen * dlog_prob[..., None]

    def draw(self, a: NDArray, eps: NDArray) -> NDArray:
        """The category in whose part of [0, 1] the column's first uniform number lies."""
        return self._by_column(np.exp(self._log_probabilities(a)), eps, _chosen)

    def _by_column(self, p: NDArray, eps: NDArray, function: Callable[[NDArray, NDArray], NDArray]) -> NDArray:
        parts = [function(p[..., s : s + k], eps[..., s]) for s, k in zip(self._starts, self.sizes, strict=True)]
        return np.concatenate(parts, axis=-1).astype(eps.dtype)

    def mean(self, a: NDArray) -> NDArray:
        """softmax(a)."""
        return np.exp(self._log_probabilities(a))

    def start(self, mean: NDArray, var: NDArray) -> NDArray:
        """The logarithm of the shares, kept off 0."""
        return np.log(off_the_ends(mean))


def _split(a: NDArray) -> tuple[NDArray, NDArray]:
    """a below `LOW` and `LOW` elsewhere, for the series; a from there on and `LOW` below, for the closed form."""
    is_low = a.real < LOW
    return np.where(is_low, a, LOW), np.where(is_low, LOW, a)


def _chosen(p: NDArray, u: NDArray) -> NDArray:
    """One of K numbers is true: the one in whose part of [0, 1] u lies, of probabilities p (…, K)."""
    ends = np.cumsum(p, axis=-1)
    index = (u[..., None] >= ends[..., :-1] / ends[..., -1:]).sum(axis=-1)
    return np.arange(p.shape[-1]) == index[..., None]
