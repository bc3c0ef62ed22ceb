"""In how many directions a code moves when the data do: the singular values of encoders' Jacobians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new, require_matplotlib
from npvae.validation import data_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def jacobian_spectra(spectra: Mapping[str, ArrayLike], ax: Axes | None = None) -> Figure:
    """Draw the mean singular values of ∂h/∂x, largest first, on a logarithmic scale, a curve a model.

    Parameters
    ----------
    spectra : mapping of str to (n, k) array
        For every model the singular values of n rows, as `ContractiveAutoencoder.jacobian_spectrum` gives them.
    ax : matplotlib Axes, optional
        Where to draw; without it, a new figure.
    """
    ax = axes_or_new(ax)
    for name, values in spectra.items():
        mean = data_matrix(name, values, dtype=np.float64).mean(axis=0)
        ax.plot(range(1, len(mean) + 1), mean, marker="." if len(mean) <= 20 else "", linewidth=1.2, label=name)
    ax.set(yscale="log", xlabel="direction", ylabel="singular value of ∂h/∂x, mean over rows")
    ax.xaxis.set_major_locator(require_matplotlib().ticker.MaxNLocator(integer=True, min_n_ticks=1))
    ax.spines[["top", "right"]].set_visible(False)
    if len(spectra) > 1:
        ax.legend(frameon=False)
    return ax.figure
