"""Samples, reconstructions and interpolations as pictures."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.tiles import as_images, draw_tiles, label_tiles
from npvae.validation import integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["image_grid", "interpolations", "reconstructions"]

MAX_PAIRS = 12


def image_grid(
    images: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    n_columns: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Axes:
    """Draw images row by row on a grid.

    Parameters
    ----------
    images : array of shape (n, d) or (n, h, w)
        Grey values from `vmin` (black) to `vmax` (white).
    image_shape : (h, w), optional
        Needed for rows of d values that make no square.
    n_columns : int, optional
        Without it, about as many as rows.
    ax : matplotlib Axes, optional
        Where to draw; without it, a new figure.
    title : str, optional

    Returns
    -------
    matplotlib Axes
    """
    tiles = as_images("images", images, image_shape)
    n, h, w = tiles.shape
    columns = ceil(sqrt(n)) if n_columns is None else min(n, integer("n_columns", n_columns, at_least=1))
    blank = np.full((-n % columns, h, w), np.nan)
    ax = draw_tiles(
        np.concatenate([tiles, blank]).reshape(-1, columns, h, w), ax, vmin, vmax, (0.05, 0.05, 0.35 if title else 0.05)
    )
    if title is not None:
        ax.set_title(title)
    return ax


def reconstructions(
    x: ArrayLike,
    x_hat: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Axes:
    """Draw each image above its reconstruction, at most twelve pairs side by side.

    Parameters
    ----------
    x, x_hat : arrays of shape (n, d) or (n, h, w)
        Data and their decoded means, in the same order.
    image_shape, ax, vmin, vmax
        As for `image_grid`.

    Returns
    -------
    matplotlib Axes
        With the rows labelled x and x̂.
    """
    above, below = as_images("x", x, image_shape), as_images("x_hat", x_hat, image_shape)
    if above.shape != below.shape:
        raise ValueError(f"x_hat must have the shape of x, {np.shape(x)}, got {np.shape(x_hat)}")
    n, h, w = above.shape
    columns = ceil(n / ceil(n / MAX_PAIRS))
    blank = np.full((-n % columns, h, w), np.nan)
    rows = [np.concatenate([tiles, blank]).reshape(-1, columns, h, w) for tiles in (above, below)]
    pairs = np.stack(rows, axis=1).reshape(-1, columns, h, w)
    ax = draw_tiles(pairs, ax, vmin, vmax, (0.3, 0.05, 0.05))
    label_tiles(ax, "y", ["$x$", r"$\hat{x}$"] * len(rows[0]), h, at_most=len(pairs))
    return ax


def interpolations(
    images: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Axes:
    """Draw one way from a point of the latent space to another in each row.

    Parameters
    ----------
    images : array of shape (rows, steps, d) or (rows, steps, h, w)
        Decoded at steps ≥ 2 equidistant t from 0 to 1, ends included: z(t) = (1 − t) z(0) + t z(1), or any other path.
    image_shape, ax, vmin, vmax
        As for `image_grid`.

    Returns
    -------
    matplotlib Axes
        With t on its x axis.
    """
    tiles = as_images("images", images, image_shape, leading=("rows", "steps"))
    steps, _, w = tiles.shape[1:]
    if steps < 2:
        raise ValueError(f"images must have at least 2 steps a row, got shape {np.shape(images)}")
    ax = draw_tiles(tiles, ax, vmin, vmax, (0.05, 0.45, 0.05))
    label_tiles(ax, "x", [f"{t:.2g}" for t in np.linspace(0, 1, steps)], w)
    ax.set_xlabel("t")
    return ax
