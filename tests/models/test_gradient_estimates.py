"""The bounds and their gradients in expectation, where the linear Gaussian model gives log p(x) and p(z|x)."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import FixedGaussian, FullGaussian
from npvae.models import VAE
from npvae.parameters import Parameters

D, LATENTS, SIGMA = 3, 2, 0.5
ROWS = np.random.default_rng(1).standard_normal((2, D))


def model_of(bound="elbo", n_samples=1, **settings):
    return VAE.mlp(D, LATENTS, (), likelihood=FixedGaussian(SIGMA), bound=bound, n_samples=n_samples, **settings)


def parameters(model):
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = 0.4 * np.random.default_rng(0).standard_normal(theta.flat.size)
    return theta


def evidence(theta):
    weights, bias = theta["decoder.0.W"], theta["decoder.0.b"]
    return scipy.stats.multivariate_normal.logpdf(ROWS, bias, weights.T @ weights + SIGMA**2 * np.eye(D))


def at_the_true_posterior(model):
    """Parameters whose encoder puts out the exact p(z|x), correlations and all."""
    theta = parameters(model)
    weights, bias = theta["decoder.0.W"], theta["decoder.0.b"]
    cov = np.linalg.inv(np.eye(LATENTS) + weights @ weights.T / SIGMA**2)
    gain, chol = weights.T @ cov / SIGMA**2, np.linalg.cholesky(cov)
    theta["encoder.0.W"][...] = np.concatenate([gain, np.zeros((D, 3))], axis=1)
    theta["encoder.0.b"][...] = [*(-bias @ gain), *np.log(np.diag(chol)), chol[1, 0]]
    return theta


def exact_elbo_gradient(theta, beta):
    """The mean of a quadratic under N(0, I) is its mean over the 2 d points ±√d e_j: they have the same two moments."""
    points = np.sqrt(LATENTS) * np.concatenate([np.eye(LATENTS), -np.eye(LATENTS)])
    return model_of(beta=beta).loss_and_grad(theta, ROWS, np.repeat(points[:, None], len(ROWS), axis=1))[1].flat


def gradients(model, theta, times=2000):
    rng = np.random.default_rng(2)
    noises = (model.draw_noise(rng, len(ROWS), np.float64) for _ in range(times))
    return np.array([model.loss_and_grad(theta, ROWS, noise)[1].flat.copy() for noise in noises])


def assert_mean_zero(draws):
    """Each within five standard errors: of some forty elements one fails by chance in 40,000 seeds."""
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert (abs(draws.mean(axis=0)) <= 5 * error + 1e-13).all()


def test_the_importance_weighted_bound_rises_with_k_to_the_evidence_from_the_elbo():
    theta, copies = parameters(model_of()), 4000
    x, rng = np.repeat(ROWS, copies, axis=0), np.random.default_rng(3)
    means, errors = [], []
    for k in (1, 2, 8, 64):
        model = model_of("iwae", k)
        draws = -model.loss(theta, x, model.draw_noise(rng, len(x), np.float64)).per_datum.reshape(len(ROWS), copies)
        means.append(draws.mean(axis=1))
        errors.append(draws.std(axis=1, ddof=1) / np.sqrt(copies))
    points = np.sqrt(LATENTS) * np.concatenate([np.eye(LATENTS), -np.eye(LATENTS)])
    elbo = -model_of().loss(theta, ROWS, np.repeat(points[:, None], len(ROWS), axis=1)).per_datum
    assert (abs(means[0] - elbo) < 5 * errors[0]).all()
    for lower, higher, error in zip(means, means[1:], errors, strict=False):
        assert (higher - lower > 5 * error).all()
    gap = evidence(theta) - np.array(means)
    assert (gap[:3] > 0).all()
    assert (gap[3] > -5 * errors[3]).all()
    assert (gap[3] < 0.2 * gap[0]).all()


@pytest.mark.parametrize(
    ("bound", "n_samples"),
    [("monte-carlo", 1), ("stl", 1), ("stl", 3), ("score-function", 1), ("score-function", 3)],
)
def test_the_estimates_of_the_elbos_gradient_have_it_as_their_mean(bound, n_samples):
    beta = 1.7
    model = model_of(bound, n_samples, beta=beta)
    theta = parameters(model)
    assert_mean_zero(gradients(model, theta) - exact_elbo_gradient(theta, beta))


def test_dreg_has_the_mean_of_the_importance_weighted_gradient_and_less_variance():
    plain, double = model_of("iwae", 5), model_of("dreg", 5)
    theta = parameters(plain)
    of_plain, of_double = (gradients(model, theta) for model in (plain, double))  # from the same noise
    assert_mean_zero(of_plain - of_double)
    encoder = slice(theta.section("encoder").flat.size)
    assert of_double[:, encoder].var(axis=0).sum() < 0.7 * of_plain[:, encoder].var(axis=0).sum()
    np.testing.assert_allclose(of_plain[:, encoder.stop :], of_double[:, encoder.stop :], atol=1e-13)


@pytest.mark.parametrize("n_samples", [1, 3])
@pytest.mark.parametrize("bound", ["monte-carlo", "stl", "iwae", "dreg"])
def test_at_the_true_posterior_bound_is_evidence_and_the_path_gradients_vanish_for_every_noise(bound, n_samples):
    model = model_of(bound, n_samples, posterior=FullGaussian())
    theta = at_the_true_posterior(model)
    noise = model.draw_noise(np.random.default_rng(4), len(ROWS), np.float64)
    loss, grads = model.loss_and_grad(theta, ROWS, noise)
    np.testing.assert_allclose(-loss.per_datum, evidence(theta), rtol=1e-12)
    steepest = abs(grads.section("encoder").flat).max()
    assert steepest < 1e-12 if bound in ("stl", "dreg") else steepest > 0.05


def test_the_leave_one_out_baseline_takes_most_of_the_score_functions_variance_away():
    theta = parameters(model_of())
    encoder = slice(theta.section("encoder").flat.size)
    spread = [gradients(model_of("score-function", L), theta, 1000)[:, encoder].var(axis=0).sum() for L in (1, 3)]
    assert spread[1] < spread[0] / 3 / 2  # by more than what three samples are worth
