"""The contractive autoencoder: a code that hardly moves when x does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.layers import Chain
from npvae.layers.jacobian import backward_with, require_jacobian, squared_norm, squared_norm_backward
from npvae.models.autoencoder import Autoencoder, Forward, Penalty
from npvae.parameters import Parameters
from npvae.validation import number

__all__ = ["ContractiveAutoencoder"]


class ContractiveAutoencoder(Autoencoder):
    """An autoencoder with the penalty λ ‖∂h/∂x‖²_F = λ Σ_jk (∂h_j/∂x_k)², of every row at its own x.

    The gradient is exact for encoders of any depth, of dense layers, convolutions and activations: the Jacobian is made
    by products, and these are differentiated, see `npvae.layers.jacobian`. For one dense layer with an activation the
    penalty is Σ_j f′(a_j)² ‖W_j‖² and costs next to nothing; deeper, a step costs about latent_dim steps of a plain
    autoencoder's encoder.

    Parameters
    ----------
    n_features, latent_dim, encoder, decoder, likelihood
        Those of `Autoencoder`.
    contraction : float, default 0.1
        λ, at least 0, in units of the loss per (unit of h / unit of x)².

    Raises
    ------
    TypeError, ValueError
        As `Autoencoder`, and if λ is negative or the encoder has a layer whose Jacobian is not known.

    References
    ----------
    Rifai et al., Contractive auto-encoders: explicit invariance during feature extraction (2011), eq. (4).
    """

    def __init__(self, *networks: Any, contraction: float = 0.1, **options: Any) -> None:
        self.contraction = number("contraction", contraction, at_least=0)
        super().__init__(*networks, **options)
        require_jacobian(self.encoder)

    def penalty(self, encoder: Parameters, network: Chain, cache: Any, h: NDArray) -> Penalty:
        """‖∂h/∂x‖²_F of every row. The cache is that of `squared_norm`."""
        norm, steps = squared_norm(network, encoder, cache, h)
        return Penalty("contraction", norm, self.contraction, "‖∂h/∂x‖²", steps)

    def encoder_backward(self, encoder: Parameters, done: Forward, dh: NDArray, dencoder: Parameters) -> None:
        """The Jacobian's gradient by each W, and by the input of each activation, on top of the reconstruction's."""
        n = len(done.h)
        dnorm = np.full(n, self.contraction / n, dh.dtype)
        dW = encoder.zeros_like()
        dinputs = squared_norm_backward(done.encoder, encoder, done.penalty.cache, dnorm, dW)
        backward_with(done.encoder, encoder, done.caches["encoder"], dh, dinputs, dencoder)
        dencoder.flat += dW.flat
