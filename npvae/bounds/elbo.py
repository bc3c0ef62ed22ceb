"""The evidence lower bound with an analytic KL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.loss import Loss

__all__ = ["elbo"]


def elbo(log_px_z: NDArray, kl: NDArray, beta: float = 1.0) -> tuple[Loss, dict[str, NDArray]]:
    """−E_q[log p(x|z)] + β KL(q(z|x) ‖ p(z)), the expectation as a mean over L samples.

    With β = 1 that is −ELBO, and log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)) ≥ ELBO.

    Parameters
    ----------
    log_px_z : (L, n) array
        log p(x|z_l), nats, for z_l ~ q(z|x).
    kl : (n,) array
        KL(q(z|x) ‖ p(z)), nats.
    beta : float, default 1.0
        Weight of the KL term in the objective (β-VAE); the term itself is reported unweighted.

    Returns
    -------
    loss : Loss
        Terms "reconstruction" −(1/L) Σ_l log p(x|z_l) and "kl", each (n,).
    upstream : dict of str to array
        ∂loss/∂log_px_z = −1/(L n), shape (L, n), and ∂loss/∂kl = β/n, shape (n,), where the loss is the mean over n.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (7). Higgins et al., β-VAE (2017), eq. (4).
    """
    n_samples, n = log_px_z.shape
    loss = Loss({"reconstruction": -log_px_z.mean(axis=0), "kl": kl}, {"kl": beta})
    upstream = {
        "log_px_z": np.full_like(log_px_z, -1 / (n_samples * n)),
        "kl": np.full_like(kl, beta / n),
    }
    return loss, upstream
