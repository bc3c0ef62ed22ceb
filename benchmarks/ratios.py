"""Ratios of times that were taken in turns: the machine's drift divides out of each, the median drops the outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import median, quantiles
from typing import NamedTuple

__all__ = ["Spread", "fastest", "geometric_mean", "ratio", "spread"]


class Spread(NamedTuple):
    """A median between its quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}–{self.high:.2f}]"


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles (linear between order statistics, as in ``numpy.quantile``)."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Median and quartiles of ours/theirs, round by round.

    Raises
    ------
    ValueError
        If the two did not run in the same rounds.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"ours and theirs must hold the same rounds, got {len(ours)} and {len(theirs)}")
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def fastest(ours: Sequence[float], peers: Mapping[str, Sequence[float]]) -> str | None:
    """The peer to which our ratio is highest; None without peers."""
    return max(peers, key=lambda name: ratio(ours, peers[name]).median, default=None)


def geometric_mean(values: Sequence[float]) -> float:
    """(Π v)^(1/n): the mean for ratios, whichever of the two is on top."""
    return exp(sum(map(log, values)) / len(values))
