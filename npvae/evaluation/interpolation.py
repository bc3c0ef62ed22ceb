"""Paths between two latents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.validation import ArgumentError, integer, one_of

__all__ = ["interpolate"]


def interpolate(z_from: NDArray, z_to: NDArray, steps: int = 10, method: str = "linear") -> NDArray:
    """Latents on the path from one to another, both ends included.

    Parameters
    ----------
    z_from, z_to : (d,) arrays
    steps : int, default 10
        How many latents, at t = 0 … 1 in equal steps.
    method : {"linear", "spherical"}
        "linear": (1 − t) z_from + t z_to. "spherical": along the great circle, with the length interpolated linearly; a
        straight line between two draws from N(0, I) in many dimensions runs through lengths that no draw has.

    Returns
    -------
    (steps, d) array

    Raises
    ------
    TypeError, ValueError
        For an unknown method, fewer than two steps, or latents that are no vectors of one size.

    References
    ----------
    Shoemake, Animating rotation with quaternion curves (1985); White, Sampling generative networks (2016), section 2.1.
    """
    way = one_of("method", method, {"linear": _linear, "spherical": _spherical})
    z_from, z_to = np.asarray(z_from), np.asarray(z_to)
    if z_from.ndim != 1 or z_from.shape != z_to.shape:
        raise ArgumentError("z_from and z_to", "be vectors of one size", f"shapes {z_from.shape} and {z_to.shape}")
    dtype = np.result_type(z_from, z_to, np.float32)
    t = np.linspace(0, 1, integer("steps", steps, at_least=2))[:, None]
    # Angles near 0 and π need the digits of float64.
    return way(z_from.astype(np.float64), z_to.astype(np.float64), t).astype(dtype)


def _linear(z_from: NDArray, z_to: NDArray, t: NDArray) -> NDArray:
    return (1 - t) * z_from + t * z_to


def _spherical(z_from: NDArray, z_to: NDArray, t: NDArray) -> NDArray:
    length_from, length_to = np.sqrt(z_from @ z_from), np.sqrt(z_to @ z_to)
    if length_from == 0 or length_to == 0:
        return _linear(z_from, z_to, t)  # no direction to turn from or to
    unit_from, unit_to = z_from / length_from, z_to / length_to
    angle = np.arccos(np.clip(unit_from @ unit_to, -1, 1))
    if np.sin(angle) < 1e-6:  # parallel, or opposite: no great circle, or every one
        return _linear(z_from, z_to, t)
    direction = (np.sin((1 - t) * angle) * unit_from + np.sin(t * angle) * unit_to) / np.sin(angle)
    return direction * _linear(length_from, length_to, t)
