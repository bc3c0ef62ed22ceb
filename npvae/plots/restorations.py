"""What was seen of images, what may have been behind it, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.plots.images import as_images, draw_stacks, require_one_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def completions(
    x: ArrayLike,
    seen: ArrayLike,
    mean: ArrayLike,
    draw: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw what is seen of each image, above two completions of it, at most twelve side by side.

    Parameters
    ----------
    x : array of shape (n, d) or (n, h, w)
        Data; what is not seen is left blank, and may be anything, NaN too.
    seen : array of bool, like x
    mean, draw : arrays like x
        Such as those of `npvae.VAE.impute`.
    image_shape, ax, vmin, vmax
        As for `image_grid`.
    """
    if np.size(seen) != np.size(x):
        raise ValueError(f"seen must have the shape of x, {np.shape(x)}, got {np.shape(seen)}")
    visible = np.where(np.reshape(seen, np.shape(x)).astype(bool), x, np.nan)
    return _below_what_was_seen(visible, {"mean": mean, "draw": draw}, image_shape, ax, vmin, vmax)


def restorations(
    seen: ArrayLike,
    mean: ArrayLike,
    draws: ArrayLike,
    std: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
    *,
    name: str = "mean",
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
    name : str, default "mean"
        What `mean` is called, such as "mode".
    """
    rows = {name: mean} | {f"draw {k + 1}": draw for k, draw in enumerate(np.asarray(draws))}
    rows["2 std"] = 2 * np.asarray(std) + vmin
    return _below_what_was_seen(np.asarray(seen, np.float64), rows, image_shape, ax, vmin, vmax)


def _below_what_was_seen(
    seen: NDArray,
    rows: Mapping[str, ArrayLike],
    image_shape: tuple[int, int] | None,
    ax: Axes | None,
    vmin: float,
    vmax: float,
) -> Figure:
    """Draw images with gaps, NaN, and below them whole ones by their names."""
    blank = np.isnan(seen)
    named = {"seen": np.where(blank, 0, seen), **rows}
    tiles = {name: as_images(name, value, image_shape) for name, value in named.items()}
    require_one_shape(tiles, **named)
    tiles["seen"] = np.where(blank.reshape(tiles["seen"].shape), np.nan, tiles["seen"])
    return draw_stacks(tiles, ax, vmin, vmax, left=0.55)
