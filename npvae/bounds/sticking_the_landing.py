"""The path derivative of the ELBO, which vanishes sample by sample where q(z|x) is the true posterior (β = 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.elbo import monte_carlo_elbo
from npvae.bounds.loss import Loss

__all__ = ["sticking_the_landing"]


def sticking_the_landing(
    log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray, beta: float = 1.0
) -> tuple[Loss, dict[str, NDArray]]:
    """The value of `monte_carlo_elbo`; of its gradient, the encoder's part without the direct path into log q.

    log q(z_l|x) depends on the encoder through z_l and, at fixed z_l, directly. The second is the score: its
    expectation is zero and its variance is not, so it is left out.

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
        Those of `monte_carlo_elbo`, and "direct" = 0 for ∂log q(z_l|x)/∂encoder at fixed z_l.

    References
    ----------
    Roeder, Wu & Duvenaud, Sticking the landing (2017): the path derivative, the total one without the score function.
    """
    loss, upstream = monte_carlo_elbo(log_px_z, log_pz, log_qz_x, beta)
    return loss, {**upstream, "direct": np.zeros_like(log_qz_x)}
