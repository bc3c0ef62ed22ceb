"""The diagonal Gaussian against SciPy, the full-covariance formulas, its own moments, and numbers by hand."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from npvae.distributions import DiagonalGaussian

Q = DiagonalGaussian()
RNG = np.random.default_rng(0)
N, D = 5, 3
MU, LOG_VAR = RNG.standard_normal((2, N, D))
A = np.concatenate([MU, LOG_VAR], axis=1)
B = RNG.standard_normal((N, 2 * D))
SIGMA = np.exp(LOG_VAR / 2)


def gaussian(mu, variance):
    """One row of [mu | log_var]."""
    return np.array([[*np.atleast_1d(mu), *np.log(np.atleast_1d(variance))]], dtype=float)


def full_kl(mu1, cov1, mu2, cov2):
    """KL of two Gaussians with full covariances, ½ (tr Σ₂⁻¹Σ₁ + δᵀΣ₂⁻¹δ − k − log det Σ₁/det Σ₂)."""
    inverse, delta = np.linalg.inv(cov2), mu2 - mu1
    log_dets = np.linalg.slogdet(cov2)[1] - np.linalg.slogdet(cov1)[1]
    return 0.5 * (np.trace(inverse @ cov1) + delta @ inverse @ delta - len(mu1) + log_dets)


def test_log_prob_is_scipys_normal_and_multivariate_normal():
    x = RNG.standard_normal((N, D))
    value = Q.log_prob(A, x)[0]
    np.testing.assert_allclose(value, scipy.stats.norm.logpdf(x, MU, SIGMA).sum(axis=1), rtol=1e-13)
    many = [scipy.stats.multivariate_normal.logpdf(x[i], MU[i], np.diag(SIGMA[i] ** 2)) for i in range(N)]
    np.testing.assert_allclose(value, many, rtol=1e-13)


def test_entropy_is_scipys():
    np.testing.assert_allclose(Q.entropy(A)[0], scipy.stats.norm.entropy(MU, SIGMA).sum(axis=1), rtol=1e-13)
    many = [scipy.stats.multivariate_normal(MU[i], np.diag(SIGMA[i] ** 2)).entropy() for i in range(N)]
    np.testing.assert_allclose(Q.entropy(A)[0], many, rtol=1e-13)


def test_kl_is_the_full_covariance_formula_with_a_diagonal_in_it():
    other_mu, other_log_var = np.split(B, 2, axis=1)
    for i in range(N):
        own = MU[i], np.diag(SIGMA[i] ** 2)
        assert Q.kl(A)[0][i] == pytest.approx(full_kl(*own, np.zeros(D), np.eye(D)), rel=1e-12)
        other = other_mu[i], np.diag(np.exp(other_log_var[i]))
        assert Q.kl_between(A, B)[0][i] == pytest.approx(full_kl(*own, *other), rel=1e-12)


def test_the_kl_of_every_dimension_is_that_of_its_own_gaussian():
    terms, _ = Q.kl_terms(A)
    for j in range(D):
        np.testing.assert_allclose(terms[:, j], Q.kl(A[:, [j, D + j]])[0], rtol=1e-13)


def test_kl_is_the_integral_of_the_log_ratio_in_one_dimension():
    q, p = scipy.stats.norm(0.4, 0.8), scipy.stats.norm(-0.3, 1.5)
    integral, _ = scipy.integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -12, 12, epsabs=1e-13)
    value = Q.kl_between(gaussian(0.4, 0.8**2), gaussian(-0.3, 1.5**2))[0][0]
    assert value == pytest.approx(integral, rel=1e-10)


def test_kl_entropy_and_the_prior_by_hand():
    # log(3/2) + (4 + (1 − 3)²)/(2·9) − ½
    assert Q.kl_between(gaussian(1, 4), gaussian(3, 9))[0][0] == pytest.approx(0.34990955255260883, rel=1e-14)
    # log(2/3) + (9 + 4)/(2·4) − ½: not symmetric
    assert Q.kl_between(gaussian(3, 9), gaussian(1, 4))[0][0] == pytest.approx(0.7195348918918356, rel=1e-14)
    # ½ log 2πe + log 2
    assert Q.entropy(gaussian(1, 4))[0][0] == pytest.approx(2.112085713764618, rel=1e-14)
    # ½ (1 + 1 − 1 − 0) + ½ (4 + e − 1 − 1)
    assert Q.kl(gaussian([1, -2], [1, np.e]))[0][0] == pytest.approx((3 + np.e) / 2, rel=1e-14)


def test_the_reparameterisation_by_hand():
    # sigma = 2 and 3, so z = 1 + 2·0.5 and −1 + 3·(−2); ∂z/∂mu = 1 and ∂z/∂log_var = ½ sigma eps
    z, cache = Q.sample(gaussian([1, -1], [4, 9]), np.array([[0.5, -2.0]]))
    np.testing.assert_allclose(z, [[2, -7]], rtol=1e-15)
    np.testing.assert_allclose(Q.sample_backward(cache, np.ones((1, 2))), [[1, 1, 0.5, -3]], rtol=1e-15)


def test_draws_have_mean_mu_and_variance_exp_log_var_and_no_correlation():
    n = 100_000
    z, _ = Q.sample(A, Q.draw_noise(np.random.default_rng(1), (n, N, D), np.float64))
    variance = np.exp(LOG_VAR)
    assert (abs(z.mean(axis=0) - MU) <= 4 * np.sqrt(variance / n)).all()
    assert (abs(z.var(axis=0) - variance) <= 4 * variance * np.sqrt(2 / n)).all()
    correlation = np.corrcoef(z.reshape(n, -1).T) - np.eye(N * D)
    assert abs(correlation).max() <= 4.5 / np.sqrt(n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_noise_is_standard_normal(dtype):
    noise = Q.draw_noise(np.random.default_rng(2), (50_000,), dtype)
    assert scipy.stats.kstest(noise, "norm").pvalue > 0.01


def test_the_density_of_a_draw_is_the_noises_density_less_the_log_scales():
    eps = RNG.standard_normal((7, N, D))
    z, _ = Q.sample(A, eps)
    expected = scipy.stats.norm.logpdf(eps).sum(axis=-1) - np.log(SIGMA).sum(axis=-1)
    np.testing.assert_allclose(Q.log_prob(A, z)[0], expected, rtol=1e-12)


def test_the_density_integrates_to_one():
    a = gaussian(0.4, 0.3)
    mass, _ = scipy.integrate.quad(lambda x: np.exp(Q.log_prob(a, np.array([[x]]))[0][0]), -6, 7, epsabs=1e-12)
    assert mass == pytest.approx(1, abs=1e-10)


def test_near_the_prior_the_kl_keeps_its_digits():
    # ½ (e^v − 1 − v) = v²/4 + v³/12 + …, where exp(v) − 1 would be lost in rounding
    log_var = np.array([1e-4, -1e-5, 1e-6])
    a = np.stack([np.zeros(3), log_var], axis=1)
    np.testing.assert_allclose(Q.kl(a)[0], log_var**2 / 4 + log_var**3 / 12, rtol=1e-8)
    np.testing.assert_allclose(Q.kl_between(a, np.zeros((1, 2)))[0], log_var**2 / 4 + log_var**3 / 12, rtol=1e-8)


def test_mean_is_mu_and_the_output_bias_has_the_mean_and_the_variance():
    np.testing.assert_array_equal(Q.mean(A), MU)
    np.testing.assert_allclose(Q.output_bias(np.array([0.2, -3.0]), np.array([0.0, 4.0])), [0.2, -3, 0, np.log(4)])


def test_the_kl_between_gaussians_of_any_width_is_a_number_and_nothing_warns():
    q = DiagonalGaussian()
    wide, narrow = np.array([[0.0, 2e3]]), np.array([[0.0, -2e3]])
    assert q.kl_between(wide, narrow)[0] == np.inf
    assert q.kl_between(narrow, wide)[0] == pytest.approx(0.5 * (4e3 - 1))
