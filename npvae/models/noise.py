"""The rows of a model's noise.

A model's noise is an array, None, or any nesting of them in tuples, lists and dicts. In each array one axis counts the
rows of the batch: the one whose length follows the number of rows that the noise is drawn for. An array without such an
axis is shared by all rows. So nothing has to be declared, and `noise_rows` can hand each of several processes the noise
of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.models.model import Model

__all__ = ["leaves", "map_leaves", "noise_axes", "noise_rows"]

_NO_AXIS = -1


def noise_axes(model: Model, dtype: DTypeLike = np.float32) -> list[int]:
    """The row axis of each array of the model's noise in the order of `leaves`, −1 for an array without one.

    Raises
    ------
    ValueError
        If the number of rows shows in more than one axis, or in another way than as the length of one.
    """
    drawn = [leaves(model.draw_noise(np.random.default_rng(0), n, dtype)) for n in (2, 3)]
    if len(drawn[0]) != len(drawn[1]):
        raise ValueError("noise must hold as many arrays for two rows as for three, got another number")
    return [_row_axis(two.shape, three.shape) for two, three in zip(*drawn, strict=True)]


def _row_axis(two: tuple[int, ...], three: tuple[int, ...]) -> int:
    differ = [axis for axis, lengths in enumerate(zip(two, three, strict=False)) if lengths[0] != lengths[1]]
    if not differ and two == three:
        return _NO_AXIS
    if len(two) != len(three) or len(differ) > 1 or (two[differ[0]], three[differ[0]]) != (2, 3):
        raise ValueError(f"noise must have one axis with an entry a row, got shapes {two} and {three} for 2 and 3 rows")
    return differ[0]


def noise_rows(noise: Any, axes: list[int], rows: slice) -> Any:
    """The noise of some rows of a batch, as views in the same nesting; `axes` are those of `noise_axes`."""
    left = iter(axes)

    def take(array: NDArray) -> NDArray:
        axis = next(left)
        return array if axis == _NO_AXIS else array[(slice(None),) * axis + (rows,)]

    return map_leaves(take, noise)


def leaves(noise: Any) -> list[NDArray]:
    """The arrays of a nesting, from left to right."""
    found: list[NDArray] = []
    map_leaves(found.append, noise)
    return found


def map_leaves(function: Callable[[Any], Any], noise: Any) -> Any:
    """The same nesting with ``function(array)`` for every array, from left to right."""
    if noise is None:
        return None
    if isinstance(noise, dict):
        return {name: map_leaves(function, entry) for name, entry in noise.items()}
    if isinstance(noise, list | tuple):
        entries = [map_leaves(function, entry) for entry in noise]
        return type(noise)(*entries) if hasattr(noise, "_fields") else type(noise)(entries)
    return function(noise)
