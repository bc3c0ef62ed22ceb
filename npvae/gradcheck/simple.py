"""A gradient checker in forty lines: the idea on which everything else in this room improves.

For y = f(x) and an upstream gradient u, backward claims a gradient g of Σ u∘f(x). Along a direction v, then, ⟨g, v⟩ is
the derivative of s ↦ Σ u∘f(x + s v) at s = 0, and that can be had without any calculus:

- by the complex step, Im f(x + ihv) / h, exact to the last digits where f is made of analytic functions;
- by a central difference, (f(x + hv) − f(x − hv)) / 2h, where it is not.

What it lacks, and where to find it: steps that fit the scale of the function and an honest tolerance (`numeric`), kinks
(`atkink`), which of the methods is valid (`verdict`), rules that must hold before a comparison means anything
(`preflight`), and what kind of mistake it is (`hints`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def simple_check(forward: Callable, backward: Callable, x: NDArray, seed: int = 0) -> tuple[bool, float]:
    """Whether ``backward(x, u)`` is the gradient of Σ u∘forward(x), and the relative error along a random direction.

    Examples
    --------
    >>> simple_check(np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2), np.array([0.3, -1.2]))[0]
    True
    >>> simple_check(np.tanh, lambda x, u: u * (1 - np.tanh(x)), np.array([0.3, -1.2]))[0]
    False
    """
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(np.shape(forward(x)))  # ones would hide errors that cancel in a sum
    v = rng.standard_normal(x.shape)  # a single wrong element shows in a random direction
    numeric, tolerance = slope(forward, x, u, v)
    terms = backward(x, u) * v
    error = abs(numeric - terms.sum()) / (np.linalg.norm(terms) or 1.0)
    return bool(error <= tolerance), float(error)


def slope(forward: Callable, x: NDArray, u: NDArray, v: NDArray) -> tuple[float, float]:
    """The derivative of Σ u∘f(x + s v) at s = 0, and the relative error that it may have."""
    try:
        h = 1e-20  # nothing is subtracted, so no digit is lost however small the step
        return float((u * forward(x + 1j * h * v)).imag.sum() / h), 1e-12
    except TypeError:  # it does not run on complex numbers
        h = 1e-5  # near eps^(1/3): the error of the formula, h², is as large as that of rounding, eps / h
        return float((u * (forward(x + h * v) - forward(x - h * v))).sum() / (2 * h)), 1e-6
