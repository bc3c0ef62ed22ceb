"""Where the data lie in the latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.plots.canvas import axes_or_new, require_matplotlib
from npvae.validation import data_matrix, integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_CLASSES = 20

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def latent_scatter(
    z: ArrayLike,
    labels: ArrayLike | None = None,
    ax: Axes | None = None,
    dimensions: tuple[int, int] = (0, 1),
) -> Axes:
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
    matplotlib Axes
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
    return ax


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
