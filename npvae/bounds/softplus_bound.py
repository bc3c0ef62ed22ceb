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

__all__ = ["better_xi", "cumulant", "softplus_bound", "softplus_bound_backward"]


def cumulant(v: NDArray, mu: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """log(1 − μ + μ e^v) of a bit with mean μ, for every v without overflow.

    Returns
    -------
    value : array
        With e = e^{−|v|} it is max(v, 0) + log(p + (1 − p) e), where p is μ for positive v and 1 − μ for negative.
    tilted : array
        μ e^v/(1 − μ + μ e^v) = ∂value/∂v, the mean of the bit under the weight e^{vz}.
    slope : array
        (e^v − 1)/(1 − μ + μ e^v) = ∂value/∂μ.
    """
    e = np.exp(-absolute(v))
    positive = v.real > 0
    p = np.where(positive, mu, 1 - mu)
    total = p + (1 - p) * e
    value = np.maximum(v, 0) + np.log(total)
    tilted = np.where(positive, mu, mu * e) / total
    slope = np.where(positive, 1 - e, e - 1) / total
    return value, tilted, slope


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
    *_, dxi = softplus_bound_backward(cache, np.ones_like(value))
    r, (p_low, _), (p_high, _) = cache.share, cache.below, cache.above
    k_low, k_high = (np.einsum("dm,ndm->nm", W, p) for p in (p_low, p_high))
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
