"""The denoising autoencoder: it sees a corrupted x and is held against the clean one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.models.autoencoder import Autoencoder, Noise
from npvae.models.corruption import Corruption, ZeroOut
from npvae.parameters import Parameters

__all__ = ["DenoisingAutoencoder"]


class DenoisingAutoencoder(Autoencoder):
    """x̃ = corrupt(x, noise) → h → a, and the loss is −log p(x; a) of the clean x.

    The noise is drawn anew at each visit, by `draw_noise`, so no row is seen twice with the same corruption.

    Parameters
    ----------
    n_features, latent_dim, encoder, decoder, likelihood
        Those of `Autoencoder`.
    corruption : Corruption, default ZeroOut(0.5)
        See `npvae.models.corruption`.

    References
    ----------
    Vincent et al., Stacked denoising autoencoders (2010), section 2.3.
    """

    def __init__(self, *networks: Any, corruption: Corruption | None = None, **options: Any) -> None:
        self.corruption = ZeroOut() if corruption is None else corruption
        super().__init__(*networks, **options)

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Noise:
        """ "corruption", (n, n_features), and what dropout in the networks needs."""
        corruption = self.corruption.draw_noise(rng, (n, self.n_features), dtype)
        return {"corruption": corruption, **(super().draw_noise(rng, n, dtype) or {})}

    def corrupt(self, x: NDArray, noise: dict[str, Any]) -> NDArray:
        """What the encoder sees: x with the drawn corruption, or as it is where `noise` holds none."""
        return self.corruption.apply(x, noise["corruption"]) if "corruption" in noise else x

    def denoise(self, theta: Parameters, x: NDArray) -> NDArray:
        """The mean of p(·; a) for a corrupted x (n, n_features): what the autoencoder takes the clean one to be."""
        return self.likelihood.mean(self.decode(theta, self.encode(theta, x)))
