"""An upper bound of E[log(1 + e^a)] for a = b + Σ_j W_j z_j with independent bits z_j: what mean field cannot sum.

For every ξ, log(1 + e^a) = ξ a + log(e^{−ξa} + e^{(1−ξ)a}), and Jensen's inequality takes the expectation inside the
logarithm, where it factorises over the bits:

    E[log(1 + e^a)] ≤ g(ξ) = ξ E[a] + log(e^{κ(−ξ)} + e^{κ(1−ξ)}),
    κ(s) = log E[e^{sa}] = s b + Σ_j log(1 − μ_j + μ_j e^{s W_j}),      μ_j = E[z_j].

g is convex in ξ, so the best ξ is found by Newton's method. The bound is exact where a is certain.

Shapes: n data, d bits above, m units below. `mu` is (n, d), `W` (d, m), `b` (m,), `xi` (n, m).

References
----------
Saul, Jaakkola & Jordan, Mean field theory for sigmoid belief networks (1996), eq. (11) to (13).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import absolute, sigmoid, softplus

__all__ = ["UnitByUnit", "better_xi", "cumulant", "softplus_bound", "softplus_bound_backward"]


def _tilts(v: NDArray) -> tuple[NDArray, NDArray]:
    """The weights e^v and 1 of a bit that is on and of one that is off, over e^{max(v, 0)}: neither overflows."""
    e = np.exp(-absolute(v))
    positive = v.real > 0
    return np.where(positive, 1, e), np.where(positive, e, 1)


def _log_total(total: NDArray, v: NDArray, mu: NDArray) -> NDArray:
    """log t of the mean weight t = μ on + (1 − μ) off of `_tilts`, also where it underflows.

    There the weight of what is not 1 is e^{−|v|}, and p, the probability of the other, is next to nothing or nothing:
    log t is log(p + e^{−|v|}), which for p = 0 is −|v|.
    """
    if _is_normal(total):
        return np.log(total)
    small = total.real < np.finfo(total.dtype).tiny
    p = np.where(v.real > 0, mu, 1 - mu)
    log_p = np.log(np.where(small & (p.real > 0), p, 1))
    both = log_p + softplus(-absolute(v) - log_p)
    return np.where(small, np.where(p.real > 0, both, -absolute(v)), np.log(np.where(small, 1, total)))


def _is_normal(total: NDArray) -> bool:
    """Whether no number is so small that it has lost digits."""
    return total.size == 0 or total.real.min() >= np.finfo(total.dtype).tiny


def cumulant(v: NDArray, mu: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """log(1 − μ + μ e^v) of a bit with mean μ in [0, 1], for every v without overflow.

    Returns
    -------
    value : array
        max(v, 0) + log t, with t = μ on + (1 − μ) off of `_tilts`. For μ = 0 it is 0, and for μ = 1 it is v.
    tilted : array
        μ e^v/(1 − μ + μ e^v) = ∂value/∂v, the mean of the bit under the weight e^{vz}. A bit that is certain stays so.
    slope : array
        (e^v − 1)/(1 − μ + μ e^v) = ∂value/∂μ. For μ = 0 and for μ = 1 it grows as e^{|v|}: where no number of this
        precision is as large, it is the inverse of the smallest normal one.
    """
    on, off = _tilts(v)
    up = mu * on
    total = up + (1 - mu) * off
    value = np.maximum(v, 0) + _log_total(total, v, mu)
    if _is_normal(total):
        return value, up / total, (on - off) / total
    nothing = total.real == 0
    tilted = np.where(nothing, mu, up) / np.where(nothing, 1, total)
    return value, tilted, (on - off) / np.maximum(total, np.finfo(total.dtype).tiny)


SHORTER = (0.25, 1 / 16, 1 / 64)
"""Shares of a Newton step, tried in turn where the whole step leaps too far."""


class _Cache(NamedTuple):
    mu: NDArray
    W: NDArray
    xi: NDArray
    mean: NDArray
    """E[a], (n, m)."""
    share: NDArray
    """r = e^{κ(1−ξ)}/(e^{κ(−ξ)} + e^{κ(1−ξ)}), (n, m)."""
    below: tuple[NDArray, NDArray]
    """tilted and slope at s = −ξ, each (n, d, m)."""
    above: tuple[NDArray, NDArray]
    """The same at s = 1 − ξ."""
    b: NDArray


def softplus_bound(mu: NDArray, W: NDArray, b: NDArray, xi: NDArray) -> tuple[NDArray, tuple]:
    """g(ξ) ≥ E[log(1 + e^a)] of every unit, (n, m), nats. The cache is what `softplus_bound_backward` reads.

    It takes some arrays of n·d·m numbers.
    """
    mean = mu @ W + b
    low, *below = cumulant(-xi[:, None] * W, mu[:, :, None])
    high, *above = cumulant((1 - xi)[:, None] * W, mu[:, :, None])
    k_low, k_high = low.sum(axis=1) - xi * b, high.sum(axis=1) + (1 - xi) * b
    value = xi * mean + k_low + softplus(k_high - k_low)
    return value, _Cache(mu, W, xi, mean, sigmoid(k_high - k_low), tuple(below), tuple(above), b)


def softplus_bound_backward(cache: tuple, dvalue: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """dmu, dW, db and dxi from dvalue (n, m).

    With the share r of the second exponential and the tilted means p, the derivatives of g are

        ∂g/∂μ_j = ξ W_j + (1 − r) slope_j(−ξ) + r slope_j(1 − ξ),    ∂g/∂b = r,
        ∂g/∂W_j = ξ μ_j − (1 − r) ξ p_j(−ξ) + r (1 − ξ) p_j(1 − ξ),
        ∂g/∂ξ = E[a] − (1 − r) (b + Σ_j W_j p_j(−ξ)) − r (b + Σ_j W_j p_j(1 − ξ)).
    """
    mu, W, xi, mean, r, (p_low, slope_low), (p_high, slope_high), b = cache
    low, high = dvalue * (1 - r), dvalue * r
    dmu = (dvalue * xi) @ W.T
    dmu += np.einsum("nm,ndm->nd", low, slope_low) + np.einsum("nm,ndm->nd", high, slope_high)
    dW = mu.T @ (dvalue * xi)
    dW += np.einsum("nm,ndm->dm", -low * xi, p_low) + np.einsum("nm,ndm->dm", high * (1 - xi), p_high)
    tilted_low, tilted_high = (b + np.einsum("dm,ndm->nm", W, p) for p in (p_low, p_high))
    return dmu, dW, high.sum(axis=0), dvalue * mean - low * tilted_low - high * tilted_high


def better_xi(mu: NDArray, W: NDArray, b: NDArray, xi: NDArray) -> NDArray:
    """One Newton step on the convex g(ξ), shorter where g would not fall, else none: unit by unit g never rises.

    The best ξ lies in [0, 1], since g'(0) has the sign of −Cov(a, e^a) ≤ 0 and g'(1) that of −Cov(a, e^{−a}) ≥ 0.
    g'' = (1 − r) κ''(−ξ) + r κ''(1 − ξ) + r (1 − r)(κ'(1 − ξ) − κ'(−ξ))² with κ''(s) = Σ_j W_j² p_j (1 − p_j).
    A step s lowers a convex g by at most −g' s; where that is within the rounding of g's parts, ξ stays as it is.
    """
    value, cache = softplus_bound(mu, W, b, xi)
    r, (p_low, _), (p_high, _) = cache.share, cache.below, cache.above
    k_low, k_high = (np.einsum("dm,ndm->nm", W, p) for p in (p_low, p_high))
    dxi = cache.mean - (1 - r) * (b + k_low) - r * (b + k_high)
    v_low, v_high = (np.einsum("dm,ndm->nm", W * W, p * (1 - p)) for p in (p_low, p_high))
    curvature = (1 - r) * v_low + r * v_high + r * (1 - r) * np.square(k_high - k_low)
    newton = np.where(curvature > 0, xi - dxi / np.where(curvature > 0, curvature, 1), xi)
    step = np.minimum(np.maximum(newton, 0), 1) - xi
    rounding = np.finfo(value.dtype).eps * (absolute(value) + absolute(xi * cache.mean))
    open_ = -dxi * step > 4 * rounding
    falls = open_ & (softplus_bound(mu, W, b, xi + step)[0] < value)
    found = np.where(falls, xi + step, xi)
    rows, units = np.nonzero(open_ & ~falls)
    for shrink in SHORTER:
        if not len(rows):
            break
        moved = (xi + shrink * step)[rows, units]
        falls = _value(moved, cache.mean[rows, units], mu[rows], W.T[units], b[units]) < value[rows, units]
        found[rows[falls], units[falls]] = moved[falls]
        rows, units = rows[~falls], units[~falls]
    return found


def _value(xi: NDArray, mean: NDArray, mu: NDArray, W: NDArray, b: NDArray) -> NDArray:
    """g(ξ) of k pairs of a datum and a unit, (k,): ξ, E[a] and b are (k,), μ and the unit's weights (k, d)."""
    low, high = (cumulant(s[:, None] * W, mu)[0].sum(axis=1) + s * b for s in (-xi, 1 - xi))
    return xi * mean + low + softplus(high - low)


class UnitByUnit:
    """log(e^{κ(−ξ)} + e^{κ(1−ξ)}), what g adds to ξ E[a], while the means of the bits above change one after the other.

    Parameters
    ----------
    mu, W, b, xi : arrays
        As in `softplus_bound`. `mu` is not changed.
    """

    def __init__(self, mu: NDArray, W: NDArray, b: NDArray, xi: NDArray) -> None:
        self._sides = [_Side(s, mu, W, b) for s in (-xi, 1 - xi)]

    def slope(self, j: int, mu: NDArray) -> NDArray:
        """Its derivative by μ_j, summed over the units below, (n,), where μ_j (n,) is the present mean.

        On each side e^κ is c t, where t = μ_j on + (1 − μ_j) off and c is made of the others; so the derivative is

            Σ_sides c (on − off)/Σ_sides c t.

        Only the ratio of both c plays a part, and the larger counts as 1. No slope of `cumulant`, which may be beyond
        all numbers, is multiplied by a share that may be below them: the quotient is right where both are. It is cut
        off where the sum over the units would overflow; that far out σ is 0 or 1.
        """
        (c_low, on_low, off_low), (c_high, on_high, off_high) = (side.at(j) for side in self._sides)
        ratio = c_high - c_low
        less, higher = np.exp(-absolute(ratio)), ratio > 0
        low, high = np.where(higher, less, 1), np.where(higher, 1, less)
        on, off = low * on_low + high * on_high, low * off_low + high * off_high
        total = mu[:, None] * on + (1 - mu)[:, None] * off
        return ((on - off) / np.maximum(total, np.sqrt(np.finfo(total.dtype).tiny))).sum(axis=1)

    def move(self, j: int, mu: NDArray) -> None:
        """Let μ_j, whose slope was asked for last, become `mu` (n,)."""
        for side in self._sides:
            side.move(j, mu[:, None])


class _Side:
    """κ(s) of every unit and its parts, for s (n, m) either −ξ or 1 − ξ."""

    def __init__(self, s: NDArray, mu: NDArray, W: NDArray, b: NDArray) -> None:
        self._s, self._W = s, W
        v, mu = s[:, None] * W, mu[:, :, None]
        p = np.where(v > 0, mu, 1 - mu)
        self._log = _log_total(p + (1 - p) * np.exp(-absolute(v)), v, mu)
        self._kappa = s * b + (np.maximum(v, 0) + self._log).sum(axis=1)

    def at(self, j: int) -> tuple[NDArray, NDArray, NDArray]:
        """κ without the log t of unit j, and the two weights of that unit, each (n, m); `move` needs them again."""
        self._tilts = _tilts(self._s * self._W[j])
        return self._kappa - self._log[:, j], *self._tilts

    def move(self, j: int, mu: NDArray) -> None:
        on, off = self._tilts
        log_t = _log_total(mu * on + (1 - mu) * off, self._s * self._W[j], mu)
        self._kappa += log_t - self._log[:, j]
