"""VIMCO: the score-function gradient of the importance-weighted bound, each sample with a baseline of the others."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.baselines import leave_one_out
from npvae.bounds.iwae import iwae
from npvae.bounds.loss import Loss
from npvae.numerics import logsumexp
from npvae.validation import ArgumentError

__all__ = ["leave_one_out_bounds", "vimco"]


def leave_one_out_bounds(log_w: NDArray) -> NDArray:
    """L_K with the weight of sample l replaced by the geometric mean of the others, for every l.

        L_{−l} = log (1/K) (Σ_{m≠l} w_m + exp((1/(K − 1)) Σ_{m≠l} log w_m)).

    The sum over the others is taken of the others, never as total − w_l: where one weight is nearly the total, that
    difference is rounding. K² exponentials, then, which beside one decoder are nothing.

    Parameters
    ----------
    log_w : (K, n) array
        Nats.

    Returns
    -------
    (K, n) array
        Nats.

    References
    ----------
    Mnih & Rezende, Variational inference for Monte Carlo objectives (2016), eq. (10), the geometric mean.
    """
    k, stand_in = len(log_w), leave_one_out(log_w)
    own = np.eye(k, dtype=bool)[:, :, None]
    return logsumexp(np.where(own, stand_in[:, None], log_w), axis=1) - log(k)


def vimco(log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray) -> tuple[Loss, dict[str, NDArray]]:
    """The value of `iwae`; of its gradient, the encoder's part as Σ_l [w̃_l − (L_K − L_{−l})] ∂log q(z_l|x).

    ∂E[L_K] = E[Σ_l L_K ∂log q(z_l|x) + ∂L_K at fixed z]. The second term weighs ∂log q by −w̃_l, the normalised
    importance weight. In the first, L_K is one number for all samples; L_{−l}, which does not know z_l, is subtracted.

    Parameters
    ----------
    log_px_z, log_pz, log_qz_x : (K, n) arrays
        log p(x|z_l), log p(z_l) and log q(z_l|x), nats; K ≥ 2.

    Returns
    -------
    loss : Loss
        That of `iwae`.
    upstream : dict of str to (K, n) array
        Those of `iwae`, "path" = 0 for what reaches the encoder through z_l, and "direct" = [w̃_l − (L_K − L_{−l})]/n
        for ∂log q(z_l|x)/∂encoder at fixed z_l.

    Raises
    ------
    ValueError
        If K = 1: a sample needs others for its baseline.

    References
    ----------
    Mnih & Rezende, Variational inference for Monte Carlo objectives (2016), eq. (5), (8) and (10).
    """
    k, n = log_px_z.shape
    if k < 2:
        raise ArgumentError("n_samples", "be at least 2 for vimco, whose baseline is made of the other samples", k)
    loss, upstream = iwae(log_px_z, log_pz, log_qz_x)
    log_w = log_px_z + log_pz - log_qz_x
    signal = logsumexp(log_w) - log(k) - leave_one_out_bounds(log_w)
    return loss, {**upstream, "path": np.zeros_like(log_w), "direct": upstream["log_qz_x"] - signal / n}
