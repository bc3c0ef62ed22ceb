"""Restoring what was seen through a linear operator and noise, with a trained decoder as the prior of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import LearnedBernoulli, UniformBernoulli
from npvae.distributions.distribution import DifferentiableMean
from npvae.evaluation.hamiltonian import hamiltonian_monte_carlo
from npvae.evaluation.operators import LinearOperator
from npvae.models import VAE
from npvae.models.densities import prior_section
from npvae.numerics import keep_freed_memory
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from npvae.schedules import Cosine
from npvae.validation import ArgumentError, ArgumentTypeError, data_matrix, integer, number

__all__ = ["LatentPosterior", "Restored", "most_probable", "restore"]

SHARPEST = 1e-12
"""Smallest σ: its square still divides what float32 holds."""

START_TEMPERATURE = 1000.0
"""How much less the data count when the warm-up begins than at its end: there the prior rules, chains move freely."""


class Restored(NamedTuple):
    """Images x that may have been behind the observations y."""

    mean: NDArray
    """E[x|y], (n, n_features)."""
    std: NDArray
    """Standard deviation of each pixel under p(x|y), (n, n_features)."""
    draws: NDArray
    """Draws of p(x|y), one from each chain, (chains, n, n_features)."""
    latents: NDArray
    """Their latents, all that were kept, (chains, steps, n, latent_dim)."""
    acceptance: NDArray
    """Share of accepted proposals, (chains, n): near 0 a chain stood still."""
    disagreement: NDArray
    """Potential scale reduction of the energy, (n,): near 1 where the chains of a row agree, larger where they have
    found different modes, and mean and std depend on where they began. NaN where there are fewer than four steps, not
    finite where the chains stood still."""


@dataclass(frozen=True)
class LatentPosterior:
    """p(z|y) ∝ p(z) N(y; A x(z), σ² I), where x(z) = E[x|z] is the decoder's mean image, not rounded to grey levels.

    The noise that the likelihood p(x|z) itself has is left out of x: the prior of images is that of the decoder's
    means.

    Parameters
    ----------
    model : VAE
    theta : Parameters
    operator : LinearOperator
        A.
    y : (n, operator.n_out) array
    sigma : float
        σ, the standard deviation of the noise of y.
    """

    model: VAE
    theta: Parameters
    operator: LinearOperator
    y: NDArray
    sigma: float

    def images(self, z: NDArray) -> NDArray:
        """x(z), (n, n_features)."""
        return _pictured(self.model.likelihood).mean(self.model.decode(self.theta, z))

    def energy(self, z: NDArray, weight: float = 1.0) -> tuple[NDArray, Any]:
        """U(z) = weight · ‖y − A x(z)‖²/(2σ²) − log p(z), nats, without the constant of the noise.

        Parameters
        ----------
        z : (n, latent_dim) array
            A row for each row of y.
        weight : float, default 1.0
            Weight of the data; below 1 the posterior is tempered.

        Returns
        -------
        U : (n,) array
        cache
            For `energy_backward`: what the decoder, its output and the prior need, and the weighted residual.
        """
        decoder = self.theta.section("decoder")
        a_x, of_decoder = self.model.decoder.forward(decoder, z)
        residual = self.operator.forward(_pictured(self.model.likelihood).mean(a_x)) - self.y
        log_pz, of_prior = self.model.prior.log_prob(z, prior_section(self.model, self.theta))
        scale = weight / self.sigma / self.sigma
        energy = 0.5 * scale * (residual * residual).sum(axis=1) - log_pz
        return energy, (of_decoder, a_x, scale * residual, of_prior)

    def energy_backward(self, cache: Any, dU: NDArray) -> NDArray:
        """dz: Aᵀ (A x − y)/σ² goes back through the mean and the decoder, and −∂log p(z)/∂z is added."""
        of_decoder, a_x, residual, of_prior = cache
        decoder = self.theta.section("decoder")
        dx = self.operator.adjoint(residual) * dU[:, None]
        da_x = _pictured(self.model.likelihood).mean_grad(a_x, dx)
        dz = self.model.decoder.backward(decoder, of_decoder, da_x, decoder.empty_like())
        params = prior_section(self.model, self.theta)
        grads = None if params is None else params.empty_like()
        return dz + self.model.prior.log_prob_backward(of_prior, -dU, grads)

    def energy_and_grad(self, z: NDArray, weight: float = 1.0) -> tuple[NDArray, NDArray]:
        """U (n,) and ∂U/∂z (n, latent_dim) of each row."""
        energy, cache = self.energy(z, weight)
        return energy, self.energy_backward(cache, np.ones_like(energy))


def _pictured(likelihood: Any) -> DifferentiableMean:
    """What has the mean image and its gradient: the likelihood, or if its mean goes in steps, what is before them."""
    return getattr(likelihood, "unrounded", likelihood)


def _from_prior(posterior: LatentPosterior, rng: np.random.Generator) -> NDArray:
    """Draws of the prior, one for each row of y."""
    model, theta = posterior.model, posterior.theta
    eps = model.prior.draw_noise(rng, (len(posterior.y), model.latent_dim), theta.dtype)
    return model.prior.sample(eps, prior_section(model, theta))


def _posterior(
    model: VAE, theta: Parameters, y: ArrayLike, operator: LinearOperator, sigma: float, chains: int
) -> LatentPosterior:
    """The posterior of `chains` copies of every row of y; errors name what does not fit."""
    if not isinstance(model, VAE):
        advice = "of an estimator, hand over model_ and theta_"
        raise ArgumentTypeError("model", "be a npvae.models.VAE", type(model).__name__, advice)
    if not isinstance(operator, LinearOperator):
        advice = "operators.matrix makes one of a matrix"
        raise ArgumentTypeError("operator", "be a LinearOperator", type(operator).__name__, advice)
    if operator.n_in != model.n_features:
        raise ArgumentError("operator", f"be one for {model.n_features} features", f"one for {operator.n_in}")
    if not hasattr(_pictured(model.likelihood), "mean_grad"):
        raise ArgumentError("model", "have a likelihood that tells the gradient of its mean", repr(model.likelihood))
    if isinstance(model.prior, LearnedBernoulli | UniformBernoulli):
        raise ArgumentError("model", "have real latents for steps along a gradient", repr(model.prior))
    y = data_matrix("y", y, operator.n_out, theta.dtype)
    return LatentPosterior(model, theta, operator, np.tile(y, (chains, 1)), number("sigma", sigma, at_least=SHARPEST))


@np.errstate(over="ignore", invalid="ignore")  # energies overflow where σ is tiny; the chains stand still there
def restore(
    model: VAE,
    theta: Parameters,
    y: ArrayLike,
    operator: LinearOperator,
    sigma: float,
    rng: np.random.Generator,
    *,
    chains: int = 4,
    warm_up: int = 200,
    steps: int = 200,
    n_leapfrog: int = 10,
) -> Restored:
    """What images may have been seen as y = A x + σ noise: draws of p(z|y) by Hamiltonian Monte Carlo, decoded.

    Every row has `chains` chains of its own that begin at draws of the prior. In the first half of the warm-up the
    weight of the data rises from 1/1000 to 1, so that a chain finds a large mode before it is held there.

    Limits: p(z|y) has several modes where y leaves several images possible, and a chain seldom goes from one to
    another; `disagreement` tells of it. What the decoder cannot draw is not restored.

    Parameters
    ----------
    y : (n, operator.n_out) array
    operator : LinearOperator
    sigma : float
        Standard deviation of the noise in y, in units of the pixels; at least 1e-12. The smaller, the shorter the steps
        have to be.
    rng : Generator
    chains, warm_up, steps, n_leapfrog : int
        Chains a row; steps thrown away and kept; gradients a step.

    Raises
    ------
    TypeError, ValueError
        If y is not finite, the operator is one for other images, or a number is out of its range.

    References
    ----------
    Bora, Jalal, Price & Dimakis, Compressed sensing using generative models (2017), for the model of y. Neal, MCMC
    using Hamiltonian dynamics (2011).
    """
    chains = integer("chains", chains, at_least=1)
    integer("warm_up", warm_up, at_least=1)
    posterior = _posterior(model, theta, y, operator, sigma, chains)
    keep_freed_memory()

    def tempered(t: float) -> Any:
        weight = START_TEMPERATURE ** (min(1.0, 2 * t) - 1)
        return lambda z: posterior.energy_and_grad(z, weight)

    start = _from_prior(posterior, rng)
    options = {"warm_up": warm_up, "steps": steps, "n_leapfrog": n_leapfrog, "tempered": tempered}
    found = hamiltonian_monte_carlo(posterior.energy_and_grad, start, rng, **options)
    n = len(posterior.y) // chains
    mean, square = np.zeros((n, model.n_features)), np.zeros((n, model.n_features))
    energies = np.empty((len(found.draws), chains, n))
    for z, energy in zip(found.draws, energies, strict=True):
        x = posterior.images(z).reshape(chains, n, -1).astype(np.float64)
        mean += x.sum(axis=0)
        square += (x * x).sum(axis=0)
        energy[...] = posterior.energy(z)[0].reshape(chains, n)
    count = len(found.draws) * chains
    mean /= count
    return Restored(
        mean,
        np.sqrt(np.maximum(square / count - mean * mean, 0)),
        posterior.images(found.draws[-1]).reshape(chains, n, -1),
        found.draws.reshape(-1, chains, n, model.latent_dim).swapaxes(0, 1),
        found.acceptance.reshape(chains, n),
        _scale_reduction(energies.swapaxes(0, 1)),
    )


def _scale_reduction(values: NDArray) -> NDArray:
    """√(1 − 1/m + B/W), (n,), of values (chains, steps, n): W is the mean variance within the halves of the chains, of
    m steps each, and B the variance of their means. It is NaN where m < 2 or nothing moved.

    References
    ----------
    Gelman et al., Bayesian data analysis (3rd edition, 2013), section 11.4.
    """
    steps = values.shape[1] // 2
    if steps < 2:
        return np.full(values.shape[-1], np.nan)
    halves = np.concatenate([values[:, :steps], values[:, -steps:]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.sqrt(1 - 1 / steps + between / within)


def most_probable(
    model: VAE,
    theta: Parameters,
    y: ArrayLike,
    operator: LinearOperator,
    sigma: float,
    rng: np.random.Generator,
    *,
    starts: int = 8,
    steps: int = 500,
) -> tuple[NDArray, NDArray]:
    """The most probable latents z given y, and their images, by Adam from several draws of the prior.

    Parameters
    ----------
    starts, steps : int
        Draws a row, and steps from each; the best end is kept.

    Others as in `restore`, and the same errors.

    Returns
    -------
    x : (n, n_features) array
    z : (n, latent_dim) array
    """
    starts, steps = integer("starts", starts, at_least=1), integer("steps", steps, at_least=1)
    posterior = _posterior(model, theta, y, operator, sigma, starts)
    z = _from_prior(posterior, rng)
    optimizer = Adam(Cosine(0.1, steps, final=1e-4))
    state = optimizer.init(z.reshape(-1))
    for _ in range(steps):
        _, dz = posterior.energy_and_grad(z)
        optimizer.step(z.reshape(-1), np.ascontiguousarray(dz).reshape(-1), state)
    energy = posterior.energy(z)[0].reshape(starts, -1)
    best = z.reshape(starts, -1, model.latent_dim)[energy.argmin(axis=0), np.arange(energy.shape[1])]
    return posterior.images(best), best
