"""Sums over all states of a few bits: exact likelihoods, posteriors and moments, the oracle of all estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.numerics import logsumexp
from npvae.validation import ArgumentError, integer

__all__ = [
    "STATES_AT_MOST",
    "Enumerated",
    "Moments",
    "binary_state_blocks",
    "binary_states",
    "enumerate_latents",
    "moments",
    "uniform_points",
]

STATES_AT_MOST = 1 << 20
"""A million states: some seconds with a small network. Every further bit doubles that."""

BLOCK_BITS = 14
"""2¹⁴ states at once, where any number of them may be asked for."""

BLOCK = 4096
"""States whose densities are computed at once."""


def require_few(argument: str, states: float, got: object) -> None:
    """An `ArgumentError` that tells the cost if there are more than `STATES_AT_MOST` states to visit."""
    if states > STATES_AT_MOST:
        cost = f"{states / 1e6:,.0f} million" if states < 1e15 else f"{states:.1e}"
        cost = cost if states < inf else "more than 1e308"
        advice = f"that would be {cost} states to visit; estimate with samples, or take fewer latents"
        raise ArgumentError(argument, f"have at most 2^20 = {STATES_AT_MOST:,} states to be enumerated", got, advice)


def binary_states(d: int, dtype: DTypeLike = np.float64) -> NDArray:
    """All 2^d vectors of d bits, (2^d, d), counting upwards with the first bit as the highest.

    Raises
    ------
    ValueError
        If d > 20, with the number of states that it would be.

    Examples
    --------
    >>> binary_states(2)
    array([[0., 0.],
           [0., 1.],
           [1., 0.],
           [1., 1.]])
    """
    d = integer("d", d, at_least=1)
    require_few("d", 2.0**d if d < 1024 else inf, f"{d} bits")
    return _bits(np.arange(1 << d), d, dtype)


def binary_state_blocks(d: int, dtype: DTypeLike = np.float64) -> Iterator[NDArray]:
    """The rows of `binary_states`, any number of them, in blocks of at most 2¹⁴: they stay in the cache."""
    size = 1 << min(d, BLOCK_BITS)
    for start in range(0, 1 << d, size):
        yield _bits(np.arange(start, start + size), d, dtype)


def _bits(numbers: NDArray, d: int, dtype: DTypeLike) -> NDArray:
    return (numbers[:, None] >> np.arange(d)[::-1] & 1).astype(dtype)


class Enumerated(NamedTuple):
    """What a sum over all latents says of n data."""

    log_px: NDArray
    """log p(x) = log Σ_z p(x, z), (n,), nats: exact."""
    states: NDArray
    """All z, (2^d, d)."""
    log_posterior: NDArray
    """log p(z|x), (2^d, n), nats."""

    def posterior_mean(self) -> NDArray:
        """E[z|x], (n, d)."""
        return np.exp(self.log_posterior).T @ self.states


def enumerate_latents(log_joint: Callable[[NDArray], NDArray], d: int, dtype: DTypeLike = np.float64) -> Enumerated:
    """log p(x) and p(z|x), by visiting every z.

    Parameters
    ----------
    log_joint : callable
        From states (S, d) to log p(x, z), (S, n), nats.
    d : int
        Latent bits, all layers together; at most 20.
    dtype : dtype
        That of the states that are handed over.

    Raises
    ------
    ValueError
        If d > 20.
    """
    states = binary_states(d, dtype)
    table = np.concatenate([log_joint(states[i : i + BLOCK]) for i in range(0, len(states), BLOCK)])
    log_px = logsumexp(table)
    return Enumerated(log_px, states, table - log_px)


class Moments(NamedTuple):
    """Mean and variance of an estimate, element by element, without sampling error."""

    mean: NDArray
    variance: NDArray


def moments(estimates: NDArray, weights: NDArray) -> Moments:
    """Σ_s w_s e_s and Σ_s w_s (e_s − mean)², over estimates (S, …) that come with the probabilities w (S,)."""
    mean = np.tensordot(weights, estimates, 1)
    return Moments(mean, np.tensordot(weights, np.square(estimates - mean), 1))


def uniform_points(breaks: Sequence[Sequence[float]], nodes: int = 1) -> tuple[NDArray, NDArray]:
    """Points u in [0, 1)^d and weights whose weighted sum is the expectation over uniform u, exactly.

    What is averaged may jump where some u_j passes one of its breaks, as a bit 1[u_j < p_j] does; between its breaks it
    must be a polynomial in each u_j of degree 2·nodes − 1 at most: for a constant or a line one node will do, for the
    square of a line two.

    Parameters
    ----------
    breaks : sequence of d sequences of float
        Where a jump may lie, for every u_j.
    nodes : int, default 1
        Gauss-Legendre nodes in each interval.

    Returns
    -------
    u : (S, d) array
        S is the product over j of nodes · (number of intervals).
    weights : (S,) array
        They add up to 1.

    Raises
    ------
    ValueError
        If S exceeds 2^20.
    """
    x, w = np.polynomial.legendre.leggauss(integer("nodes", nodes, at_least=1))
    axes = []
    for cuts in breaks:
        ends = np.unique(np.clip([0.0, *cuts, 1.0], 0.0, 1.0))
        half, middle = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
        axes.append(((middle + half * x).ravel(), (half * w).ravel()))
    size = prod(float(len(points)) for points, _ in axes)
    require_few("breaks", size, f"{len(axes)} dimensions with {size:.0f} points")
    u = np.stack([grid.ravel() for grid in np.meshgrid(*(points for points, _ in axes), indexing="ij")], axis=1)
    weights = np.ones(1)
    for _, of_axis in axes:
        weights = np.multiply.outer(weights, of_axis).ravel()
    return u, weights
