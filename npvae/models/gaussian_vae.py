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
from npvae.validation import integer, number, widths

__all__ = ["GaussianVAE"]


_COUNTS = ("n_features", "latent_dim", "n_samples")


class _Forward(NamedTuple):
    """The way down, with what the way up will need."""

    log_px_z: NDArray  # (L, n)
    kl: NDArray  # (n,)
    caches: dict[str, Any]


@dataclass(frozen=True)
class GaussianVAE:
    """A VAE of two multilayer perceptrons.

    The way of a batch::

        x ── encoder ── a_z = [mu | log_var] ── sample ── z ── decoder ── a_x ── log p(x|z)
                                  └────────── KL(q(z|x) ‖ N(0, I))

    Parameters
    ----------
    n_features : int
        Width of a row of x.
    latent_dim : int
        Width of z.
    hidden : int or sequence of int, default (400,)
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : {"relu", "tanh", "sigmoid", "softplus", "identity"}
        Between the layers.
    likelihood : Distribution, default Bernoulli()
        p(x|z), from what the decoder puts out.
    n_samples : int, default 1
        L, the draws of z per row that `draw_noise` makes noise for.
    beta : float, default 1.0
        Weight of the KL term in the objective.
    init_weights : {"standard", "glorot", "he", "normal"}
        See `npvae.layers.mlp`.

    Raises
    ------
    TypeError, ValueError
        If a width or L is no positive integer, β is negative, or a name is unknown.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), section 3 and appendix C.
    """

    n_features: int
    latent_dim: int
    hidden: int | Sequence[int] = (400,)
    activation: str = "relu"
    likelihood: Distribution = field(default_factory=Bernoulli)
    n_samples: int = 1
    beta: float = 1.0
    init_weights: str = "standard"
    posterior: DiagonalGaussian = field(default_factory=DiagonalGaussian, init=False)
    encoder: Chain = field(init=False, repr=False, compare=False)
    decoder: Chain = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked = {name: integer(name, getattr(self, name), at_least=1) for name in _COUNTS}
        checked |= {"hidden": widths("hidden", self.hidden), "beta": number("beta", self.beta, at_least=0)}
        for name, value in checked.items():
            object.__setattr__(self, name, value)
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
        if mean is not None and np.shape(mean) != (self.n_features,):
            raise ValueError(f"mean must have shape ({self.n_features},), got {np.shape(mean)}")
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
        """Reconstruction + β · KL of every row; with β = 1 and x from the likelihood's support, −ELBO ≥ −log p(x).

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
        noise : (L, n, latent_dim) array
            From `draw_noise`; its L is the one that counts.

        Returns
        -------
        Loss
            Terms "reconstruction" −(1/L) Σ_l log p(x|z_l) and "kl" KL(q(z|x) ‖ N(0, I)), nats, of shape (n,).

        Raises
        ------
        ValueError
            If x or noise has another shape.
        """
        down = self._forward(theta, x, noise)
        return elbo(down.log_px_z, down.kl, self.beta)[0]

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: NDArray) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the gradient of its mean over the batch with respect to theta."""
        down = self._forward(theta, x, noise)
        loss, upstream = elbo(down.log_px_z, down.kl, self.beta)
        return loss, self._backward(theta, down.caches, upstream)

    def _forward(self, theta: Parameters, x: NDArray, eps: NDArray) -> _Forward:
        if x.ndim != 2 or x.shape[1] != self.n_features or len(x) == 0:
            raise ValueError(f"x must have shape (n, {self.n_features}), got {x.shape}")
        if eps.ndim != 3 or eps.shape[1:] != (len(x), self.latent_dim) or len(eps) == 0:
            raise ValueError(f"noise must have shape (L, {len(x)}, {self.latent_dim}), got {eps.shape}")
        caches: dict[str, Any] = {}
        a_z, caches["encoder"] = self.encoder.forward(theta.section("encoder"), x)
        kl, caches["kl"] = self.posterior.kl(a_z)
        z, caches["sample"] = self.posterior.sample(a_z, eps)

        # The decoder knows rows only: the L samples of n data are L n of them.
        a_x, caches["decoder"] = self.decoder.forward(theta.section("decoder"), z.reshape(-1, self.latent_dim))
        log_px_z, caches["log_px_z"] = self.likelihood.log_prob(a_x.reshape(*z.shape[:-1], -1), x)
        return _Forward(log_px_z, kl, caches)

    def _backward(self, theta: Parameters, caches: dict[str, Any], upstream: dict[str, NDArray]) -> Parameters:
        dtheta = theta.empty_like()
        da_x = self.likelihood.log_prob_backward(caches["log_px_z"], upstream["log_px_z"])
        rows = da_x.reshape(-1, da_x.shape[-1])
        dz = self.decoder.backward(theta.section("decoder"), caches["decoder"], rows, dtheta.section("decoder"))

        da_z = self.posterior.sample_backward(caches["sample"], dz.reshape(*da_x.shape[:-1], -1))
        da_z += self.posterior.kl_backward(caches["kl"], upstream["kl"])
        encoder, dencoder = theta.section("encoder"), dtheta.section("encoder")
        self.encoder.backward(encoder, caches["encoder"], da_z, dencoder, need_dx=False)
        return dtheta
