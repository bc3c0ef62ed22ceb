"""Encoder and decoder: the options that describe them, and the networks that these describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import Any

from numpy.typing import NDArray

from npvae.datasets.scaling import Scaling
from npvae.distributions import LIKELIHOODS
from npvae.estimators.options import option
from npvae.layers import ACTIVATIONS, INITIALIZERS, Chain, networks
from npvae.validation import ArgumentError

__all__ = ["NETWORKS", "NetworkOptions"]

CHANNELS = (32, 64)
"""Channels of two convolutions, the usual ones for MNIST."""

LAYER = ("shapes", "init", "forward", "backward")
"""The members of a layer."""


def _mlp(options: NetworkOptions, n_features: int, n_code: int, n_out: int) -> tuple[Chain, Chain]:
    """Two multilayer perceptrons, one the mirror image of the other."""
    hidden, given = options._option("hidden"), options._layer_options()
    encoder = networks.mlp(n_features, hidden, n_code, **given)
    return encoder, networks.mlp(options.latent_dim, hidden[::-1], n_out, **given)


def _conv(options: NetworkOptions, n_features: int, n_code: int, n_out: int) -> tuple[Chain, Chain]:
    """Convolutions that halve the image, then dense layers; and the mirror image."""
    shape = options._image(n_features)
    channels = CHANNELS if options.channels is None else options._option("channels")
    given = {"hidden": options._option("hidden"), **options._layer_options()}
    encoder = networks.conv(shape, channels, n_code, **given)
    return encoder, networks.conv_transpose(options.latent_dim, shape, channels, n_out, **given)


NETWORKS: dict[str, Callable[[Any, int, int, int], tuple[Chain, Chain]]] = {"mlp": _mlp, "conv": _conv}
"""Kinds of networks: from the options, n_features, n_code and n_out to encoder and decoder."""


@dataclass(eq=False, repr=False)
class NetworkOptions:
    """An estimator of two networks: x to code, and code to x. It has options `likelihood` and `mean_link` as well."""

    latent_dim: int = option(20, "number of latents", at_least=1, flag="latent", metavar="D")
    hidden: int | Sequence[int] = option(
        400, "widths of the encoder's hidden layers; the decoder has them in reverse", kind=tuple, metavar="N[,N…]"
    )
    activation: Any = option("relu", "nonlinearity between the layers", choices=ACTIVATIONS, members=LAYER)
    init_weights: Any = option(
        "standard", "initial weights", choices=INITIALIZERS, members=("__call__",), flag="init", kw_only=True
    )
    network: str = option(
        "mlp", "kind of networks: dense layers, or convolutions for images", choices=NETWORKS, kw_only=True
    )
    channels: int | Sequence[int] | None = option(
        None,
        "with network conv: channels after each convolution (4×4, stride 2), which halves the image, 32 and 64 if not "
        "given; then come the hidden layers",
        kind=tuple,
        optional=True,
        metavar="N[,N…]",
        kw_only=True,
    )
    image_shape: Any = option(
        None,
        "with network conv: height, width and channels of a row, channels last, where the data come in another shape",
        kind=tuple,
        optional=True,
        metavar="H,W[,C]",
        kw_only=True,
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
        if self.encoder is not None and self.decoder is not None:
            return self.encoder, self.decoder
        encoder, decoder = NETWORKS[self.network](self, n_features, n_code, n_out)
        return self.encoder or encoder, self.decoder or decoder

    def _layer_options(self) -> dict[str, Any]:
        return {"activation": self.activation, "init_weights": self.init_weights}

    def _image(self, n_features: int) -> tuple[int, int, int]:
        """Height, width and channels of a row."""
        shape = self._option("image_shape") or (isqrt(n_features), isqrt(n_features))
        if len(shape) == 2:
            shape = (*shape, 1)
        if len(shape) != 3 or prod(shape) != n_features:
            rule = f"be (height, width, channels) of a row of {n_features} features with {{network}}"
            raise ArgumentError("image_shape", rule, self.image_shape, settings={"network": self.network})
        return shape

    def _decide_shape(self, image_shape: tuple[int, ...] | None) -> dict[str, Any]:
        is_taken = self.network == "conv" and self.image_shape is None and image_shape is not None
        return {"image_shape": image_shape} if is_taken else {}

    def _wants_unit_interval(self) -> bool:
        """Whether the likelihood or its link has no place for data outside [0, 1]."""
        named = LIKELIHOODS.get(self.likelihood) if isinstance(self.likelihood, str) else None
        return self.mean_link == "sigmoid" or (named is not None and named.unit_interval)

    def _scaling_of(self, x: NDArray) -> Scaling:
        # To standardise would lead out of the interval.
        scaling = super()._scaling_of(x)
        leaves = self.scale == "auto" and scaling.how == "standard" and self._wants_unit_interval()
        return Scaling() if leaves else scaling

    def _size(self) -> tuple[str, str]:
        hidden = ", ".join(map(str, self._option("hidden"))) or "none"
        return "hidden or latent_dim", f"{hidden} and {self.latent_dim}"
