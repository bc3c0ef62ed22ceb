"""The variational autoencoder with Gaussian latents and prior N(0, I)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss, elbo
from npvae.distributions import Bernoulli, DiagonalGaussian, Distribution
from npvae.layers import Chain, mlp
from npvae.parameters import Parameters, Shapes

__all__ = ["GaussianVAE"]


class _Forward(NamedTuple):
    """The way down, with what the way up will need."""

    log_px_z: NDArray  # (L, n)
    kl: NDArray  # (n,)
    caches: dict[str, Any]


@dataclass(frozen=True)
class GaussianVAE:
    """A VAE of two multilayer perceptrons.

    The way of a batch::

        x ── encoder ── [mu | log_var] ── sample ── z ── decoder ── a ── log p(x|z)
                              └────────── KL(q(z|x) ‖ N(0, I))

    Parameters
    ----------
    n_features : int
        Width of a row of x.
    latent_dim : int
        Width of z.
    hidden : sequence of int, default (400,)
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : {"relu", "tanh", "sigmoid", "softplus", "identity"}
        Between the layers.
    likelihood : Distribution, default Bernoulli()
        p(x|z), from what the decoder puts out.
    n_samples : int, default 1
        L, the draws of z per row.
    beta : float, default 1.0
        Weight of the KL term in the objective.
    init_weights : {"auto", "glorot", "he", "normal"}
        See `npvae.layers.mlp`.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), section 3 and appendix C.
    """

    n_features: int
    latent_dim: int
    hidden: Sequence[int] = (400,)
    activation: str = "relu"
    likelihood: Distribution = field(default_factory=Bernoulli)
    n_samples: int = 1
    beta: float = 1.0
    init_weights: str = "auto"
    posterior: DiagonalGaussian = field(default_factory=DiagonalGaussian, init=False)
    encoder: Chain = field(init=False, repr=False)
    decoder: Chain = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_in, n_out = self.n_features, self.likelihood.n_params(self.n_features)
        d, d_out = self.latent_dim, self.posterior.n_params(self.latent_dim)
        encoder = mlp(n_in, self.hidden, d_out, self.activation, self.init_weights)
        decoder = mlp(d, self.hidden[::-1], n_out, self.activation, self.init_weights)
        object.__setattr__(self, "encoder", encoder)
        object.__setattr__(self, "decoder", decoder)

    @property
    def shapes(self) -> Shapes:
        """The encoder's parameters, then the decoder's."""
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        return {f"{part}.{name}": s for part, network in networks.items() for name, s in network.shapes.items()}

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32, mean: NDArray | None = None) -> Parameters:
        """Draw initial parameters.

        With the `mean` (n_features,) of the data, the decoder's last bias starts where it alone puts out that mean, so
        that the first outputs lie around it; this spares the first epochs.
        """
        theta = Parameters(self.shapes, dtype)
        for part, network in (("encoder", self.encoder), ("decoder", self.decoder)):
            for name, value in network.init(rng).items():
                theta[f"{part}.{name}"][...] = value
        if mean is not None:
            theta[f"decoder.{len(self.decoder.layers) - 1}.b"][...] = self.likelihood.output_bias(mean)
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> NDArray:
        """eps ~ N(0, I) of shape (L, n, latent_dim)."""
        return self.posterior.draw_noise(rng, (self.n_samples, n, self.latent_dim), dtype)

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The parameters [mu | log_var] of q(z|x), shape (n, 2 latent_dim)."""
        return self.encoder.forward(theta.section("encoder"), x)[0]

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        """The parameters of p(x|z), shape (n, likelihood.n_params(n_features))."""
        return self.decoder.forward(theta.section("decoder"), z)[0]

    def loss(self, theta: Parameters, x: NDArray, noise: NDArray) -> Loss:
        """−ELBO of every row, as its terms "reconstruction" and "kl".

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
        noise : (L, n, latent_dim) array
            From `draw_noise`.

        Returns
        -------
        Loss
            Nats; terms of shape (n,).
        """
        down = self._forward(theta, x, noise)
        return elbo(down.log_px_z, down.kl, self.beta)[0]

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: NDArray) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the gradient of its mean over the batch with respect to theta."""
        down = self._forward(theta, x, noise)
        loss, upstream = elbo(down.log_px_z, down.kl, self.beta)
        return loss, self._backward(theta, down.caches, upstream)

    def _forward(self, theta: Parameters, x: NDArray, eps: NDArray) -> _Forward:
        caches: dict[str, Any] = {}
        a, caches["encoder"] = self.encoder.forward(theta.section("encoder"), x)
        kl, caches["kl"] = self.posterior.kl(a)
        z, caches["sample"] = self.posterior.sample(a, eps)

        # The decoder knows rows only: the L samples of n data are L n of them.
        rows = z.reshape(-1, self.latent_dim)
        b, caches["decoder"] = self.decoder.forward(theta.section("decoder"), rows)
        log_px_z, caches["log_px_z"] = self.likelihood.log_prob(b.reshape(*z.shape[:-1], -1), x)
        return _Forward(log_px_z, kl, caches)

    def _backward(self, theta: Parameters, caches: dict[str, Any], upstream: dict[str, NDArray]) -> Parameters:
        grads = theta.empty_like()
        db = self.likelihood.log_prob_backward(caches["log_px_z"], upstream["log_px_z"])
        rows = db.reshape(-1, db.shape[-1])
        dz = self.decoder.backward(theta.section("decoder"), caches["decoder"], rows, grads.section("decoder"))

        da = self.posterior.sample_backward(caches["sample"], dz.reshape(*db.shape[:-1], -1))
        da += self.posterior.kl_backward(caches["kl"], upstream["kl"])
        self.encoder.backward(theta.section("encoder"), caches["encoder"], da, grads.section("encoder"), need_dx=False)
        return grads
