"""The score-function gradient of the ELBO, for which z need not be a smooth function of the noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.baselines import leave_one_out
from npvae.bounds.elbo import monte_carlo_elbo
from npvae.bounds.loss import Loss

__all__ = ["score_function"]


def score_function(
    log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray, beta: float = 1.0
) -> tuple[Loss, dict[str, NDArray]]:
    """The value of `monte_carlo_elbo`; of its gradient, the encoder's part as (1/L) Σ_l (f_l − c_l) ∂log q(z_l|x).

    f_l = β (log q(z_l|x) − log p(z_l)) − log p(x|z_l) is the loss of one sample, and c_l the mean of f over the other
    samples of the same row: E[c_l ∂log q(z_l|x)] = 0, since c_l does not know z_l. With L = 1 there are no others, and
    c = 0: still unbiased, but of so high a variance that it hardly learns.

    Parameters
    ----------
    log_px_z, log_pz, log_qz_x : (L, n) arrays
        log p(x|z_l), log p(z_l) and log q(z_l|x), nats.
    beta : float, default 1.0
        Weight of the KL term.

    Returns
    -------
    loss : Loss
        That of `monte_carlo_elbo`.
    upstream : dict of str to (L, n) array
        Those of `monte_carlo_elbo`, "path" = 0 for what reaches the encoder through z_l, and "direct" =
        (f_l − c_l)/(L n) for ∂log q(z_l|x)/∂encoder at fixed z_l.

    References
    ----------
    Williams, Simple statistical gradient-following algorithms (1992). Kool, van Hoof & Welling, Buy 4 REINFORCE
    samples, get a baseline for free! (2019), for the mean of the others as the baseline.
    """
    loss, upstream = monte_carlo_elbo(log_px_z, log_pz, log_qz_x, beta)
    f = beta * (log_qz_x - log_pz) - log_px_z
    advantage = f - leave_one_out(f) if len(f) > 1 else f
    return loss, {**upstream, "path": np.zeros_like(f), "direct": advantage / f.size}
