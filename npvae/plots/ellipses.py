"""The components of a mixture in the plane: an ellipse each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ellipses"]


def ellipses(means: ArrayLike, covariances: ArrayLike, ax: Axes | None = None, sigmas: float = 2) -> Figure:
    """Draw where each component's density is e^{−sigmas²/2} of its maximum: with 2, 86 % of its draws lie within.

    Parameters
    ----------
    means : (k, 2) array
    covariances : (k, 2, 2) array
    ax : matplotlib Axes, optional
        Where to draw, such as onto a `npvae.plots.latent_scatter`; without it, a new figure.
    sigmas : float, default 2

    Returns
    -------
    matplotlib Figure
        With equal scales.
    """
    means, covariances = np.asarray(means, np.float64), np.asarray(covariances, np.float64)
    if means.ndim != 2 or means.shape[1] != 2 or covariances.shape != (len(means), 2, 2):
        got = f"shapes {means.shape} and {covariances.shape}"
        raise ValueError(f"means and covariances must have shapes (k, 2) and (k, 2, 2), got {got}")
    Ellipse = require_matplotlib().patches.Ellipse
    ax = axes_or_new(ax)
    for mean, (values, vectors) in zip(means, map(np.linalg.eigh, covariances), strict=True):
        width, height = 2 * sigmas * np.sqrt(np.maximum(values, 0))
        angle = np.rad2deg(np.arctan2(vectors[1, 0], vectors[0, 0]))
        ax.add_patch(Ellipse(mean, width, height, angle=angle, fill=False, edgecolor="black", linewidth=0.8))
    ax.autoscale_view()
    ax.set_aspect("equal", adjustable="datalim")
    return ax.figure
