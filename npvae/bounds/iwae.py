"""The importance-weighted bound L_k, and a better gradient of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.loss import LABELS, Loss
from npvae.numerics import log_mean_exp, logsumexp

__all__ = ["dreg", "iwae"]


def iwae(log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray) -> tuple[Loss, dict[str, NDArray]]:
    """−L_k = −log (1/k) Σ_l w_l with the importance weights w_l = p(x|z_l) p(z_l) / q(z_l|x), z_l ~ q(z|x).

    log p(x) ≥ E[L_k], which rises with k; L_1 is the ELBO with its KL estimated by the sample.

    Parameters
    ----------
    log_px_z, log_pz, log_qz_x : (k, n) arrays
        log p(x|z_l), log p(z_l) and log q(z_l|x), nats.

    Returns
    -------
    loss : Loss
        Terms that add up to −L_k, each (n,): "reconstruction" −(1/k) Σ_l log p(x|z_l), "kl" (1/k) Σ_l [log q(z_l|x) −
        log p(z_l)], and "tightening" (1/k) Σ_l log w_l − L_k ≤ 0, what the mean outside the logarithm gives away.
    upstream : dict of str to (k, n) array
        ∂loss/∂log_px_z = ∂loss/∂log_pz = −w̃/n and ∂loss/∂log_qz_x = w̃/n with w̃_l = w_l / Σ_m w_m, where the loss is
        the mean over n.

    References
    ----------
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders (2016), eq. (8) and (14).
    """
    log_w = log_px_z + log_pz - log_qz_x
    bound = log_mean_exp(log_w)
    terms = {
        "reconstruction": -log_px_z.mean(axis=0),
        "kl": (log_qz_x - log_pz).mean(axis=0),
        "tightening": log_w.mean(axis=0) - bound,
    }
    share = np.exp(log_w - logsumexp(log_w)) / log_w.shape[1]
    # A draw of hardly any weight makes all three terms huge: they would add up to L_k without its digits.
    loss = Loss(terms, labels={**LABELS, "tightening": "by which L_k is tighter"}, total=-bound)
    return loss, {"log_px_z": -share, "log_pz": -share, "log_qz_x": share}


def dreg(log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray) -> tuple[Loss, dict[str, NDArray]]:
    """The value of `iwae`; of its gradient, the encoder's part doubly reparameterised: Σ_l w̃_l² ∂log w_l/∂z_l ∂z_l.

    It has the expectation of the encoder's gradient of L_k, and a variance that stays small beside it as k grows.

    Parameters
    ----------
    log_px_z, log_pz, log_qz_x : (k, n) arrays
        log p(x|z_l), log p(z_l) and log q(z_l|x), nats.

    Returns
    -------
    loss : Loss
        That of `iwae`.
    upstream : dict of str to (k, n) array
        Those of `iwae`, "path" = w̃ for what reaches the encoder through z_l, and "direct" = 0 for
        ∂log q(z_l|x)/∂encoder at fixed z_l.

    References
    ----------
    Tucker et al., Doubly reparameterized gradient estimators for Monte Carlo objectives (2019): IWAE-DReG.
    """
    loss, upstream = iwae(log_px_z, log_pz, log_qz_x)
    share = upstream["log_qz_x"] * log_qz_x.shape[1]
    return loss, {**upstream, "path": share, "direct": np.zeros_like(share)}
