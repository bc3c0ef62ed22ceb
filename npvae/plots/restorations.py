"""What was seen of images, what may have been behind it, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.images import as_images, draw_stacks
from npvae.validation import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def restorations(
    seen: ArrayLike,
    mean: ArrayLike,
    draws: ArrayLike,
    std: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw what was seen of each image above mean, draws and standard deviation of its restoration.

    Parameters
    ----------
    seen : array of shape (n, d) or (n, h, w)
        NaN is left blank.
    mean, std : arrays like seen
        The standard deviation is drawn twice as bright: ½, the largest of a pixel in [0, 1], is white.
    draws : array of shape (k, n, d) or (k, n, h, w)
    image_shape, ax, vmin, vmax
        As for `image_grid`.
    """
    seen, draws = np.asarray(seen, np.float64), np.asarray(draws)
    blank = np.isnan(seen)
    named = {"seen": np.where(blank, 0, seen), "mean": mean}
    named |= {f"draw {k + 1}": draw for k, draw in enumerate(draws)}
    named["2 std"] = 2 * np.asarray(std) + vmin
    for name, value in named.items():
        if np.shape(value) != seen.shape:
            raise ArgumentError(name, f"have the shape of seen, {seen.shape}", np.shape(value))
    tiles = {name: as_images(name, value, image_shape) for name, value in named.items()}
    tiles["seen"] = np.where(blank.reshape(tiles["seen"].shape), np.nan, tiles["seen"])
    return draw_stacks(tiles, ax, vmin, vmax, left=0.55)
