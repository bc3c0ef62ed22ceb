"""Numerical derivatives: the independent opinion on every gradient written by hand.

Two methods whose errors have nothing in common. The central difference needs no more than real arithmetic and is good
to about 1e-9; the complex step is good to the last digits, but only if the function is analytic in complex arithmetic.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CENTRAL_TOLERANCE = 1e-6
COMPLEX_TOLERANCE = 1e-12


def central_difference(f: Callable[[NDArray], float], x: NDArray, step: float = 1e-5) -> NDArray:
    """(f(x + h e_i) − f(x − h e_i)) / 2h for every element i of a float64 array x."""
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        above, below = np.array(x, dtype=np.float64), np.array(x, dtype=np.float64)
        above[i] += step
        below[i] -= step
        gradient[i] = (f(above) - f(below)) / (above[i] - below[i])
    return gradient


def complex_step(f: Callable[[NDArray], complex], x: NDArray, step: float = 1e-30) -> NDArray:
    """Im f(x + i h e_i) / h for every element i: no difference is taken, so no digits are lost."""
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        beside = np.array(x, dtype=np.complex128)
        beside[i] += 1j * step
        gradient[i] = f(beside).imag / step
    return gradient


def error(numeric: NDArray, analytic: NDArray) -> float:
    """max |numeric − analytic| / max |analytic| of the tensor, without the division where the gradient is all zero."""
    largest = np.abs(analytic).max()
    return float(np.abs(numeric - analytic).max() / (largest if largest > 0 else 1))


def assert_gradient(f: Callable[[NDArray], float], x: NDArray, analytic: NDArray, name: str = "x") -> None:
    """Hold ∂f/∂x, for a scalar function f of a float64 array, against both numerical derivatives."""
    assert analytic.shape == x.shape, f"{name}: gradient of shape {analytic.shape} for an array of shape {x.shape}"
    for method, tolerance in ((central_difference, CENTRAL_TOLERANCE), (complex_step, COMPLEX_TOLERANCE)):
        off = error(method(f, x), analytic)
        assert off <= tolerance, f"{name}: {method.__name__} differs by {off:.2g} of the largest element"


def frozen(*arrays: NDArray) -> list[NDArray]:
    """Read-only copies, into which no function can write by mistake."""
    copies = [array.copy() for array in arrays]
    for copy in copies:
        copy.flags.writeable = False
    return copies
