"""The terms of −ELBO against the model's own loss, closed forms and enumeration."""

import numpy as np
import pytest

from npvae.distributions import Bernoulli, LearnedBernoulli, UniformBernoulli
from npvae.evaluation import elbo_terms
from npvae.evaluation.row_noise import row_generators
from npvae.models import VAE
from tests.evaluation.linear_gaussian import Linear


def test_with_the_same_noise_they_are_the_terms_of_the_loss():
    linear = Linear()
    terms = elbo_terms(linear.model, linear.theta, linear.x, 5, n_samples=3)
    eps = np.stack([rng.standard_normal((3, 2)) for rng in row_generators(linear.x, 5, "latents")], axis=1)
    loss = linear.model.loss(linear.theta, linear.x, eps)
    for name, term in loss.terms.items():
        np.testing.assert_allclose(terms[name], term, rtol=1e-12)


def test_what_was_trained_plays_no_part():
    rng = np.random.default_rng(0)
    plain = VAE.mlp(5, 2, (4,))
    other = VAE.mlp(5, 2, (4,), bound="iwae", n_samples=4, weight_precision=0.5)
    theta, x = plain.init(rng), (rng.random((6, 5)) < 0.5).astype("f4")
    for name, term in elbo_terms(plain, theta, x, 0).items():
        np.testing.assert_array_equal(elbo_terms(other, theta, x, 0)[name], term)


@pytest.mark.parametrize("prior", [UniformBernoulli(), LearnedBernoulli(3)], ids=repr)
def test_binary_latents_have_the_elbo_of_all_their_values(prior):
    """With enough draws, the sum over all 2³ latents."""
    model = VAE.mlp(5, 3, (4,), posterior=Bernoulli(), prior=prior, bound="score-function")
    rng = np.random.default_rng(0)
    theta, x = model.init(rng, np.float64), (rng.random((4, 5)) < 0.5).astype(float)
    theta.flat += 0.7 * rng.standard_normal(theta.flat.size)
    z = np.array([[i >> j & 1 for j in range(3)] for i in range(8)], float)
    log_q = model.posterior.log_prob(model.encode(theta, x)[:, None], z)[0]
    log_px_z = model.likelihood.log_prob(model.decode(theta, z), x[:, None])[0]
    log_pz = prior.log_prob(z, theta.section("prior") if prior.shapes else None)[0]
    terms = elbo_terms(model, theta, x, 0, n_samples=20_000, max_rows=50_000)
    np.testing.assert_allclose(terms["reconstruction"], -(np.exp(log_q) * log_px_z).sum(axis=1), atol=0.05)
    np.testing.assert_allclose(terms["kl"], (np.exp(log_q) * (log_q - log_pz)).sum(axis=1), rtol=1e-12)
