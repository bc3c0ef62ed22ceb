"""log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)), where the integrals over z can be done: equation 4 end to end.

A gradient check cannot see a density with a wrong constant or a KL to the wrong prior; this identity can.
"""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from scipy.special import expit

from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian
from npvae.models import VAE
from npvae.parameters import Parameters

LIMIT = 9  # standard deviations: the mass beyond is 2e-19


def random_parameters(model, seed=0, scale=0.6):
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = scale * np.random.default_rng(seed).standard_normal(theta.flat.size)
    return theta


def elbo_of_quadratic(model, theta, x):
    """The exact ELBO of every row where log p(x|z) is quadratic in z.

    The mean of a quadratic under N(0, I) is its mean over the 2 d points ±√d e_j: they have the same two moments.
    """
    d = model.latent_dim
    points = np.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])
    return -model.loss(theta, x, np.repeat(points[:, None], len(x), axis=1)).per_datum


def gaussian_kl(mu1, cov1, mu2, cov2):
    inverse, delta = np.linalg.inv(cov2), mu2 - mu1
    log_dets = np.linalg.slogdet(cov2)[1] - np.linalg.slogdet(cov1)[1]
    return 0.5 * (np.trace(inverse @ cov1) + delta @ inverse @ delta - len(mu1) + log_dets)


@pytest.mark.parametrize("learned", [False, True], ids=["FixedGaussian", "DiagonalGaussian"])
def test_linear_gaussian_decoder_in_closed_form(learned):
    n_features, d, sigma = 4, 3, 0.7
    model = VAE.mlp(n_features, d, (), likelihood=DiagonalGaussian() if learned else FixedGaussian(sigma))
    theta = random_parameters(model)
    weights, bias = theta["decoder.0.W"][:, :n_features], theta["decoder.0.b"][:n_features]
    noise_cov = sigma**2 * np.eye(n_features)
    if learned:  # a variance per pixel that does not depend on z, so that everything stays Gaussian
        theta["decoder.0.W"][:, n_features:] = 0
        noise_cov = np.diag(np.exp(theta["decoder.0.b"][n_features:]))

    x = np.random.default_rng(1).standard_normal((5, n_features))
    log_px = scipy.stats.multivariate_normal.logpdf(x, bias, weights.T @ weights + noise_cov)
    posterior_cov = np.linalg.inv(np.eye(d) + weights @ np.linalg.inv(noise_cov) @ weights.T)
    posterior_mu = (x - bias) @ np.linalg.inv(noise_cov) @ weights.T @ posterior_cov

    mu, log_var = np.split(model.encode(theta, x), 2, axis=1)
    gap = [gaussian_kl(mu[i], np.diag(np.exp(log_var[i])), posterior_mu[i], posterior_cov) for i in range(len(x))]
    bound = elbo_of_quadratic(model, theta, x)
    assert (bound < log_px).all()
    np.testing.assert_allclose(bound + gap, log_px, rtol=1e-12)


def test_the_bound_is_tight_and_flat_in_the_encoder_at_the_true_posterior():
    n_features, sigma = 3, 0.5
    model = VAE.mlp(n_features, 1, (), likelihood=FixedGaussian(sigma))
    theta = random_parameters(model)
    weights, bias = theta["decoder.0.W"], theta["decoder.0.b"]
    variance = 1 / (1 + (weights @ weights.T)[0, 0] / sigma**2)
    gain = weights[0] * variance / sigma**2
    theta["encoder.0.W"][...] = np.stack([gain, np.zeros(n_features)], axis=1)
    theta["encoder.0.b"][...] = -bias @ gain, np.log(variance)

    x = np.random.default_rng(1).standard_normal((4, n_features))
    log_px = scipy.stats.multivariate_normal.logpdf(x, bias, weights.T @ weights + sigma**2 * np.eye(n_features))
    np.testing.assert_allclose(elbo_of_quadratic(model, theta, x), log_px, rtol=1e-12)
    exact = VAE.mlp(n_features, 1, (), likelihood=FixedGaussian(sigma), n_samples=2)
    _, grads = exact.loss_and_grad(theta, x, np.array([1.0, -1.0])[:, None, None] * np.ones((2, 4, 1)))
    np.testing.assert_allclose(grads.section("encoder").flat, 0, atol=1e-13)


def integral(f, centre, width):
    return scipy.integrate.quad(f, centre - LIMIT * width, centre + LIMIT * width, epsabs=1e-12, epsrel=1e-11)[0]


@pytest.mark.parametrize("likelihood", [Bernoulli(), DiagonalGaussian()], ids=["Bernoulli", "DiagonalGaussian"])
def test_nonlinear_decoder_with_one_latent_by_quadrature(likelihood):
    model = VAE.mlp(3, 1, (3,), "tanh", likelihood)
    theta = random_parameters(model)
    prior = scipy.stats.norm()

    def log_joint(z, x):
        """log p(x|z) + log p(z), with SciPy's densities."""
        b = model.decode(theta, np.array([[z]]))[0]
        if isinstance(likelihood, Bernoulli):
            return scipy.stats.bernoulli.logpmf(x, expit(b)).sum() + prior.logpdf(z)
        return scipy.stats.norm.logpdf(x, b[:3], np.exp(b[3:] / 2)).sum() + prior.logpdf(z)

    for x in np.array([[1, 0, 1], [0, 0, 1]], dtype=float):
        mu, log_var = model.encode(theta, x[None])[0]
        q = scipy.stats.norm(mu, np.exp(log_var / 2))
        log_px = np.log(integral(lambda z, x=x: np.exp(log_joint(z, x)), 0, 1))

        def gap(z, x=x, q=q, log_px=log_px):
            return q.pdf(z) * (q.logpdf(z) - (log_joint(z, x) - log_px))

        def loss(eps, x=x):
            return prior.pdf(eps) * model.loss(theta, x[None], np.full((1, 1, 1), eps)).value

        to_posterior, bound = integral(gap, q.mean(), q.std()), -integral(loss, 0, 1)
        assert to_posterior > 1e-3
        assert bound + to_posterior == pytest.approx(log_px, abs=1e-9)
