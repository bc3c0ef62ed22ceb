"""The sparse autoencoder as an estimator."""

from __future__ import annotations

from typing import Any

from npvae.estimators.autoencoder import Autoencoder
from npvae.estimators.base import estimator
from npvae.estimators.network_options import LAYER
from npvae.estimators.options import option
from npvae.layers import ACTIVATIONS
from npvae.models import SparseAutoencoder as Model
from npvae.validation import ArgumentError

__all__ = ["SparseAutoencoder"]

IN_UNIT_INTERVAL = ("sigmoid",)
"""Activations of a code that can be a rate."""


@estimator
class SparseAutoencoder(Autoencoder):
    """Autoencoder whose code is mostly silent: λ‖h‖₁ or λ Σ_j KL(target rate ‖ mean of h_j) is added to the loss.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_ : npvae.models.SparseAutoencoder
    others
        Those of `npvae.Autoencoder`.
    """

    code_activation: Any = option(
        "sigmoid", "nonlinearity after the encoder's last layer; a target rate wants sigmoid", choices=ACTIVATIONS,
        members=LAYER, kw_only=True,
    )  # fmt: skip
    sparsity: float = option(0.1, "weight of the penalty", at_least=0, kw_only=True, metavar="λ")
    target_rate: float | None = option(
        None,
        "mean that every hidden unit of the code should have, in (0, 1); without it the penalty is ‖h‖₁",
        kind=float,
        above=0,
        optional=True,
        kw_only=True,
        metavar="ρ",
    )

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        rate = self._option("target_rate")
        if rate is not None and isinstance(self.code_activation, str) and self.code_activation not in IN_UNIT_INTERVAL:
            rule = "be None with {code_activation}: a rate is the mean of numbers in [0, 1], such as those of sigmoid"
            raise ArgumentError("target_rate", rule, rate, settings={"code_activation": self.code_activation})
        penalty = {"sparsity": self._option("sparsity"), "target_rate": rate}
        return Model(*self._networks(n_features), likelihood=self._likelihood(), **penalty)
