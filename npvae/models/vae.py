"""The variational autoencoder: two networks, a prior, a posterior, a likelihood and a bound."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import BOUNDS, Bound, Loss
from npvae.distributions import (
    AnalyticKL,
    Bernoulli,
    DiagonalGaussian,
    Distribution,
    Prior,
    Reparameterised,
    StandardNormal,
)
from npvae.layers import Chain, Constants, Initializer, Layer, mlp
from npvae.layers.products import multiplications
from npvae.models.densities import decoder_backward, encoder_backward, forward
from npvae.models.model import require_rows
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer, number, one_of, widths

__all__ = ["VAE"]

V = TypeVar("V", bound="VAE")


class VAE:
    """A variational autoencoder of any two networks; `VAE.mlp` makes one of perceptrons.

    A batch goes forward so::

        x ── encoder ── a_z ── sample ── z ── decoder ── a_x ── log p(x|z)
                         │                └── log p(z), log q(z|x)   where the bound takes them of samples
                         └── KL(q(z|x) ‖ p(z))                       where it takes their mean

    The bound makes the loss of these densities and gives the upstream weight of each, see `npvae.models.densities`.

    Parameters
    ----------
    n_features : int
        Width of a row of x.
    latent_dim : int
        Width of z.
    encoder : Chain
        From rows (n, n_features) to the ``posterior.n_params(latent_dim)`` numbers of q(z|x), see `npvae.layers.mlp`.
    decoder : Chain
        From rows (n, latent_dim) to the ``likelihood.n_params(n_features)`` numbers of p(x|z), without those that the
        likelihood shares between all data (``n_shared``): the model appends these.
    likelihood : Distribution, default Bernoulli()
        p(x|z).
    posterior : Distribution, default DiagonalGaussian()
        q(z|x).
    prior : Prior, default StandardNormal()
        p(z). Its parameters, if it has any, are trained with the others.
    bound : str or Bound, default "elbo"
        What is maximised, and by which gradient: a name of `npvae.bounds.BOUNDS`, or a bound of one's own.
    n_samples : int, default 1
        L, the draws of z per row that `draw_noise` makes noise for.
    beta : float, default 1.0
        Weight of the KL term in the objective.
    free_bits : float, default 0.0
        Nats that a latent's KL, averaged over the batch, costs at least, see `npvae.bounds.free_bits`.
    weight_precision : float, default 0.0
        λ, the weight of a term "weights" ½‖theta‖², the same for every datum, biases included. The prior N(0, I) on
        the parameters of N data has λ = 1/N, since the loss is a mean over data.

    Raises
    ------
    TypeError, ValueError
        If a width or L is no positive integer, a weight is negative, a name is unknown, a network has another width,
        the bound has no place for β ≠ 1 or for free bits, or posterior and prior lack what the bound needs: an analytic
        KL, or a draw that is a smooth function of its noise.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), section 3 and appendix C; section 5 for the prior on the
    parameters.
    """

    def __init__(
        self,
        n_features: int,
        latent_dim: int,
        encoder: Chain,
        decoder: Chain,
        *,
        likelihood: Distribution | None = None,
        posterior: Distribution | None = None,
        prior: Prior | None = None,
        bound: str | Bound = "elbo",
        n_samples: int = 1,
        beta: float = 1.0,
        free_bits: float = 0.0,
        weight_precision: float = 0.0,
    ) -> None:
        self.n_features = integer("n_features", n_features, at_least=1)
        self.latent_dim = integer("latent_dim", latent_dim, at_least=1)
        self.likelihood = Bernoulli() if likelihood is None else likelihood
        self.posterior = DiagonalGaussian() if posterior is None else posterior
        self.prior = StandardNormal() if prior is None else prior
        self.n_samples = integer("n_samples", n_samples, at_least=1)
        self.beta = number("beta", beta, at_least=0)
        self.free_bits = number("free_bits", free_bits, at_least=0)
        self.weight_precision = number("weight_precision", weight_precision, at_least=0)

        n_shared = self.likelihood.n_shared
        n_out = self.likelihood.n_params(self.n_features) - n_shared
        _require_width("encoder", encoder, self.posterior.n_params(self.latent_dim), self.posterior)
        _require_width("decoder", decoder, n_out, self.likelihood)
        self.encoder = encoder
        self.decoder = Chain(*decoder.layers, Constants(n_out, n_shared)) if n_shared > 0 else decoder
        self._decoder_biases = [decoder.output_bias] + [f"{len(decoder.layers)}.b"] * (n_shared > 0)

        self._bound = one_of("bound", bound, BOUNDS) if isinstance(bound, str) else bound
        self.bound = self._bound.name
        self._require_fit()
        self.objective = self._bound.with_options(self.beta, self.free_bits)

    @classmethod
    def mlp(
        cls: type[V],
        n_features: int,
        latent_dim: int,
        hidden: int | Sequence[int] = (400,),
        activation: str | Layer = "relu",
        likelihood: Distribution | None = None,
        n_samples: int = 1,
        *,
        init_weights: str | Initializer = "standard",
        posterior: Distribution | None = None,
        **options: object,
    ) -> V:
        """A VAE of two multilayer perceptrons.

        Parameters
        ----------
        hidden : int or sequence of int, default (400,)
            Widths of the encoder's hidden layers; the decoder has them in reverse.
        activation : str or Layer
        init_weights : str or callable
            See `npvae.layers.mlp`.
        n_features, latent_dim, likelihood, n_samples, posterior, **options
            Those of the class.
        """
        n_features, latent_dim = integer("n_features", n_features, 1), integer("latent_dim", latent_dim, 1)
        hidden = widths("hidden", hidden)
        likelihood = Bernoulli() if likelihood is None else likelihood
        posterior = DiagonalGaussian() if posterior is None else posterior
        n_out = likelihood.n_params(n_features) - likelihood.n_shared
        encoder = mlp(n_features, hidden, posterior.n_params(latent_dim), activation, init_weights)
        decoder = mlp(latent_dim, hidden[::-1], n_out, activation, init_weights)
        given = {"likelihood": likelihood, "posterior": posterior, "n_samples": n_samples}
        return cls(n_features, latent_dim, encoder, decoder, **given, **options)

    def __repr__(self) -> str:
        names = ("likelihood", "posterior", "prior", "bound", "n_samples", "beta", "free_bits", "weight_precision")
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({self.n_features}, {self.latent_dim}, {self.encoder}, {self.decoder}, {options})"

    def _require_fit(self) -> None:
        """An ArgumentError unless posterior and prior have what the bound needs."""
        bound, settings = self._bound, {"posterior": self.posterior, "prior": self.prior}
        if bound.through_latents and not isinstance(self.posterior, Reparameterised):
            fits = " or ".join(repr(name) for name, other in BOUNDS.items() if not other.through_latents)
            rule = f"be {fits} with {{posterior}}: its draw is no smooth function of its noise"
            raise ArgumentError("bound", rule, repr(bound.name), settings=settings)
        has_kl = isinstance(self.posterior, AnalyticKL) and self.posterior.has_kl(self.prior)
        if "kl" in bound.needs and not has_kl:
            fits = ", ".join(repr(name) for name, other in BOUNDS.items() if "kl" not in other.needs)
            rule = f"be one of {fits} with {{posterior}} and {{prior}}: they have no analytic KL"
            raise ArgumentError("bound", rule, repr(bound.name), settings=settings)
        if self.free_bits > 0 and not hasattr(self.posterior, "kl_terms"):
            rule = "be 0 with {posterior}: its KL is no sum over the latents"
            raise ArgumentError("free_bits", rule, self.free_bits, settings=settings)

    def with_beta(self: V, beta: float) -> V:
        """The same model with another weight of the KL term, in microseconds: the networks are shared, not built."""
        model = copy(self)
        model.beta = number("beta", beta, at_least=0)
        model.objective = model._bound.with_options(model.beta, model.free_bits)
        return model

    @property
    def mean_over_rows(self) -> bool:
        """Whether the loss is a mean over rows; free bits are counted on the mean over the batch."""
        return self.free_bits == 0

    @property
    def operations(self) -> int:
        """Operations of a gradient for each row: every draw goes through the decoder."""
        return 6 * (multiplications(self.encoder) + self.n_samples * multiplications(self.decoder))

    @property
    def shapes(self) -> Shapes:
        """The parameters of the encoder, of the decoder, and of the prior if it has any."""
        parts = {"encoder": self.encoder, "decoder": self.decoder, "prior": self.prior}
        return {f"{part}.{name}": shape for part, thing in parts.items() for name, shape in thing.shapes.items()}

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Draw initial parameters.

        With the `mean` (n_features,) of the data, the decoder's last bias starts where it alone puts out that mean, so
        that the first outputs lie around it; this spares the first epochs. A learned variance starts at `var`
        (n_features,), the data's; without `var` it starts at 1.
        """
        for name, given in (("mean", mean), ("var", var)):
            if given is not None and np.shape(given) != (self.n_features,):
                raise ArgumentError(name, f"have shape ({self.n_features},)", np.shape(given))
        if var is not None and mean is None:
            raise ArgumentError("mean", "be given where var is", None)
        theta = Parameters(self.shapes, dtype)
        for part, thing in (("encoder", self.encoder), ("decoder", self.decoder), ("prior", self.prior)):
            for name, value in thing.init(rng).items():
                theta[f"{part}.{name}"][...] = value
        if mean is not None:
            bias, start = self.likelihood.output_bias(mean, np.ones_like(mean) if var is None else var), 0
            for name in self._decoder_biases:
                part = theta[f"decoder.{name}"]
                part[...] = bias[start : start + len(part)]
                start += len(part)
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> NDArray:
        """The posterior's noise for n rows, (L, n, latent_dim)."""
        return self.posterior.draw_noise(rng, (self.n_samples, n, self.latent_dim), dtype)

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The parameters of q(z|x), (n, posterior.n_params(latent_dim)), for x (n, n_features)."""
        return self.encoder.forward(theta.section("encoder"), x)[0]

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        """The parameters of p(x|z), (…, likelihood.n_params(n_features)), for z (…, latent_dim)."""
        a_x = self.decoder.forward(theta.section("decoder"), z.reshape(-1, z.shape[-1]))[0]
        return a_x.reshape(*z.shape[:-1], -1)

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
            KL(q(z|x) ‖ p(z)) or its estimate from the samples. With a prior on the parameters also "weights".

        Raises
        ------
        ValueError
            If x or noise has another shape.
        """
        self.require_shapes(x, noise)
        found = forward(self, theta, x, noise, self.objective.needs)
        return self._with_weights(self.objective.function(**found.densities)[0], theta)

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: NDArray) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the gradient of its mean over the batch with respect to theta.

        Under the bounds "stl", "dreg" and "score-function" the encoder's gradient is another estimate, of the same
        expectation.
        """
        self.require_shapes(x, noise)
        values, caches = forward(self, theta, x, noise, self.objective.needs)
        loss, upstream = self.objective.function(**values)
        dtheta = theta.empty_like()
        dz = decoder_backward(self, theta, caches, upstream, dtheta, self.objective.through_latents)
        encoder_backward(self, theta, caches, upstream, dz, dtheta)
        if self.weight_precision > 0:
            dtheta.flat += self.weight_precision * theta.flat
        return self._with_weights(loss, theta), dtheta

    def _with_weights(self, loss: Loss, theta: Parameters) -> Loss:
        """The loss with the term of the prior on the parameters, if there is one."""
        if self.weight_precision == 0:
            return loss
        weights = np.full_like(loss.terms["kl"], 0.5 * (theta.flat @ theta.flat))
        return loss.with_term("weights", weights, self.weight_precision, "½‖weights‖²")

    def require_shapes(self, x: NDArray, eps: NDArray) -> None:
        """An ArgumentError unless x is (n, n_features) and eps (L, n, latent_dim), with n and L at least 1."""
        require_rows(x, self.n_features)
        if eps.ndim != 3 or eps.shape[1:] != (len(x), self.latent_dim) or len(eps) == 0:
            raise ArgumentError("noise", f"have shape (L, {len(x)}, {self.latent_dim})", eps.shape)


def _require_width(argument: str, network: Chain, width: int, distribution: Distribution) -> None:
    (found,) = network.shapes[network.output_bias]
    if found != width:
        raise ArgumentError(argument, f"put out {width} numbers, those of {distribution!r}", found)
