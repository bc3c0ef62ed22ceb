"""Whether flat rows are pictures, told from their width, their values and the names of their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from npvae.datasets.scaling import ROUNDING

__all__ = ["picture_shape"]

PIXEL = re.compile(r"(pixel|pix|px|p)?[ _.-]?\d+([ _.,x-]+\d+)?", re.IGNORECASE)
"""Names of columns that hold pixels: pixel12, 12, 3x4."""

SOME = 1000
"""Rows that are looked at for whole numbers."""

LEAST_SIDE = 5
"""Pixels along a side from which on a flat row can be a square picture."""


def picture_shape(x: NDArray, given: tuple[int, ...], names: Sequence[str] | None = None) -> tuple[int, ...] | None:
    """Shape of a row of x (n, d) as a picture: what follows the first axis of what was given, or None.

    A flat row is a square picture if its values are those of pixels (from −1 to 1, or whole up to 255) and its columns
    have no names or are called like pixels; what is measured is none, however many columns there are.
    """
    if len(given) > 2:
        return tuple(given[1:])
    side = isqrt(x.shape[1])
    if side * side != x.shape[1] or side < LEAST_SIDE:
        return None
    if names is not None and not all(map(PIXEL.fullmatch, names)):
        return None
    low, high, some = x.min(), x.max(), x[:SOME]
    bytes_ = low >= 0 and high <= 255 and bool((some == np.rint(some)).all())
    return (side, side) if (low >= -1 - ROUNDING and high <= 1 + ROUNDING) or bytes_ else None
