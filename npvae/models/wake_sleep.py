"""The wake-sleep algorithm on the networks of a VAE, with which the VAE's gradient is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss, elbo
from npvae.models.densities import decoder_backward, densities, encoder_backward, forward, prior_section
from npvae.models.vae import VAE
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError

__all__ = ["TwoPhases", "WakeSleep", "WakeSleepNoise"]


class TwoPhases:
    """What wake-sleep has of the VAE whose networks it trains: their parameters, and how these begin."""

    vae: Any

    @property
    def shapes(self) -> Shapes:
        """Those of the VAE."""
        return self.vae.shapes

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Draw the VAE's initial parameters."""
        return self.vae.init(rng, dtype, mean, var)


class WakeSleepNoise(NamedTuple):
    """The random numbers of both phases."""

    eps: NDArray
    """(L, n, latent_dim), for z ~ q(z|x): awake."""
    z: NDArray
    """(n, latent_dim), the prior's noise, for the latents z ~ p(z) of a dream: asleep."""
    u: NDArray
    """(n, n_features), the likelihood's noise, for the dream x ~ p(x|z)."""


@dataclass(frozen=True)
class WakeSleep(TwoPhases):
    """Two losses for two networks, each with the other network's draws held fixed.

    Awake, the decoder learns data from the latents that the encoder finds in them; asleep, the encoder learns the
    latents of the dreams that the decoder makes of them::

        wake   x ── encoder ── z    decoder: −log p(x, z) less        z ~ q(z|x)
        sleep  z ── decoder ── x    encoder: −log q(z|x) less         z ~ p(z), x ~ p(x|z)

    The sleep phase minimises KL(p(z|x) ‖ q(z|x)) over dreams, not KL(q(z|x) ‖ p(z|x)) over data: together they follow
    the gradient of no bound, and need not raise the ELBO.

    Parameters
    ----------
    vae : VAE
        The networks; its objective has to be the plain ELBO.

    Raises
    ------
    ValueError
        If the objective is another.

    References
    ----------
    Hinton, Dayan, Frey & Neal, The wake-sleep algorithm for unsupervised neural networks (1995). Kingma & Welling,
    Auto-encoding variational Bayes (2013), section 5 and figure 2, for this comparison.
    """

    vae: VAE

    def __post_init__(self) -> None:
        plain = {"bound": "elbo", "beta": 1.0, "free_bits": 0.0, "weight_precision": 0.0}
        for name, value in plain.items():
            if (got := getattr(self.vae, name)) != value:
                raise ArgumentError("vae", f"have {name}={value!r} for wake-sleep", repr(got))

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> WakeSleepNoise:
        """For n rows: L draws each awake, and n dreams."""
        eps, z = self.vae.draw_noise(rng, n, dtype), self.vae.prior.draw_noise(rng, (n, self.vae.latent_dim), dtype)
        return WakeSleepNoise(eps, z, self.vae.likelihood.draw_noise(rng, (n, self.vae.n_features), dtype))

    def loss(self, theta: Parameters, x: NDArray, noise: WakeSleepNoise) -> Loss:
        """−ELBO of every row, as the VAE has it: both algorithms are judged by it."""
        return self.vae.loss(theta, x, noise.eps)

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: WakeSleepNoise) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the direction of wake-sleep, which is not its gradient.

        Returns
        -------
        loss : Loss
        dtheta : Parameters
            In the decoder's and the prior's part the mean of −∂log p(x, z)/∂theta over rows and samples; in the
            encoder's that of −∂log q(z|x)/∂theta over the dreams.
        """
        vae = self.vae
        vae.require_shapes(x, noise.eps)
        dtheta = theta.empty_like()
        awake, caches = forward(vae, theta, x, noise.eps, ("log_px_z", "log_pz", "kl"))
        upstream = {name: np.full_like(awake[name], -1 / awake[name].size) for name in ("log_px_z", "log_pz")}
        decoder_backward(vae, theta, caches, upstream, dtheta, need_dz=False)

        z = vae.prior.sample(noise.z, prior_section(vae, theta))
        dream, _ = vae.likelihood.sample(vae.decode(theta, z), noise.u)
        a_z, cache = vae.encoder.forward(theta.section("encoder"), dream)
        asleep, caches = densities(vae, theta, dream, a_z, z, None, ("log_qz_x",))
        upstream = {"log_qz_x": np.full_like(asleep["log_qz_x"], -1 / len(x))}
        encoder_backward(vae, theta, {**caches, "encoder": cache}, upstream, None, dtheta)
        return elbo(awake["log_px_z"], awake["kl"])[0], dtheta
