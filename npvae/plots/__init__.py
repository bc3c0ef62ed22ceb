"""Pictures of samples, reconstructions, latent spaces and learning curves.

Every function takes arrays, draws into the axes (or the figure) it is given, or into a new figure of its own that
pyplot does not know, and returns the figure, which a notebook shows; its first axes are ``figure.axes[0]``. Needs
matplotlib: ``pip install "npvae[plots]"``.
"""

from npvae.plots.bits import bit_histograms, variance_curves
from npvae.plots.canvas import require_matplotlib, save, titled
from npvae.plots.curves import learning_curves, step_curve
from npvae.plots.ellipses import ellipses
from npvae.plots.factors import factor_matrix
from npvae.plots.images import filters, image_grid, image_rows, interpolations, reconstructions
from npvae.plots.manifold import latent_scatter, manifold, manifold_grid
from npvae.plots.restorations import completions, restorations
from npvae.plots.spectrum import jacobian_spectra
from npvae.plots.traversal import traversal

__all__ = [
    "bit_histograms",
    "completions",
    "ellipses",
    "factor_matrix",
    "filters",
    "image_grid",
    "image_rows",
    "interpolations",
    "jacobian_spectra",
    "latent_scatter",
    "learning_curves",
    "manifold",
    "manifold_grid",
    "reconstructions",
    "require_matplotlib",
    "restorations",
    "save",
    "step_curve",
    "titled",
    "traversal",
    "variance_curves",
]
