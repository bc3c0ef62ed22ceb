"""Where the data lie in the latent space, and what two dimensions of it decode to on a grid of equal probability."""

from __future__ import annotations

from math import isqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.plots.canvas import axes_or_new, require_matplotlib
from npvae.plots.images import as_images, draw_tiles, label_tiles
from npvae.validation import data_matrix, integer, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MAX_CLASSES = 20
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def manifold_grid(n_side: int = 20, low: float = 0.05, high: float | None = None) -> NDArray[np.float64]:
    """Latents on a square grid that is equidistant in probability under the prior N(0, I), whatever prior a model has.

    Each coordinate runs through Φ⁻¹(u) for `n_side` equidistant u from `low` to `high` (Kingma and Welling,
    Auto-Encoding Variational Bayes, appendix A).

    Parameters
    ----------
    n_side : int
        Points along an axis, at least 2.
    low, high : float
        Probabilities at the ends, 0 < low < high < 1. Without `high`, 1 − low.

    Returns
    -------
    array of shape (n_side², 2)
        (z₁, z₂) in the order in which `manifold` draws: the first row has the highest z₂, z₁ grows along a row.

    Examples
    --------
    >>> manifold_grid(2, low=0.1587).round(1).tolist()
    [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
    """
    integer("n_side", n_side, at_least=2)
    low = number("low", low)
    high = 1 - low if high is None else number("high", high)
    if not 0 < low < high < 1:
        raise ValueError(f"low and high must satisfy 0 < low < high < 1, got {low} and {high}")
    side = [NormalDist().inv_cdf(u) for u in np.linspace(low, high, n_side).tolist()]
    z1, z2 = np.meshgrid(side, side[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1)


def manifold(
    images: ArrayLike,
    grid: ArrayLike | None = None,
    image_shape: tuple[int, int] | None = None,
    ax: Axes | None = None,
    vmin: float = 0,
    vmax: float = 1,
) -> Figure:
    """Draw the decoded images of a latent grid where their latents lie.

    Parameters
    ----------
    images : array of shape (k², d) or (k², h, w)
        The decoded mean of every point of `grid`.
    grid : array of shape (k², 2), optional
        What was decoded, as `manifold_grid` orders it: rows of the picture from the highest z₂ down, z₁ growing along a
        row. Without it, ``manifold_grid(k)``.
    image_shape, ax, vmin, vmax
        As for `image_grid`.

    Returns
    -------
    matplotlib Figure
        With the coordinates of the grid at its axes.
    """
    tiles = as_images("images", images, image_shape)
    z1, z2 = _sides(manifold_grid(max(isqrt(len(tiles)), 2)) if grid is None else grid)
    if len(tiles) != len(z1) ** 2:
        raise ValueError(f"images must be as many as the points of grid, {len(z1)}², got {len(tiles)}")
    h, w = tiles.shape[1:3]
    ax = draw_tiles(tiles.reshape(len(z2), len(z1), *tiles.shape[1:]), ax, vmin, vmax, (0.75, 0.5, 0.1))
    label_tiles(ax, "x", [_coordinate(z) for z in z1], w)
    label_tiles(ax, "y", [_coordinate(z) for z in z2], h)
    ax.set(xlabel="z₁ (equal steps in probability)", ylabel="z₂ (equal steps in probability)")
    return ax.figure


def _sides(grid: ArrayLike) -> tuple[NDArray, NDArray]:
    """z₁ along the first row of a square grid and z₂ down its first column."""
    z = data_matrix("grid", grid, n_features=2, dtype=np.float64)
    k = isqrt(len(z))
    if k * k == len(z):
        z1, z2 = z.reshape(k, k, 2)[0, :, 0], z.reshape(k, k, 2)[:, 0, 1]
        expected = np.stack(np.meshgrid(z1, z2), axis=-1).reshape(-1, 2)
        if (np.diff(z1) > 0).all() and (np.diff(z2) < 0).all() and np.array_equal(z, expected):
            return z1, z2
    raise ValueError(f"grid must be a square grid in the order of manifold_grid, got another array of shape {z.shape}")


def _coordinate(z: float) -> str:
    return f"{z:.2f}".replace("-", "−") if abs(z) >= 0.005 else "0"


def latent_scatter(
    z: ArrayLike,
    labels: ArrayLike | None = None,
    ax: Axes | None = None,
    dimensions: tuple[int, int] = (0, 1),
) -> Figure:
    """Draw two coordinates of the posterior means, one point a datum.

    Parameters
    ----------
    z : array of shape (n, d), d ≥ 2
        Posterior means.
    labels : array of shape (n,), optional
        Integers, truth values or strings of at most 20 kinds are classes, with a legend. Floats, and more than 20
        integers, are quantities, with a colour bar.
    ax : matplotlib Axes, optional
        Where to draw; without it, a new figure.
    dimensions : (int, int)
        Which two coordinates, counted from 0; the axes count from 1.

    Returns
    -------
    matplotlib Figure
        With equal scales.
    """
    z = data_matrix("z", z, dtype=np.float64)
    i, j = _dimensions(dimensions, z.shape[1])
    kinds, colours = _colours(labels, len(z))
    ax = axes_or_new(ax)
    # Points cover about the same area of the picture however many there are.
    size = float(np.clip(30_000 / len(z), 3, 20))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "alpha": 0.8, "rasterized": True}
    if colours is None:
        ax.scatter(z[:, i], z[:, j], **style)
    elif kinds is None:
        points = ax.scatter(z[:, i], z[:, j], c=colours, cmap="viridis", **style)
        ax.figure.colorbar(points, ax=ax)
    else:
        palette = require_matplotlib().colormaps["tab10" if len(kinds) <= 10 else "tab20"].colors
        ax.scatter(z[:, i], z[:, j], c=[palette[k] for k in colours], **style)
        style = {"linestyle": "", "marker": "o", "markersize": 5}
        line = require_matplotlib().lines.Line2D
        handles = [line([], [], color=palette[k], label=str(kind), **style) for k, kind in enumerate(kinds)]
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, handlelength=1)
    x, y = (f"z{dimension + 1}".translate(SUBSCRIPTS) + " (posterior mean)" for dimension in (i, j))
    ax.set(xlabel=x, ylabel=y, aspect="equal")
    ax.set_adjustable("datalim")
    return ax.figure


def _dimensions(dimensions: tuple[int, int], d: int) -> tuple[int, int]:
    if d < 2:
        raise ValueError(f"z must have at least 2 columns, got {d}")
    i, j = (integer("dimensions", dimension, at_least=0) for dimension in dimensions)
    if max(i, j) >= d:
        raise ValueError(f"dimensions must be below {d}, the columns of z, got {(i, j)}")
    return i, j


def _colours(labels: ArrayLike | None, n: int) -> tuple[NDArray | None, NDArray | None]:
    """The classes and the index of each label among them; for quantities no classes but the values."""
    if labels is None:
        return None, None
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError(f"labels must have shape {(n,)}, one for each row of z, got {values.shape}")
    if values.dtype.kind not in "biufU":
        raise TypeError(f"labels must be numbers, truth values or strings, got dtype {values.dtype}")
    if values.dtype.kind == "f":
        return None, data_matrix("labels", values[:, None], dtype=np.float64)[:, 0]
    kinds, indices = np.unique(values, return_inverse=True)
    if len(kinds) <= MAX_CLASSES:
        return kinds, indices
    if values.dtype.kind == "U":
        raise ValueError(f"labels must have at most {MAX_CLASSES} different strings, got {len(kinds)}")
    return None, values
