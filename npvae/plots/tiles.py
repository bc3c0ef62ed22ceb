"""Many small images as one: a single array, drawn once, with a thin line between its tiles."""

from __future__ import annotations

from math import isqrt, prod
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.plots.canvas import axes_or_new, exact_axes, require_matplotlib
from npvae.validation import data_matrix, widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["as_images", "draw_tiles", "label_tiles", "tile"]

SEPARATOR = 1
"""Pixels between two tiles; NaN in the array, the background in the picture."""

WIDTH = 560
"""Dots that a picture takes, more or less, as each of its pixels takes a whole number of them."""

MAX_TILE = 150
"""Dots that one tile takes at most."""

MAX_TICKS = 7


def as_images(
    argument: str, value: ArrayLike, image_shape: tuple[int, int] | None, leading: tuple[str, ...] = ("n",)
) -> NDArray:
    """`value` of shape (*leading, d) or (*leading, h, w) as a finite array of shape (*leading, h, w).

    Without `image_shape`, (h, w) are the last two axes, or the sides of a square of d pixels.
    """
    x = data_matrix(argument, value, dtype=np.float64)
    shape = np.shape(value)
    front, rest = shape[: len(leading)], shape[len(leading) :]
    if len(rest) not in (1, 2):
        axes = ", ".join(leading)
        raise ValueError(f"{argument} must have shape ({axes}, d) or ({axes}, h, w), got shape {shape}")
    n_pixels = prod(rest)
    if image_shape is None:
        image_shape = rest if len(rest) == 2 else (isqrt(n_pixels),) * 2
        if prod(image_shape) != n_pixels:
            raise ValueError(f"image_shape must be given: {n_pixels} pixels a row of {argument} make no square")
    sides = widths("image_shape", image_shape)
    if len(sides) != 2 or prod(sides) != n_pixels:
        raise ValueError(f"image_shape must be (h, w) with h·w = {n_pixels}, the pixels of {argument}, got {sides}")
    return x.reshape(*front, *sides)


def tile(images: NDArray) -> NDArray:
    """Images of shape (rows, columns, h, w) in one array of shape (rows·(h+1) − 1, columns·(w+1) − 1), NaN between."""
    rows, columns, h, w = images.shape
    tiled = np.full((rows, h + SEPARATOR, columns, w + SEPARATOR), np.nan)
    tiled[:, :h, :, :w] = images.transpose(0, 2, 1, 3)
    return tiled.reshape(rows * (h + SEPARATOR), columns * (w + SEPARATOR))[:-SEPARATOR, :-SEPARATOR]


def draw_tiles(
    images: NDArray, ax: Axes | None, vmin: float, vmax: float, margins: tuple[float, float, float] = (0.05, 0.05, 0.05)
) -> Axes:
    """Draw images of shape (rows, columns, h, w), grey from `vmin` (black) to `vmax` (white); NaN is left blank.

    Without `ax`, they fill a new figure but for its `margins` (left, below, above, inches).
    """
    if not vmin < vmax:
        raise ValueError(f"vmin must be less than vmax, got {vmin} and {vmax}")
    tiled = tile(images)
    interpolation = None
    if ax is None:
        dots = max(min(round(WIDTH / max(tiled.shape)), MAX_TILE // max(images.shape[2:])), 1)
        ax, interpolation = exact_axes(tiled.shape, dots, margins), "nearest"
    grey = require_matplotlib().colormaps["gray"].with_extremes(bad="none")
    axes_or_new(ax).imshow(tiled, cmap=grey, vmin=vmin, vmax=vmax, interpolation=interpolation)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def label_tiles(ax: Axes, axis: Literal["x", "y"], labels: list[str], pixels: int, at_most: int = MAX_TICKS) -> None:
    """Write `labels` at the middles of tiles along `axis`: first, last and, evenly if it goes, some between."""
    gaps = len(labels) - 1
    most = min(gaps, at_most - 1)
    even = [n for n in range(most // 2 + 1, most + 1) if gaps % n == 0]
    chosen = np.linspace(0, gaps, max(even, default=most) + 1).round().astype(int)
    middles = chosen * (pixels + SEPARATOR) + (pixels - 1) / 2
    ax.set(**{f"{axis}ticks": middles, f"{axis}ticklabels": [labels[i] for i in chosen]})
    ax.tick_params(axis, length=0)
