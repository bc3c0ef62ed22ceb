"""The wake-sleep algorithm on the networks of a binary VAE, for which it was invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss, monte_carlo_elbo
from npvae.distributions import Bernoulli
from npvae.models.binary_vae import BinaryVAE
from npvae.models.wake_sleep import TwoPhases
from npvae.parameters import Parameters
from npvae.validation import ArgumentError

__all__ = ["BinaryWakeSleep", "DreamNoise"]

_BERNOULLI = Bernoulli()


class DreamNoise(NamedTuple):
    """What the two phases are made of, all uniform."""

    wake: tuple[NDArray, ...]
    """(K, n, d_t) of every layer of latents, for z ~ q(z|x)."""
    sleep: tuple[NDArray, ...]
    """(n, d_t) of x and of every layer, for the dream (x, z) ~ p(x, z)."""


@dataclass(frozen=True, eq=False)
class BinaryWakeSleep(TwoPhases):
    """Two losses for two networks, each with the other network's draws held fixed.

    Awake, the decoder learns data from the latents that the encoder draws for them, and so does a learned prior;
    asleep, the encoder learns the latents of what the decoder dreams. The dreams are draws, in every layer, and there
    are as many of them as data::

        wake   x ── encoder ── z_1 … z_T     decoder: −log p(x, z) less           z ~ q(z|x)
        sleep  z_T ── decoder ── z_1, x      encoder: −log q(z_1, …, z_T|x) less  (x, z) ~ p(x, z)

    The sleep phase minimises KL(p(z|x) ‖ q(z|x)) over dreams, not KL(q(z|x) ‖ p(z|x)) over data: together the two
    follow the gradient of no bound. Neither has a score function in it, so neither needs a baseline.

    Parameters
    ----------
    vae : BinaryVAE
        The networks. Its estimator has no part in this and must not bring networks or a bound of its own:
        "no-baseline".

    Raises
    ------
    ValueError
        If the estimator is another.

    References
    ----------
    Hinton, Dayan, Frey & Neal, The wake-sleep algorithm for unsupervised neural networks (1995).
    """

    vae: BinaryVAE

    def __post_init__(self) -> None:
        if self.vae.estimator != "no-baseline":
            raise ArgumentError("vae", "have estimator='no-baseline' for wake-sleep", repr(self.vae.estimator))

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> DreamNoise:
        """For n rows: K draws each awake, and n dreams."""
        wake = self.vae.draw_noise(rng, n, dtype)
        return DreamNoise(wake, tuple(rng.random((n, d), dtype=dtype) for d in self.vae.widths))

    def loss(self, theta: Parameters, x: NDArray, noise: DreamNoise) -> Loss:
        """−ELBO of every row, that of the VAE: what both algorithms are judged by."""
        return self.vae.loss(theta, x, noise.wake)

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: DreamNoise) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the direction of wake-sleep, which is not its gradient.

        Returns
        -------
        loss : Loss
        dtheta : Parameters
            In the decoder's part the mean of −∂log p(x, z)/∂theta over rows and samples, in the encoder's that of
            −∂log q(z|x)/∂theta over the dreams.
        """
        vae, dtheta = self.vae, theta.empty_like()
        decoder, encoder = theta.section("decoder"), theta.section("encoder")
        down = vae.draws(theta, x, noise.wake)
        loss, upstream = monte_carlo_elbo(down.log_p[0], down.log_p[1:].sum(axis=0), down.log_q.sum(axis=0))
        dlog_p = np.broadcast_to(upstream["log_px_z"], down.log_p.shape)
        vae.decoder.backward(decoder, down.caches["log_p"], dlog_p, dtheta.section("decoder"))

        dream, *zs = vae.decoder.sample(decoder, noise.sleep)
        zs = [z[None] for z in zs]
        logits, caches = vae.encoder.logits(encoder, dream, zs)
        log_q, of_densities = vae.encoder.log_prob(logits, zs)
        weight = np.full_like(log_q[0], -1 / len(dream))
        dlogits = [_BERNOULLI.log_prob_backward(cache, weight) for cache in of_densities]
        vae.encoder.backward(encoder, caches, dlogits, dtheta.section("encoder"))
        return loss, dtheta
