"""Integer frequencies: how many of 2^P shares every symbol has, under the distributions that a model puts out.

A code answers one question, how many shares lie below a symbol. It rises by at least one from symbol to symbol, so
every symbol can be coded. Distribution functions are tables that are interpolated in integer arithmetic: the same
numbers give the same shares on every machine, in whatever shape the arrays are, and rounding cannot reverse an order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.compression.ans import Message, peek, pop, push

__all__ = [
    "Bits",
    "Categorical",
    "Code",
    "GaussianBins",
    "LogisticBins",
    "Uniform",
    "bin_centres",
    "pop_all",
    "push_all",
]

PRECISION = 24
"""P of all codes that come of a model."""

SHARE = 1 << 30  # what a table has for probability one
KNOTS = 128  # of a table, for every unit of its argument
FRACTION = 16  # bits between two knots

At = tuple[Any, ...]
"""An index into (S, lanes): (...,) for all, (step,) for all lanes of a step, (step, lanes) for some of them."""

ALL = (...,)


class Code(Protocol):
    """Frequencies of the symbols 0, …, size − 1 for S steps of all lanes."""

    size: int
    precision: int

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """How many shares the symbols below `symbol` have, which is 0 for 0 and 2^precision for `size`.

        `symbol` has the shape of a (S, lanes) array at `at`, or more axes before it.
        """


def push_all(message: Message, code: Code, symbols: NDArray, active: NDArray) -> Message:
    """Push symbols (S, lanes) step by step, where active (S, lanes); elsewhere a lane is left as it is."""
    starts, freqs = _shares(code, symbols, ALL, active)
    for start, freq in zip(starts, freqs, strict=True):
        message = push(message, start, freq, code.precision)
    return message


def pop_all(message: Message, code: Code, active: NDArray) -> tuple[Message, NDArray]:
    """The symbols (S, lanes) that `push_all` pushed, 0 where none is active: the last step first."""
    symbols = np.zeros(active.shape, np.int64)
    for step in reversed(range(len(active))):
        found = _symbol_of(code, step, peek(message, code.precision))
        symbols[step] = np.where(active[step], found, 0)
        message = pop(message, *_shares(code, symbols[step], (step,), active[step]), code.precision)
    return message, symbols


def _symbol_of(code: Code, step: int, share: NDArray) -> NDArray:
    """The symbol that has a share, (lanes,).

    Most pixels are black, so symbol 0 is tried first. What is another has its digits to base 16 found one after the
    other, by 15 comparisons at once.
    """
    symbol = (code.below(np.ones(len(share), np.int64), (step,)) <= share).astype(np.int64)
    if code.size == 2 or not symbol.any():
        return symbol
    lanes = np.flatnonzero(symbol)
    at, share, base, found = (step, lanes), share[lanes], min(16, code.size), np.zeros(len(lanes), np.int64)
    place = base
    while place < code.size:
        place *= base
    while place > 1:
        place //= base
        candidates = np.minimum(found + place * np.arange(1, base)[:, None], code.size)
        found += place * (code.below(candidates, at) <= share).sum(axis=0)
    symbol[lanes] = found
    return symbol


def _shares(code: Code, symbols: NDArray, at: At, active: NDArray) -> tuple[NDArray, NDArray]:
    start, end = code.below(np.stack([symbols, symbols + 1]), at)
    freq = end - start
    return np.where(active, start, np.uint64(0)), np.where(active, freq, np.uint64(1 << code.precision))


@dataclass(frozen=True)
class Uniform:
    """2^bits symbols, all alike."""

    bits: int

    @property
    def size(self) -> int:
        """2^bits."""
        return 1 << self.bits

    @property
    def precision(self) -> int:
        """One share for each."""
        return self.bits

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """As many as there are symbols."""
        return symbol.astype(np.uint64)


@dataclass(frozen=True)
class Categorical:
    """Given frequencies (size, S, lanes), whole numbers from 1, that add up to 2^precision."""

    frequencies: NDArray
    precision: int

    @property
    def size(self) -> int:
        """Number of symbols."""
        return len(self.frequencies)

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """Sum of the frequencies before."""
        ends = np.concatenate([np.zeros_like(self.frequencies[:1]), np.cumsum(self.frequencies, axis=0)])
        steps, lanes = np.indices(ends.shape[1:])
        return ends[symbol, steps[at], lanes[at]].astype(np.uint64)


class Bits:
    """A Bernoulli variable for every logit (S, lanes): symbol 1 has about 2^P σ(logit) shares."""

    size, precision = 2, PRECISION

    def __init__(self, logits: NDArray) -> None:
        zero = np.rint(_table("logistic").of(-logits) / SHARE * (1 << PRECISION))
        self.zero = np.clip(zero, 1, (1 << PRECISION) - 1).astype(np.uint64)

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """0, the shares of 0, or all."""
        return np.where(symbol == 0, np.uint64(0), np.where(symbol == 1, self.zero[at], np.uint64(1 << PRECISION)))


class GaussianBins:
    """N(mu, σ²) in the 2^bits bins that have equal probability under N(0, 1), for every mu and σ (S, lanes)."""

    precision = PRECISION

    def __init__(self, mu: NDArray, sigma: NDArray, bits: int) -> None:
        self.mu, self.sigma, self.size, self.edges = mu, sigma, 1 << bits, _quantiles(bits)

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """Φ((edge − mu)/σ), tilted so that every bin has a share."""
        share = _table("normal").of((self.edges[symbol] - self.mu[at]) / self.sigma[at])
        return _tilted(share, symbol, self.size)


class LogisticBins:
    """A mixture of logistic variables, rounded to K grey levels: see `npvae.distributions.LogisticMixture`.

    Parameters
    ----------
    weights : (C, S, lanes) array of int
        Shares of 2¹⁶, which they add up to.
    mean, scale : (C, S, lanes) arrays
        In units of the whole range.
    levels : int
        K.
    """

    precision = PRECISION

    def __init__(self, weights: NDArray, mean: NDArray, scale: NDArray, levels: int) -> None:
        self.weights, self.mean, self.inverse, self.size = weights, mean, 1 / scale, levels

    def below(self, symbol: NDArray, at: At = ALL) -> NDArray[np.uint64]:
        """The mixture's distribution function half a level below the symbol, 0 at the first and 1 beyond the last."""
        weights, mean, inverse = (part[(slice(None), *at)] for part in (self.weights, self.mean, self.inverse))
        shape = (len(mean), *(1,) * (symbol.ndim - mean.ndim + 1), *mean.shape[1:])
        u = ((symbol - 0.5) / (self.size - 1) - mean.reshape(shape)) * inverse.reshape(shape)
        total = (weights.reshape(shape) * _table("logistic").of(u)).sum(axis=0)
        share = np.where(symbol == 0, 0, np.where(symbol == self.size, SHARE, total >> FRACTION))
        return _tilted(share, symbol, self.size)


def bin_centres(bits: int) -> NDArray:
    """The median of every one of 2^bits bins of equal probability under N(0, 1)."""
    return _quantiles(bits + 1)[1::2]


@dataclass(frozen=True)
class _Table:
    """A distribution function on [−reach, reach] in whole numbers, 0 below and `SHARE` above."""

    values: NDArray[np.int64]
    reach: int

    def of(self, u: NDArray) -> NDArray[np.int64]:
        """The function at u, linear between the knots; it never falls."""
        last = (2 * self.reach * KNOTS) << FRACTION
        place = np.minimum(np.maximum((u + self.reach) * (KNOTS << FRACTION), 0), last).astype(np.int64)
        knot, rest = place >> FRACTION, place & ((1 << FRACTION) - 1)
        return self.values[knot] + ((self.values[knot + 1] - self.values[knot]) * rest >> FRACTION)


@cache
def _table(name: str) -> _Table:
    def logistic(t: float) -> float:
        return 1 / (1 + exp(-t))

    functions: dict[str, tuple[Callable[[float], float], int]] = {
        "normal": (NormalDist().cdf, 7),
        "logistic": (logistic, 22),
    }
    function, reach = functions[name]
    inner = [round(SHARE * function(i / KNOTS - reach)) for i in range(1, 2 * reach * KNOTS)]
    return _Table(np.array([0, *inner, SHARE, SHARE]), reach)


@cache
def _quantiles(bits: int) -> NDArray:
    """Those of N(0, 1) at i/2^bits, from −∞ to ∞, to 24 bits, in which no two logarithm functions differ."""
    inner = [NormalDist().inv_cdf(i / (1 << bits)) for i in range(1, 1 << bits)]
    return np.array([-np.inf, *inner, np.inf], np.float32).astype(np.float64)


def _tilted(share: NDArray, symbol: NDArray, size: int) -> NDArray[np.uint64]:
    """From shares of `SHARE` to shares of 2^P, one more for every symbol below."""
    return ((share * ((1 << PRECISION) - size)) // SHARE + symbol).astype(np.uint64)
