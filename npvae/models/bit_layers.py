"""What models with layers of binary latents share: their widths, and the draws behind an estimate of log p(x)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import Bernoulli
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, integer, widths

__all__ = ["BitLayers"]


class BitLayers:
    """Bits x and layers of binary latents z_1, …, z_T. A subclass has `n_features` and `latent_dims`."""

    n_features: int
    latent_dims: int | Sequence[int]

    def _require_widths(self) -> None:
        """An ArgumentError unless all widths are positive, and there is a layer of latents."""
        integer("n_features", self.n_features, at_least=1)
        if not widths("latent_dims", self.latent_dims):
            raise ArgumentError("latent_dims", "name at least one layer", self.latent_dims)

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of x, z_1, …, z_T."""
        return (self.n_features, *widths("latent_dims", self.latent_dims))

    @property
    def n_layers(self) -> int:
        """T, stochastic layers."""
        return len(self.widths) - 1

    @property
    def latent_dim(self) -> int:
        """Width of z_1, the layer that the data are decoded from."""
        return self.widths[1]

    @property
    def likelihood(self) -> Bernoulli:
        """p(x|z_1)."""
        return Bernoulli()

    def _sampler(
        self, log_weights: Callable[[list[NDArray]], NDArray], theta: Parameters
    ) -> Callable[[Sequence[np.random.Generator], int], NDArray]:
        """log w of draws from q, (n, K) in float64, as `npvae.evaluation.log_likelihood` asks for them.

        The uniform noise (K, n, d_t) of every layer, a row from its own generator, is what `log_weights` turns into
        log p(x, z) − log q(z|x), (K, n).
        """

        def draw(generators: Sequence[np.random.Generator], n: int) -> NDArray:
            rows = [tuple(rng.random((n, d), dtype=theta.dtype) for d in self.widths[1:]) for rng in generators]
            return log_weights([np.stack(layer, axis=1) for layer in zip(*rows, strict=True)]).T.astype(np.float64)

        return draw
