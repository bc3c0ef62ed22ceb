"""Every likelihood with every posterior under every bound: gradients along random directions, by the complex step."""

import numpy as np
import pytest

from npvae import distributions
from npvae.bounds import BOUNDS
from npvae.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
)
from npvae.models import VAE
from npvae.proofs.definitions import surrogate

LIKELIHOODS = [
    Bernoulli(),
    ContinuousBernoulli(),
    DiagonalGaussian(),
    FixedGaussian(0.7),
    FixedGaussian(0.7, "sigmoid"),
    LearnedGaussian(),
    LearnedGaussian(link="sigmoid"),
    LearnedGaussian(shared=True),
    LearnedGaussian(shared=True, link="sigmoid"),
]
LIKELIHOODS += [f() for f in distributions.LIKELIHOODS.values() if f.make not in {type(q) for q in LIKELIHOODS}]
POSTERIORS = [DiagonalGaussian(), FullGaussian()]
EXACT = ("elbo", "monte-carlo", "iwae")
STEP = 1e-30
DIRECTIONS = 3


def value_and_grad(model, theta, x, eps):
    """The loss where its gradient is exact, else what the estimate is the exact gradient of."""
    if model.bound not in EXACT:
        return surrogate(model, theta, x, eps)

    def of_the_loss(at):
        loss, dtheta = model.loss_and_grad(at, x, eps)
        return loss.value, dtheta

    return of_the_loss


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("posterior", POSTERIORS, ids=repr)
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=repr)
def test_gradient_along_random_directions_is_the_complex_steps(likelihood, posterior, bound):
    rng = np.random.default_rng(0)
    model = VAE.mlp(5, 2, (4, 3), "tanh", likelihood, n_samples=3, posterior=posterior, bound=bound)
    x = rng.uniform(size=(6, 5))
    x = x if likelihood.is_density(x) else np.round(x)
    theta = model.init(rng, np.float64, mean=x.mean(axis=0))
    theta.flat += 0.1 * rng.standard_normal(theta.flat.size)
    function = value_and_grad(model, theta, x, model.draw_noise(rng, len(x), np.float64))
    _, dtheta = function(theta)
    for direction in rng.standard_normal((DIRECTIONS, theta.flat.size)):
        moved = theta.astype(np.complex128)
        moved.flat += 1j * STEP * direction
        slope = function(moved)[0].imag / STEP
        assert dtheta.flat @ direction == pytest.approx(slope, rel=1e-11, abs=1e-11)


def test_there_is_no_bound_that_is_neither_exact_nor_an_estimate():
    assert set(BOUNDS) == {*EXACT, "stl", "dreg", "score-function"}
