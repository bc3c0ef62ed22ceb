"""Encoder and decoder: the options that describe them, and the networks that these describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npvae.estimators.options import option
from npvae.layers import ACTIVATIONS, INITIALIZERS, Chain, networks

__all__ = ["NetworkOptions"]

LAYER = ("shapes", "init", "forward", "backward")
"""The members of a layer."""


@dataclass(eq=False, repr=False)
class NetworkOptions:
    """An estimator of two networks: x to code, and code to x."""

    latent_dim: int = option(20, "number of latents", at_least=1, flag="latent", metavar="D")
    hidden: int | Sequence[int] = option(
        400, "widths of the encoder's hidden layers; the decoder has them in reverse", kind=tuple, metavar="N[,N…]"
    )
    activation: Any = option("relu", "nonlinearity between the layers", choices=ACTIVATIONS, members=LAYER)
    init_weights: Any = option(
        "standard", "initial weights", choices=INITIALIZERS, members=("__call__",), flag="init", kw_only=True
    )
    encoder: Any = option(
        None, "network from x to the code, in the place of the one that the other options describe", kind=object,
        members=LAYER, optional=True, flag=None, kw_only=True,
    )  # fmt: skip
    decoder: Any = option(
        None, "network from the latents to x, likewise", kind=object, members=LAYER, optional=True, flag=None,
        kw_only=True,
    )  # fmt: skip

    def _encoder_and_decoder(self, n_features: int, n_code: int, n_out: int) -> tuple[Chain, Chain]:
        """Networks from n_features to n_code and from latent_dim to n_out: those that are given, or new ones."""
        hidden = self._option("hidden")
        given = {"activation": self.activation, "init_weights": self.init_weights}
        encoder = self.encoder or networks.mlp(n_features, hidden, n_code, **given)
        decoder = self.decoder or networks.mlp(self.latent_dim, hidden[::-1], n_out, **given)
        return encoder, decoder

    def _size(self) -> tuple[str, str]:
        hidden = ", ".join(map(str, self._option("hidden"))) or "none"
        return "hidden or latent_dim", f"{hidden} and {self.latent_dim}"
