"""What a latent does: one moved, the others held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.images import as_images, draw_tiles, label_tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["traversal"]


def traversal(
    images: ArrayLike,
    latents: Sequence[int],
    values: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw one latent a row, moved through the values, with all others held.

    Parameters
    ----------
    images : array of shape (rows, steps, d) or (rows, steps, h, w)
    latents : sequence of int
        Which latent each row moves, counted from 0.
    values : (steps,) array
        What it is moved to.
    image_shape, ax, vmin, vmax
        As for `npvae.plots.image_grid`.

    Returns
    -------
    matplotlib Figure
        With the latents on its y axis and their values on its x axis.
    """
    tiles, values = as_images("images", images, image_shape, leading=("rows", "steps")), np.asarray(values)
    rows, steps, h, w = tiles.shape[:4]
    if len(latents) != rows or values.shape != (steps,):
        raise ValueError(f"images must have a row a latent and a step a value, got {len(latents)} and {len(values)}")
    ax = draw_tiles(tiles, ax, vmin, vmax, (0.45, 0.45, 0.05))
    label_tiles(ax, "x", [f"{value:.2g}" for value in values], w)
    label_tiles(ax, "y", [f"$z_{{{j + 1}}}$" for j in latents], h)
    return ax.figure
