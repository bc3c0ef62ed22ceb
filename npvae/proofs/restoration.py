"""Cases of `npvae.evaluation.restoration`: the gradient of a decoder's mean, and of the posterior of latents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import (
    LIKELIHOODS,
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    Distribution,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
    LogisticMixture,
)
from npvae.distributions.distribution import DifferentiableMean
from npvae.evaluation.operators import blur
from npvae.evaluation.restoration import LatentPosterior
from npvae.models import VAE
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N


def cases() -> Iterator[Case]:
    """Cases of restoring images."""
    gaussians = [DiagonalGaussian(), FixedGaussian(0.7), LearnedGaussian(shared=True), FullGaussian()]
    for likelihood in (Bernoulli(), ContinuousBernoulli(), *gaussians):
        yield _mean(likelihood, likelihood)
    for family in LIKELIHOODS.values():
        if "mean_link" in family.takes and hasattr(family.make, "mean_grad"):
            yield _mean(likelihood := family(mean_link="sigmoid"), likelihood)
    for levels in (DiscretizedLogistic(), DiscretizedLogistic("sigmoid"), LogisticMixture(1), LogisticMixture(3)):
        yield _mean(levels, levels.unrounded, 0.5)  # scales that are neither wide nor narrow beside [0, 1]
    for likelihood in (Bernoulli(), DiagonalGaussian(), LogisticMixture(2)):
        yield _latent_posterior(likelihood)


def _mean(likelihood: Distribution, pictured: DifferentiableMean, spread: float = 2.0) -> Case:
    def forward(a: NDArray) -> tuple[NDArray, NDArray]:
        return pictured.mean(a), a

    def make(rng: np.random.Generator) -> tuple:
        return forward, pictured.mean_grad, (spread * rng.standard_normal((3, likelihood.n_params(N))),)

    return Case(f"distributions.{likelihood!r} mean", make, (type(likelihood),))


def _latent_posterior(likelihood: Distribution) -> Case:
    def make(rng: np.random.Generator) -> tuple:
        model = VAE.mlp(6, 3, (N,), "tanh", likelihood)
        theta = model.init(rng, np.float64)
        theta.flat += 0.1 * rng.standard_normal(theta.flat.size)
        y = rng.standard_normal((N, 6))

        def posterior(dtype: np.dtype) -> LatentPosterior:
            at = Parameters.from_arrays(theta, dtype)
            return LatentPosterior(model, at, blur((2, 3), 0.8), y.astype(dtype), 0.7)

        def forward(z: NDArray) -> tuple[NDArray, tuple]:
            energy, cache = posterior(z.real.dtype).energy(z, 0.6)
            return energy, (z.real.dtype, cache)

        def backward(cache: tuple, dU: NDArray) -> NDArray:
            return posterior(cache[0]).energy_backward(cache[1], dU)

        return forward, backward, (rng.standard_normal((N, 3)),)

    return Case(f"evaluation.LatentPosterior {type(likelihood).__name__}", make, (LatentPosterior,))
