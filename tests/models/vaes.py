"""VAEs of every kind, a batch for each, and the proof of its gradient."""

from itertools import product

import numpy as np
import pytest

from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian
from npvae.layers import ACTIVATIONS
from npvae.models import VAE
from npvae.parameters import Parameters
from tests.numerical import assert_gradient, frozen

LIKELIHOODS = {"Bernoulli": Bernoulli(), "DiagonalGaussian": DiagonalGaussian(), "FixedGaussian": FixedGaussian(0.8)}
D = 3
EXACT = ("monte-carlo", "iwae")  # bounds, beside the default one, whose gradient is the derivative of the loss
CASES = [
    pytest.param(
        VAE.mlp(D, 2, hidden=(4,), activation=activation, likelihood=LIKELIHOODS[name], n_samples=L, beta=beta),
        id=f"{activation} {name} L={L} beta={beta}",
    )
    for activation, name, L, beta in product(ACTIVATIONS, LIKELIHOODS, (1, 3), (1.0, 0.25))
] + [
    pytest.param(VAE.mlp(D, 2, (4,), "tanh", LIKELIHOODS[name], n_samples=L, bound=bound), id=f"{bound} {name} L={L}")
    for name, L, bound in product(LIKELIHOODS, (1, 3), EXACT)
]
every_case = pytest.mark.parametrize("model", CASES)
every_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS.keys())


def batch(model, n=4, dtype=np.float64, seed=0):
    """Random parameters (biases too), data in [0, 1], and noise, all read-only."""
    rng = np.random.default_rng(seed)
    theta = Parameters(model.shapes, dtype)
    theta.flat[:] = 0.7 * rng.standard_normal(theta.flat.size)
    theta.flat.flags.writeable = False
    x, noise = frozen(rng.random((n, model.n_features)).astype(dtype), model.draw_noise(rng, n, dtype))
    return Parameters(model.shapes, flat=theta.flat), x, noise


def assert_model_gradient(model, n=4):
    theta, x, noise = batch(model, n)
    loss, grads = model.loss_and_grad(theta, x, noise)
    assert loss.value == model.loss(theta, x, noise).value

    for name in theta:

        def value(changed, name=name):
            other = theta.astype(changed.dtype)
            other[name][...] = changed
            return model.loss(other, x, noise).value

        assert_gradient(value, theta[name], grads[name], name)
