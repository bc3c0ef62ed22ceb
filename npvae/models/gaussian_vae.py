"""The variational autoencoder with Gaussian latents and prior N(0, I)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import BOUNDS, Bound, Loss, free_bits
from npvae.distributions import Bernoulli, DiagonalGaussian, Distribution, Posterior, standard_normal
from npvae.layers import Chain, Constants, mlp
from npvae.parameters import Parameters, Shapes
from npvae.validation import integer, number, one_of, widths

__all__ = ["GaussianVAE"]


_COUNTS = ("n_features", "latent_dim", "n_samples")
_WEIGHTS = ("beta", "free_bits", "weight_precision")


class _Forward(NamedTuple):
    """The way down, with what the way up will need."""

    densities: dict[str, NDArray]  # those that the bound needs, by name
    caches: dict[str, Any]


@dataclass(frozen=True)
class GaussianVAE:
    """A VAE of two multilayer perceptrons.

    The way of a batch::

        x ── encoder ── a_z ── sample ── z ── decoder ── a_x ── log p(x|z)
                         │                └── log p(z), log q(z|x)   where the bound takes them of samples
                         └── KL(q(z|x) ‖ N(0, I))                    where it takes their mean

    The bound makes the loss of these densities, and says with what weight each is to go back the way it came.

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
        See `npvae.layers.networks.mlp`.
    posterior : Posterior, default DiagonalGaussian()
        q(z|x), from what the encoder puts out.
    bound : {"elbo", "monte-carlo", "stl", "iwae", "dreg", "score-function"}
        What is maximised, and by which gradient, see `npvae.bounds`.
    free_bits : float, default 0.0
        Nats that a latent's KL, averaged over the batch, costs at least, see `npvae.bounds.free_bits`.
    weight_precision : float, default 0.0
        λ, the weight of a term "weights" ½‖theta‖², the same for every datum, biases included. The prior N(0, I) on
        the parameters of N data has λ = 1/N, since the loss is a mean over data.

    Raises
    ------
    TypeError, ValueError
        If a width or L is no positive integer, a weight is negative, a name is unknown, or the bound has no place for
        β ≠ 1 or for free bits.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), section 3 and appendix C; section 5 for the prior on the
    parameters.
    """

    n_features: int
    latent_dim: int
    hidden: int | Sequence[int] = (400,)
    activation: str = "relu"
    likelihood: Distribution = field(default_factory=Bernoulli)
    n_samples: int = 1
    beta: float = 1.0
    init_weights: str = "standard"
    posterior: Posterior = field(default_factory=DiagonalGaussian)
    bound: str = "elbo"
    free_bits: float = 0.0
    weight_precision: float = 0.0
    encoder: Chain = field(init=False, repr=False, compare=False)
    decoder: Chain = field(init=False, repr=False, compare=False)
    objective: Bound = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked = {name: integer(name, getattr(self, name), at_least=1) for name in _COUNTS}
        checked |= {name: number(name, getattr(self, name), at_least=0) for name in _WEIGHTS}
        checked["hidden"] = widths("hidden", self.hidden)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        n_in, n_shared = self.n_features, self.likelihood.n_shared
        d, d_out = self.latent_dim, self.posterior.n_params(self.latent_dim)
        n_out = self.likelihood.n_params(n_in) - n_shared
        encoder = mlp(n_in, self.hidden, d_out, self.activation, self.init_weights)
        decoder = mlp(d, self.hidden[::-1], n_out, self.activation, self.init_weights)
        if n_shared > 0:
            decoder = Chain(*decoder.layers, Constants(n_out, n_shared))
        object.__setattr__(self, "encoder", encoder)
        object.__setattr__(self, "decoder", decoder)
        object.__setattr__(self, "objective", self._bound_with_options())

    def _bound_with_options(self) -> Bound:
        bound = one_of("bound", self.bound, BOUNDS)
        if self.free_bits > 0:
            if self.bound != "elbo" or not hasattr(self.posterior, "kl_terms"):
                got = f"bound={self.bound!r} and posterior={self.posterior!r}"
                raise ValueError(f"free_bits needs bound='elbo' and a posterior with a KL for every latent, got {got}")
            return Bound(partial(free_bits, bits=self.free_bits, beta=self.beta), ("log_px_z", "kl_terms"))
        if bound.weighs_kl:
            return bound._replace(function=partial(bound.function, beta=self.beta))
        if self.beta != 1:
            raise ValueError(f"beta must be 1 with bound={self.bound!r}: L_k has no other, got {self.beta}")
        return bound

    def with_beta(self, beta: float) -> GaussianVAE:
        """The same model with another weight of the KL term, in microseconds: the networks are shared, not built."""
        model = copy(self)
        object.__setattr__(model, "beta", number("beta", beta, at_least=0))
        object.__setattr__(model, "objective", model._bound_with_options())
        return model

    @property
    def shapes(self) -> Shapes:
        """The encoder's parameters, then the decoder's."""
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        return {f"{part}.{name}": s for part, network in networks.items() for name, s in network.shapes.items()}

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Draw initial parameters.

        With the `mean` (n_features,) of the data, the decoder's last bias starts where it alone puts out that mean, so
        that the first outputs lie around it; this spares the first epochs. So does a learned variance that starts at
        `var` (n_features,), that of the data; untold it starts at 1.
        """
        for name, given in (("mean", mean), ("var", var)):
            if given is not None and np.shape(given) != (self.n_features,):
                raise ValueError(f"{name} must have shape ({self.n_features},), got {np.shape(given)}")
        if var is not None and mean is None:
            raise ValueError("var needs the mean beside it, got mean=None")
        theta = Parameters(self.shapes, dtype)
        for part, network in (("encoder", self.encoder), ("decoder", self.decoder)):
            for name, value in network.init(rng).items():
                theta[f"{part}.{name}"][...] = value
        if mean is not None:
            bias = self.likelihood.output_bias(mean, np.ones_like(mean) if var is None else var)
            last = 2 * len(self.hidden)
            n_out = len(bias) - self.likelihood.n_shared
            theta[f"decoder.{last}.b"][...] = bias[:n_out]
            if n_out < len(bias):
                theta[f"decoder.{last + 1}.b"][...] = bias[n_out:]
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> NDArray:
        """eps ~ N(0, I) of shape (L, n, latent_dim)."""
        return self.posterior.draw_noise(rng, (self.n_samples, n, self.latent_dim), dtype)

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The parameters of q(z|x), shape (n, posterior.n_params(latent_dim)); by default [mu | log_var]."""
        return self.encoder.forward(theta.section("encoder"), x)[0]

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        """The parameters of p(x|z), shape (n, likelihood.n_params(n_features))."""
        return self.decoder.forward(theta.section("decoder"), z)[0]

    def loss(self, theta: Parameters, x: NDArray, noise: NDArray) -> Loss:
        """What is minimised, of every row: −bound; by default reconstruction + β · KL, at β = 1 −ELBO.

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
        noise : (L, n, latent_dim) array
            From `draw_noise`; its L is the one that counts.

        Returns
        -------
        Loss
            The bound's terms, nats, of shape (n,): always "reconstruction" −(1/L) Σ_l log p(x|z_l) and "kl", which is
            KL(q(z|x) ‖ N(0, I)) or its estimate from the samples. With a prior on the parameters also "weights".

        Raises
        ------
        ValueError
            If x or noise has another shape.
        """
        return self._with_prior(self.objective.function(**self._forward(theta, x, noise).densities)[0], theta)

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: NDArray) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the gradient of its mean over the batch with respect to theta.

        Of the bounds "stl", "dreg" and "score-function" the encoder's gradient is another estimate, of the same
        expectation.
        """
        down = self._forward(theta, x, noise)
        loss, upstream = self.objective.function(**down.densities)
        dtheta = self._backward(theta, down.caches, upstream)
        if self.weight_precision > 0:
            dtheta.flat += self.weight_precision * theta.flat
        return self._with_prior(loss, theta), dtheta

    def _with_prior(self, loss: Loss, theta: Parameters) -> Loss:
        if self.weight_precision == 0:
            return loss
        weights = np.full_like(loss.terms["kl"], 0.5 * (theta.flat @ theta.flat))
        return Loss(
            {**loss.terms, "weights": weights},
            {**loss.weights, "weights": self.weight_precision},
            {**loss.labels, "weights": "½‖weights‖²"},
        )

    def require_shapes(self, x: NDArray, eps: NDArray) -> None:
        """A ValueError unless x is (n, n_features) and eps (L, n, latent_dim), with n and L at least 1."""
        if x.ndim != 2 or x.shape[1] != self.n_features or len(x) == 0:
            raise ValueError(f"x must have shape (n, {self.n_features}), got {x.shape}")
        if eps.ndim != 3 or eps.shape[1:] != (len(x), self.latent_dim) or len(eps) == 0:
            raise ValueError(f"noise must have shape (L, {len(x)}, {self.latent_dim}), got {eps.shape}")

    def _forward(self, theta: Parameters, x: NDArray, eps: NDArray) -> _Forward:
        self.require_shapes(x, eps)
        densities: dict[str, NDArray] = {}
        caches: dict[str, Any] = {}
        a_z, caches["encoder"] = self.encoder.forward(theta.section("encoder"), x)
        z, caches["sample"] = self.posterior.sample(a_z, eps)

        # The decoder knows rows only: the L samples of n data are L n of them.
        a_x, caches["decoder"] = self.decoder.forward(theta.section("decoder"), z.reshape(-1, self.latent_dim))
        a_x = a_x.reshape(*z.shape[:-1], -1)
        density = {
            "log_px_z": lambda: self.likelihood.log_prob(a_x, x),
            "log_pz": lambda: standard_normal.log_prob(z),
            "log_qz_x": lambda: self.posterior.log_prob(a_z, z),
            "kl": lambda: self.posterior.kl(a_z),
            "kl_terms": lambda: self.posterior.kl_terms(a_z),
        }
        for name in self.objective.needs:
            densities[name], caches[name] = density[name]()
        return _Forward(densities, caches)

    def _backward(self, theta: Parameters, caches: dict[str, Any], upstream: dict[str, NDArray]) -> Parameters:
        dtheta = theta.empty_like()
        da_x = self.likelihood.log_prob_backward(caches["log_px_z"], upstream["log_px_z"])
        rows = da_x.reshape(-1, da_x.shape[-1])
        dz = self.decoder.backward(theta.section("decoder"), caches["decoder"], rows, dtheta.section("decoder"))
        dz = dz.reshape(*da_x.shape[:-1], -1)
        if "log_pz" in upstream:
            dz += standard_normal.log_prob_backward(caches["log_pz"], upstream["log_pz"])
        if "log_qz_x" in upstream:
            dz += self.posterior.log_prob_backward_x(caches["log_qz_x"], upstream["log_qz_x"])

        if "path" in upstream:
            dz *= upstream["path"][..., None]

        da_z = self.posterior.sample_backward(caches["sample"], dz)
        if "log_qz_x" in upstream:
            direct = upstream.get("direct", upstream["log_qz_x"])
            da_z += self.posterior.log_prob_backward(caches["log_qz_x"], direct)
        if "kl" in upstream:
            da_z += self.posterior.kl_backward(caches["kl"], upstream["kl"])
        if "kl_terms" in upstream:
            da_z += self.posterior.kl_terms_backward(caches["kl_terms"], upstream["kl_terms"])
        encoder, dencoder = theta.section("encoder"), dtheta.section("encoder")
        self.encoder.backward(encoder, caches["encoder"], da_z, dencoder, need_dx=False)
        return dtheta
