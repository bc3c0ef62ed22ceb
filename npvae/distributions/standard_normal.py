"""The prior p(z) = N(0, I): nothing in it is trained, so it needs no numbers from a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.diagonal_gaussian import LOG_2PI

__all__ = ["log_prob", "log_prob_backward"]


def log_prob(z: NDArray) -> tuple[NDArray, NDArray]:
    """log N(z; 0, I) = −½ Σ_j (log 2π + z_j²).

    Parameters
    ----------
    z : (…, d) array

    Returns
    -------
    log_prob : (…) array
        Nats, summed over the d dimensions.
    cache
        For `log_prob_backward`: z.
    """
    return -0.5 * (z.shape[-1] * LOG_2PI + np.einsum("...j,...j->...", z, z)), z


def log_prob_backward(cache: NDArray, dlog_prob: NDArray) -> NDArray:
    """dz = −z dlog_prob."""
    return -cache * dlog_prob[..., None]
