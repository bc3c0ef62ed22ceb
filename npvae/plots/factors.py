"""Which latent knows which factor, as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new, new_figure
from npvae.plots.manifold import SUBSCRIPTS
from npvae.validation import data_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CELLS = 20
"""Latents that have a label, and that a picture becomes wider for."""


def factor_matrix(matrix: ArrayLike, factors: Iterable[str], ax: Axes | None = None) -> Figure:
    """Draw shares of information from 0 (white) to 1 (black), a row for each factor and a column for each latent.

    Parameters
    ----------
    matrix : array of shape (K, d)
        From `npvae.evaluation.factor_matrix`.
    factors : K names
        Such as the mapping that it was made from.
    ax : matplotlib Axes, optional
        Where to draw; without it, a new figure.
    """
    values, names = data_matrix("matrix", matrix, dtype=np.float64), list(factors)
    if len(names) != len(values):
        raise ValueError(f"factors must be {len(values)} names, one for each row of matrix, got {len(names)}")
    if ax is None:  # the content says how large: a cell for each entry, room for the names and the colour bar
        size = (2.6 + 0.35 * min(values.shape[1], MAX_CELLS), 1.0 + 0.4 * len(values))
        ax = new_figure(figsize=size, layout="constrained").subplots()
    ax = axes_or_new(ax)
    picture = ax.imshow(values, cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(picture, ax=ax, label="mutual information /\nentropy of the factor")
    latents = [f"z{j + 1}".translate(SUBSCRIPTS) for j in range(values.shape[1])]
    step = -(-len(latents) // MAX_CELLS)  # more labels than that run into one another
    ax.set(
        xticks=range(0, len(latents), step), xticklabels=latents[::step], yticks=range(len(names)), yticklabels=names
    )
    ax.tick_params(length=0)
    return ax.figure
