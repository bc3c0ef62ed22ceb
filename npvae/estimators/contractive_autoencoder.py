"""The contractive autoencoder as an estimator."""

from __future__ import annotations

from math import prod
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.datasets import Dataset
from npvae.estimators.autoencoder import Autoencoder
from npvae.estimators.base import by_rows, estimator, needs_fit
from npvae.estimators.network_options import LAYER
from npvae.estimators.options import option
from npvae.layers import ACTIVATIONS, jacobian
from npvae.models import ContractiveAutoencoder as Model

__all__ = ["ContractiveAutoencoder"]

SHOWN = 200
"""Rows over which the picture of the Jacobian's spectrum takes the mean."""


@estimator
class ContractiveAutoencoder(Autoencoder):
    """Autoencoder whose code hardly moves when x does: λ ‖∂h/∂x‖² is added to the loss, with its exact gradient.

    A step costs about as much as `latent_dim` steps of the encoder, unless that is a single layer (``hidden=()``).

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_ : npvae.models.ContractiveAutoencoder
    others
        Those of `npvae.Autoencoder`.
    """

    code_activation: Any = option(
        "sigmoid", "nonlinearity after the encoder's last layer", choices=ACTIVATIONS, members=LAYER, kw_only=True
    )
    contraction: float = option(0.1, "weight of the penalty", at_least=0, kw_only=True, metavar="λ")

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        networks, contraction = self._networks(n_features), self._option("contraction")
        return Model(*networks, likelihood=self._likelihood(), contraction=contraction)

    def _memory(self, model: Model) -> dict[tuple[str, str], int]:
        """The Jacobians of a batch, layer by layer, forward and backward."""
        widths = [prod(layer.output_shape) if hasattr(layer, "output_shape") else getattr(layer, "n_out", 0)
                  for layer in model.encoder.layers[:-1]]  # fmt: skip
        what = f"Jacobians of {self.latent_dim} latents for each of {self.batch_size:,} rows"
        return {("latent_dim or batch_size", what): 4 * self.latent_dim * self.batch_size * sum(widths)}

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """ "jacobian": the singular values of ∂h/∂x; with the pictures of every autoencoder."""
        spectrum = self.jacobian_spectrum(shown.x[:SHOWN])
        return {**super().pictures(plots, shown), "jacobian": plots.jacobian_spectra({"contractive": spectrum})}

    @needs_fit
    def jacobian(self, X: ArrayLike) -> NDArray:
        """∂h/∂x of every row, (n, latent_dim, n_features), with x on the model's scale."""
        return by_rows(
            lambda x: jacobian(self.model_.encoder, self.theta_.section("encoder"), x), self._rows(X), self.latent_dim
        )

    @needs_fit
    def jacobian_spectrum(self, X: ArrayLike) -> NDArray:
        """The singular values of ∂h/∂x of every row, largest first: (n, min(latent_dim, n_features))."""
        return np.linalg.svd(self.jacobian(X), compute_uv=False)
