"""The sparse autoencoder: hidden units that are mostly silent."""

from __future__ import annotations

from math import log, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.layers import Chain
from npvae.models.autoencoder import Autoencoder, Forward, Penalty
from npvae.numerics import absolute
from npvae.parameters import Parameters
from npvae.validation import number

__all__ = ["SparseAutoencoder", "rate_divergence", "rate_divergence_backward"]

FLOOR = 1e-6
"""An affine map moves rates from [0, 1] into [1e-6, 1 − 1e-6], since a unit that is silent in float32 has rate 0."""


class SparseAutoencoder(Autoencoder):
    """An autoencoder with a penalty on its code h: λ Σ_j |h_j|, or λ Σ_j KL(ρ ‖ ρ̂_j) with a target rate ρ.

    |h| has a kink at 0, where `loss_and_grad` takes the subgradient 0; the forward computes it as ±h, so that a complex
    step passes. ρ̂_j is the mean of h_j over the *batch*: this penalty is one number for all rows, and the gradient of a
    batch is not the mean of those of its halves. It asks for a code in [0, 1], such as sigmoid units.

    Parameters
    ----------
    n_features, latent_dim, encoder, decoder, likelihood
        Those of `Autoencoder`.
    sparsity : float, default 0.1
        λ, at least 0.
    target_rate : float, optional
        ρ in (0, 1). Without it the penalty is λ Σ_j |h_j|.

    Raises
    ------
    TypeError, ValueError
        As `Autoencoder`, and if λ or ρ is out of its range.

    References
    ----------
    Ng, Sparse autoencoder, CS294A lecture notes (2011), section 3, for the target rate.
    """

    def __init__(self, *networks: Any, sparsity: float = 0.1, target_rate: float | None = None, **options: Any) -> None:
        self.sparsity = number("sparsity", sparsity, at_least=0)
        self.target_rate = None if target_rate is None else number("target_rate", target_rate, above=0, below=1)
        super().__init__(*networks, **options)

    def penalty(self, encoder: Parameters, network: Chain, cache: Any, h: NDArray) -> Penalty:
        """Σ_j |h_j| of every row, or Σ_j KL(ρ ‖ ρ̂_j) of the batch for every row. The cache is that of the KL."""
        if self.target_rate is None:
            return Penalty("sparsity", absolute(h).sum(axis=1), self.sparsity, "‖h‖₁", None)
        divergence, cache = rate_divergence(h.mean(axis=0), self.target_rate)
        label = f"KL({self.target_rate:g} ‖ mean rate)"
        return Penalty("sparsity", np.full(len(h), divergence.sum()), self.sparsity, label, cache)

    def encoder_backward(self, encoder: Parameters, done: Forward, dh: NDArray, dencoder: Parameters) -> None:
        """dh += λ sign(h) / n, or λ KL′(ρ̂) / n; then as ever."""
        h, n = done.h, len(done.h)
        if self.target_rate is None:
            dh = dh + (self.sparsity / n) * np.sign(h)
        else:
            drate = rate_divergence_backward(done.penalty.cache, np.full(h.shape[1], self.sparsity, h.dtype))
            dh = dh + drate / n
        super().encoder_backward(encoder, done, dh, dencoder)


def rate_divergence(rate: NDArray, target: float) -> tuple[NDArray, tuple[NDArray, float]]:
    """KL(ρ ‖ r) = ρ log(ρ/r) + (1 − ρ) log((1 − ρ)/(1 − r)) of Bernoulli rates, elementwise, nats.

    Parameters
    ----------
    rate : array
        In [0, 1]; it is moved to r = (rate + δ)/(1 + 2δ) with δ = 1e-6, so that the logarithms are finite.
    target : float
        ρ, in (0, 1).

    Returns
    -------
    divergence : array
    cache
        (r, ρ).
    """
    r = (rate + FLOOR) / (1 + 2 * FLOOR)
    rho = target
    return rho * (log(rho) - np.log(r)) + (1 - rho) * (log1p(-rho) - np.log(1 - r)), (r, rho)


def rate_divergence_backward(cache: tuple[NDArray, float], ddivergence: NDArray) -> NDArray:
    """drate = ((1 − ρ)/(1 − r) − ρ/r) / (1 + 2δ) · ddivergence."""
    r, rho = cache
    return ((1 - rho) / (1 - r) - rho / r) / (1 + 2 * FLOOR) * ddivergence
