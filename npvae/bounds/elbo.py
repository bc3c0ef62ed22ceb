"""The evidence lower bound: with an analytic KL, with free bits, and with samples for both of its terms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.loss import LABELS, Loss

__all__ = ["elbo", "free_bits", "monte_carlo_elbo"]


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
    loss = Loss({"reconstruction": -log_px_z.mean(axis=0), "kl": kl}, {"kl": beta}, LABELS)
    upstream = {
        "log_px_z": np.full_like(log_px_z, -1 / (n_samples * n)),
        "kl": np.full_like(kl, beta / n),
    }
    return loss, upstream


def free_bits(log_px_z: NDArray, kl_terms: NDArray, bits: float, beta: float = 1.0) -> tuple[Loss, dict[str, NDArray]]:
    """−E_q[log p(x|z)] + β Σ_j max(bits, mean over the batch of KL_j): the first nats of every latent cost nothing.

    A latent below `bits` has no gradient from its KL, so that it does not collapse before the decoder has learnt to use
    it.

    Parameters
    ----------
    log_px_z : (L, n) array
        log p(x|z_l), nats.
    kl_terms : (n, d) array
        KL(q(z_j|x) ‖ p(z_j)) of every latent, nats.
    bits : float
        λ, nats for each latent.
    beta : float, default 1.0
        Weight of both KL terms in the objective.

    Returns
    -------
    loss : Loss
        Terms "reconstruction", "kl" Σ_j KL_j, and "free_bits" Σ_j max(λ − mean KL_j, 0), the same for every row; each
        (n,).
    upstream : dict of str to array
        ∂loss/∂log_px_z = −1/(L n), shape (L, n), and ∂loss/∂kl_terms = β/n where mean KL_j > λ, else 0, shape (n, d).

    References
    ----------
    Kingma et al., Improved variational inference with inverse autoregressive flow (2016), eq. (15), a group a latent.
    """
    kl = kl_terms.sum(axis=1)
    lacking = bits - kl_terms.mean(axis=0)
    loss, upstream = elbo(log_px_z, kl, beta)
    shortfall = np.full_like(kl, np.maximum(lacking, 0).sum())
    loss = Loss({**loss.terms, "free_bits": shortfall}, {"kl": beta, "free_bits": beta}, loss.labels)
    has_gradient = (lacking.real < 0).astype(kl_terms.dtype)
    return loss, {"log_px_z": upstream["log_px_z"], "kl_terms": upstream["kl"][:, None] * has_gradient}


def monte_carlo_elbo(
    log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray, beta: float = 1.0
) -> tuple[Loss, dict[str, NDArray]]:
    """(1/L) Σ_l [β (log q(z_l|x) − log p(z_l)) − log p(x|z_l)], z_l ~ q(z|x): the same expectation as that of `elbo`.

    It needs no closed form of the KL, and its KL term has a variance.

    Parameters
    ----------
    log_px_z, log_pz, log_qz_x : (L, n) arrays
        log p(x|z_l), log p(z_l) and log q(z_l|x), nats.
    beta : float, default 1.0
        Weight of the KL term.

    Returns
    -------
    loss : Loss
        Terms "reconstruction" −(1/L) Σ_l log p(x|z_l) and "kl" (1/L) Σ_l [log q(z_l|x) − log p(z_l)], each (n,).
    upstream : dict of str to (L, n) array
        ∂loss/∂log_px_z = −1/(L n), ∂loss/∂log_pz = −β/(L n) and ∂loss/∂log_qz_x = β/(L n).

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (6).
    """
    loss, upstream = elbo(log_px_z, (log_qz_x - log_pz).mean(axis=0), beta)
    log_q = np.full_like(log_qz_x, beta / log_qz_x.size)
    return loss, {"log_px_z": upstream["log_px_z"], "log_pz": -log_q, "log_qz_x": log_q}
