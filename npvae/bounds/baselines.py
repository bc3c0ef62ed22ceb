"""Baselines: what is subtracted from a sample's loss before it weighs the score, to take variance away and no mean.

E_q[c ∂log q(z|x)] = 0 for every c that does not depend on this z, because ∂ Σ_z q(z|x) = 0. A baseline may depend on
x, on other samples and on earlier steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.validation import ArgumentError

__all__ = ["DECAY", "begin_running", "leave_one_out", "squared_error", "update_running"]

DECAY = 0.8
"""What a running average keeps of itself in a step (Mnih & Gregor 2014, algorithm 1)."""


def leave_one_out(f: NDArray) -> NDArray:
    """c_l = (1/(K − 1)) Σ_{m≠l} f_m: the mean over the other samples of the same datum.

    Parameters
    ----------
    f : (K, …) array
        The loss of every sample, nats.

    Returns
    -------
    (K, …) array
        Nats.

    Raises
    ------
    ValueError
        If K = 1: there are no others.

    References
    ----------
    Kool, van Hoof & Welling, Buy 4 REINFORCE samples, get a baseline for free! (2019).
    """
    if len(f) < 2:
        raise ArgumentError("n_samples", "be at least 2 for a leave-one-out baseline", len(f))
    return (f.sum(axis=0) - f) / (len(f) - 1)


def begin_running(n_layers: int) -> dict[str, NDArray]:
    """The running averages before the first step: "mean" and "variance" of every layer's signal, both 0."""
    return {"mean": np.zeros(n_layers), "variance": np.zeros(n_layers)}


def update_running(state: Mapping[str, NDArray], signal: NDArray) -> dict[str, NDArray]:
    """The averages after a step, c ← 0.8 c + 0.2 mean(signal) and v ← 0.8 v + 0.2 Var(signal), of every layer.

    Parameters
    ----------
    state : mapping of str to (T,) array
        From `begin_running` or from the step before. It is not changed.
    signal : (T, K, n) array
        What the baseline network left of f, nats.

    Returns
    -------
    dict of str to (T,) array
        For the next step. This step's own weights must use the averages from before it, which do not know its z; with
        those from after it the gradient has a bias of the order 1/(K n).

    References
    ----------
    Mnih & Gregor, Neural variational inference and learning in belief networks (2014), algorithm 1.
    """
    rows = signal.reshape(len(signal), -1)
    now = {"mean": rows.mean(axis=1), "variance": rows.var(axis=1)}
    return {name: DECAY * state[name] + (1 - DECAY) * now[name] for name in now}


def squared_error(f: NDArray, predicted: NDArray) -> tuple[NDArray, NDArray]:
    """½ (f − C)², what a baseline network C(x) minimises, f held constant.

    Parameters
    ----------
    f : (K, n) array
        The loss of every sample less the running average, nats.
    predicted : (K, n) or (1, n) array
        C(x), nats.

    Returns
    -------
    error : (n,) array
        Mean over the K samples, nats².
    upstream : array of the shape of `predicted`
        ∂(mean over n)/∂predicted = (C − f)/(K n), summed over samples that share a C.
    """
    residual = predicted - f
    upstream = residual / residual.size
    if len(predicted) < len(residual):
        upstream = upstream.sum(axis=0, keepdims=True)
    return 0.5 * (residual * residual).mean(axis=0), upstream
