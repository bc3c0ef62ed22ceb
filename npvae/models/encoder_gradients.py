"""From the weights of the densities, or from pairs of draws, to the logits of q: the encoder's gradient for bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.antithetic import PAIRS
from npvae.bounds.concrete import relaxed_slope
from npvae.bounds.estimators import learning_signals
from npvae.bounds.straight_through import straight_through_slope
from npvae.distributions import Bernoulli

__all__ = ["Draws", "of_log_q", "of_pairs", "through_the_draws", "with_antithetic"]

_BERNOULLI = Bernoulli()


class Draws(NamedTuple):
    """K draws of the latents of n data, T layers of them, and their densities."""

    zs: list[NDArray]
    """(K, n, d_t) of every layer."""
    logits: list[NDArray]
    """a_t of q(z_t|z_{t−1}): of the first layer (1, n, d_1), of the others (K, n, d_t)."""
    log_p: NDArray
    """log p(x|z_1), …, log p(z_T), (T + 1, K, n), nats."""
    log_q: NDArray
    """log q(z_t|z_{t−1}), (T, K, n), nats."""
    caches: dict[str, Any]
    """The caches of "encoder", "log_q" and "log_p"."""


class Relaxed(Protocol):
    """What `through_the_draws` asks of a model."""

    estimator: str
    temperature: float


def of_log_q(down: Draws, weights: Sequence[NDArray]) -> list[NDArray]:
    """∂loss/∂a_t at fixed z, of the shape of a_t, from the weights (K, n) of log q(z_t|z_{t−1})."""
    return [_BERNOULLI.log_prob_backward(c, w) for c, w in zip(down.caches["log_q"], weights, strict=True)]


def with_antithetic(noise: Sequence[NDArray]) -> tuple[NDArray, ...]:
    """The K draws' noise, and for every layer t the same once more with 1 − u_t in that layer: (1 + T) K draws.

    Each group by itself is distributed as the first. Above layer t both draws of a pair use the same noise.
    """
    return tuple(np.concatenate([u, *(1 - u if s == t else u for s in range(len(noise)))]) for t, u in enumerate(noise))


def of_pairs(estimator: str, down: Draws, noise: Sequence[NDArray]) -> list[NDArray]:
    """∂loss/∂a_t by "arm" or "disarm", from draws with the noise of `with_antithetic`.

    The pair of layer t are the first K draws and group t, which differ in u_t; only the first carry the gradient on.
    """
    signals = learning_signals(down.log_p, down.log_q)
    k = signals.shape[1] // (1 + len(noise))
    dlogits = []
    for t, a in enumerate(down.logits):
        own, pair = signals[t, :k], signals[t, (t + 1) * k : (t + 2) * k]
        da = PAIRS[estimator](own, pair, noise[t][:k], a[:k]) / own.size
        shared = len(a) == 1
        dlogits.append(da.sum(axis=0, keepdims=True) if shared else np.concatenate([da, np.zeros_like(a[k:])]))
    return dlogits


def through_the_draws(
    model: Relaxed, down: Draws, dzs: Sequence[NDArray], dlog_q: NDArray
) -> tuple[list[NDArray], list[NDArray], list[NDArray]]:
    """What the two biased estimators hand to `BottomUp.backward`.

    Parameters
    ----------
    model : Relaxed
        With estimator "concrete" or "straight-through".
    down : Draws
    dzs : sequence of (K, n, d_t) arrays
        ∂loss/∂z_t by way of log p.
    dlog_q : (K, n) array
        ∂loss/∂log q.

    Returns
    -------
    dlogits : list of arrays
        ∂loss/∂a_t at fixed z: of relaxed bits that of log q, of straight-through nothing, since its mean is zero.
    dzs : list of (K, n, d_t) arrays
        ∂loss/∂z_t, that by way of log q(z_t|z_{t−1}) with it.
    slopes : list of arrays
        What stands for ∂z_t/∂a_t: the slope of the relaxed bit, or σ'(a_t).
    """
    of_q = [_BERNOULLI.log_prob_backward_x(cache, dlog_q) for cache in down.caches["log_q"]]
    dzs = [dz + more for dz, more in zip(dzs, of_q, strict=True)]
    if model.estimator == "concrete":
        slopes = [relaxed_slope(z, model.temperature) for z in down.zs]
        return of_log_q(down, [dlog_q] * len(down.zs)), dzs, slopes
    return [np.zeros_like(a) for a in down.logits], dzs, [straight_through_slope(a) for a in down.logits]
