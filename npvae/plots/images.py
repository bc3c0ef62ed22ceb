"""Samples, reconstructions and interpolations: many small images as one array, drawn once, with lines between them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isqrt, prod, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.plots.canvas import DPI, axes_or_new, new_figure, require_matplotlib
from npvae.validation import data_matrix, integer, widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_COLUMNS = 12
SEPARATOR = 1
"""Pixels between two tiles; NaN in the array, the background in the picture."""

WIDTH = 840
"""Dots that a picture takes, more or less, as each of its pixels takes a whole number of them."""

MAX_TILE = 225
"""Dots that one tile takes at most."""

MAX_TICKS = 7


def image_grid(
    images: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    n_columns: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
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
    """
    tiles = as_images("images", images, image_shape)
    n = len(tiles)
    columns = ceil(sqrt(n)) if n_columns is None else min(n, integer("n_columns", n_columns, at_least=1))
    ax = draw_tiles(_in_rows(tiles, columns), ax, vmin, vmax, (0.05, 0.05, 0.35 if title else 0.05))
    if title is not None:
        ax.set_title(title)
    return ax.figure


def reconstructions(
    x: ArrayLike,
    x_hat: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw each image above its reconstruction, at most twelve pairs side by side.

    Parameters
    ----------
    x, x_hat : arrays of shape (n, d) or (n, h, w)
        Data and their decoded means, in the same order.
    image_shape, ax, vmin, vmax
        As for `image_grid`.

    Returns
    -------
    matplotlib Figure
        With the rows labelled x and x̂.
    """
    tiles = {"x": as_images("x", x, image_shape), "x_hat": as_images("x_hat", x_hat, image_shape)}
    require_one_shape(tiles, x=x, x_hat=x_hat)
    return draw_stacks(dict(zip(["$x$", r"$\hat{x}$"], tiles.values(), strict=True)), ax, vmin, vmax, left=0.3)


def require_one_shape(tiles: dict[str, NDArray], **given: ArrayLike) -> None:
    """Refuse images of unequal number or size, by the shapes in which they were given."""
    first, *others = tiles
    for name in others:
        if tiles[name].shape != tiles[first].shape:
            shapes = np.shape(given[first]), np.shape(given[name])
            raise ValueError(f"{name} must have the shape of {first}, {shapes[0]}, got {shapes[1]}")


def draw_stacks(tiles: dict[str, NDArray], ax: Axes | None, vmin: float, vmax: float, left: float) -> Figure:
    """Draw arrays (n, h, w) below one another by their names, MAX_COLUMNS images side by side, in as many strips."""
    n, h, w, *colour = next(iter(tiles.values())).shape
    columns = ceil(n / ceil(n / MAX_COLUMNS))
    rows = np.stack([_in_rows(images, columns) for images in tiles.values()], axis=1)
    rows = rows.reshape(-1, columns, h, w, *colour)
    ax = draw_tiles(rows, ax, vmin, vmax, (left, 0.05, 0.05))
    label_tiles(ax, "y", list(tiles) * (len(rows) // len(tiles)), h, at_most=len(rows))
    return ax.figure


def image_rows(
    rows: Mapping[str, ArrayLike],
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw several versions of the same images below one another: original, corrupted, restored.

    Parameters
    ----------
    rows : mapping of str to (n, d) or (n, h, w) array
        What is written at each row, and its images.
    image_shape, ax, vmin, vmax
        As for `image_grid`.

    Returns
    -------
    matplotlib Figure
    """
    tiles = {name: as_images(name, images, image_shape) for name, images in rows.items()}
    require_one_shape(tiles, **rows)
    return draw_stacks(tiles, ax, vmin, vmax, left=0.75)


def filters(W: ArrayLike, image_shape: tuple[int, int] | None = None, n: int = 64, ax: Axes | None = None) -> Figure:
    """Draw what hidden units of the first layer look for: columns of its weights as images.

    Parameters
    ----------
    W : (d, n_hidden) array
        Weights of a dense layer, such as ``model.theta_["encoder.0.W"]``.
    image_shape, ax
        As for `image_grid`.
    n : int, default 64
        How many: those of the largest norm. Each is scaled by itself, with 0 in the middle of the greys.

    Returns
    -------
    matplotlib Figure
    """
    W = np.asarray(W, dtype=np.float64)
    norms = np.sqrt((W * W).sum(axis=0))
    chosen = np.sort(np.argsort(-norms, kind="stable")[:n])
    columns = W[:, chosen].T
    largest = np.abs(columns).max(axis=1, keepdims=True)
    return image_grid(columns / np.where(largest > 0, largest, 1), image_shape, ax=ax, vmin=-1, vmax=1)


def interpolations(
    images: ArrayLike,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
    ends: ArrayLike | None = None,
) -> Figure:
    """Draw one way from a point of the latent space to another in each row.

    Parameters
    ----------
    images : array of shape (rows, steps, d) or (rows, steps, h, w)
        Decoded at steps ≥ 2 equidistant t from 0 to 1, ends included: z(t) = (1 − t) z(0) + t z(1), or any other path.
    image_shape, ax, vmin, vmax
        As for `image_grid`.
    ends : array of shape (rows, 2, d) or (rows, 2, h, w), optional
        The data between which the way goes, to be drawn at its left and its right.

    Returns
    -------
    matplotlib Figure
        With t on its x axis, at equal steps.
    """
    tiles = as_images("images", images, image_shape, leading=("rows", "steps"))
    steps, _, w = tiles.shape[1:4]
    if steps < 2:
        raise ValueError(f"images must have at least 2 steps a row, got shape {np.shape(images)}")
    labels = [f"{t:.2f}".rstrip("0").rstrip(".") for t in np.linspace(0, 1, steps)]
    gaps = next(n for n in range(min(steps - 1, MAX_COLUMNS), 0, -1) if (steps - 1) % n == 0)
    labels = [label if i * gaps % (steps - 1) == 0 else "" for i, label in enumerate(labels)]
    if ends is not None:
        beside = as_images("ends", ends, image_shape, leading=("rows", "ends"))
        if beside.shape != (len(tiles), 2, *tiles.shape[2:]):
            raise ValueError(f"ends must be two images a row of images, {np.shape(images)}, got {np.shape(ends)}")
        tiles = np.concatenate([beside[:, :1], tiles, beside[:, 1:]], axis=1)
        labels = ["from", *labels, "to"]
    ax = draw_tiles(tiles, ax, vmin, vmax, (0.05, 0.45, 0.05))
    label_tiles(ax, "x", labels, w, at_most=len(labels))
    ax.set_xlabel("t")
    return ax.figure


def as_images(
    argument: str, value: ArrayLike, image_shape: tuple[int, int] | None, leading: tuple[str, ...] = ("n",)
) -> NDArray:
    """`value` of shape (*leading, d) or (*leading, h, w) as a finite array of shape (*leading, h, w).

    Images in colour are (h, w, 3).

    Without `image_shape`, (h, w) are the last two axes, or the sides of a square of d pixels.
    """
    x = data_matrix(argument, value, dtype=np.float64)
    shape = np.shape(value)
    front, rest = shape[: len(leading)], shape[len(leading) :]
    if len(rest) == 3 and rest[-1] in (1, 3) and image_shape is None:
        image_shape = rest
    if len(rest) not in (1, 2, 3):
        axes = ", ".join(leading)
        raise ValueError(f"{argument} must have shape ({axes}, d) or ({axes}, h, w), got shape {shape}")
    n_pixels = prod(rest)
    if image_shape is None and len(rest) == 1 and isqrt(n_pixels) ** 2 != n_pixels:
        raise ValueError(f"image_shape must be given: {n_pixels} pixels a row of {argument} make no square")
    square = (isqrt(n_pixels),) * 2
    sides = widths("image_shape", image_shape if image_shape is not None else (rest if len(rest) == 2 else square))
    if len(sides) == 3 and sides[2] == 1:
        sides = sides[:2]
    if len(sides) not in (2, 3) or sides[2:] not in ((), (3,)) or prod(sides) != n_pixels:
        needed = f"(h, w) or (h, w, 3) whose product is {n_pixels}, the numbers of an image of {argument}"
        raise ValueError(f"image_shape must be {needed}, got {sides}")
    return x.reshape(*front, *sides)


def _in_rows(images: NDArray, columns: int) -> NDArray:
    """Images (n, h, w) as (rows, columns, h, w), with blank ones at the end."""
    n, *shape = images.shape
    return np.concatenate([images, np.full((-n % columns, *shape), np.nan)]).reshape(-1, columns, *shape)


def tile(images: NDArray) -> NDArray:
    """Images of shape (rows, columns, h, w) in one array of shape (rows·(h+1) − 1, columns·(w+1) − 1), NaN between."""
    rows, columns, h, w, *colour = images.shape
    tiled = np.full((rows, h + SEPARATOR, columns, w + SEPARATOR, *colour), np.nan)
    tiled[:, :h, :, :w] = images.swapaxes(1, 2)
    return tiled.reshape(rows * (h + SEPARATOR), columns * (w + SEPARATOR), *colour)[:-SEPARATOR, :-SEPARATOR]


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
    if ax is None:  # a whole number of dots for each pixel: none is blurred at DPI or a multiple of it
        dots = max(min(round(WIDTH / max(tiled.shape[:2])), MAX_TILE // max(images.shape[2:4])), 1)
        height, width = (dots * pixels / DPI for pixels in tiled.shape[:2])
        left, below, above, right = (round(margin * DPI) / DPI for margin in (*margins, 0.05))
        size = (left + width + right, below + height + above)
        figure = new_figure(figsize=size)
        ax = figure.add_axes((left / size[0], below / size[1], width / size[0], height / size[1]))
        interpolation = "nearest"
    grey = require_matplotlib().colormaps["gray"].with_extremes(bad="none")
    if tiled.ndim == 3:  # colour: what is blank becomes transparent
        blank = np.isnan(tiled).any(axis=-1, keepdims=True)
        colour = np.clip((np.where(blank, 0, tiled) - vmin) / (vmax - vmin), 0, 1)
        tiled = np.concatenate([colour, ~blank], axis=-1)
    axes_or_new(ax).imshow(tiled, cmap=grey, vmin=vmin, vmax=vmax, interpolation=interpolation)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def label_tiles(ax: Axes, axis: Literal["x", "y"], labels: list[str], pixels: int, at_most: int = MAX_TICKS) -> None:
    """Write some of `labels` at the middles of tiles along `axis`: evenly if it goes, the same from both ends."""
    gaps = len(labels) - 1
    most = min(gaps, at_most - 1)
    even = [n for n in range(2, most + 1) if gaps % n == 0]
    n = max(even, default=most - (gaps - most) % 2)  # an odd number of gaps has no tile in its middle
    half = np.linspace(0, gaps, n + 1)[: n // 2 + 1].round().astype(int)
    chosen = np.union1d(half, gaps - half)
    middles = chosen * (pixels + SEPARATOR) + (pixels - 1) / 2
    ax.set(**{f"{axis}ticks": middles, f"{axis}ticklabels": [labels[i] for i in chosen]})
    ax.tick_params(axis, length=0)
