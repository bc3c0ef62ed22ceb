"""The logarithm of the factorial and its derivative, analytic, for counts and for any number above −1."""

from __future__ import annotations

from math import log, pi

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_factorial", "log_factorial_slope"]

SHIFT = 10
"""How far the recurrence goes up before the series is used: its first term left out is below 1e-12 there."""


def log_factorial(n: NDArray) -> NDArray:
    """log n! = log Γ(n + 1), by Γ(w) = Γ(w + 1)/w up to w ≥ 11, and Stirling's series there.

    log Γ(w) = (w − ½) log w − w + ½ log 2π + 1/(12 w) − 1/(360 w³) + 1/(1260 w⁵) − 1/(1680 w⁷).

    Derivative: `log_factorial_slope`.
    """
    w = n + (SHIFT + 1)
    product = (n + 1) / w  # of numbers below 1: large counts do not overflow
    for i in range(2, SHIFT + 1):
        product = product * ((n + i) / w)
    v = 1 / (w * w)
    series = (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v / 1680))) / w
    return (w - (SHIFT + 0.5)) * np.log(w) - w + 0.5 * log(2 * pi) + series - np.log(product)


def log_factorial_slope(n: NDArray) -> NDArray:
    """d log n!/dn = ψ(n + 1), by the same recurrence: log w − 1/(2w) − 1/(12w²) + 1/(120w⁴) − 1/(252w⁶) + 1/(240w⁸)."""
    w = n + (SHIFT + 1)
    v = 1 / (w * w)
    series = np.log(w) - 0.5 / w - v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v / 240)))
    return series - sum(1 / (n + i) for i in range(1, SHIFT + 1))
