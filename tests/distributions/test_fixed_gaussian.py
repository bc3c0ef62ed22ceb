"""The Gaussian of given width: the squared error with its constant, and SciPy's opinion."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from npvae.distributions import DiagonalGaussian, FixedGaussian

A, X = np.random.default_rng(0).standard_normal((2, 5, 3))
SIGMAS = [0.1, 1.0, 2.5]


def test_with_width_one_it_is_half_the_squared_error_and_its_constant():
    expected = 0.5 * ((X - A) ** 2).sum(axis=1) + 1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(-FixedGaussian().log_prob(A, X)[0], expected, rtol=1e-14)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_log_prob_and_entropy_are_scipys(sigma):
    q = FixedGaussian(sigma)
    np.testing.assert_allclose(q.log_prob(A, X)[0], scipy.stats.norm.logpdf(X, A, sigma).sum(axis=1), rtol=1e-13)
    many = [scipy.stats.multivariate_normal.logpdf(x, a, sigma**2) for x, a in zip(X, A, strict=True)]
    np.testing.assert_allclose(q.log_prob(A, X)[0], many, rtol=1e-13)
    np.testing.assert_allclose(q.entropy(A)[0], np.full(5, 3 * scipy.stats.norm.entropy(0, sigma)), rtol=1e-13)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_it_is_the_diagonal_gaussian_with_that_variance(sigma):
    q, same = FixedGaussian(sigma), DiagonalGaussian()
    a = np.concatenate([A, np.full_like(A, 2 * np.log(sigma))], axis=1)
    np.testing.assert_allclose(q.log_prob(A, X)[0], same.log_prob(a, X)[0], rtol=1e-13)
    np.testing.assert_allclose(q.sample(A, X)[0], same.sample(a, X)[0], rtol=1e-13)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_draws_have_mean_a_and_standard_deviation_sigma(sigma):
    n = 50_000
    q = FixedGaussian(sigma)
    x, _ = q.sample(A, q.draw_noise(np.random.default_rng(1), (n, 5, 3), np.float64))
    assert (abs(x.mean(axis=0) - A) <= 4 * sigma / np.sqrt(n)).all()
    assert (abs(x.std(axis=0) / sigma - 1) <= 4 / np.sqrt(2 * n)).all()


def test_the_entropy_does_not_depend_on_the_mean():
    q = FixedGaussian(0.5)
    _, cache = q.entropy(A)
    np.testing.assert_array_equal(q.entropy_backward(cache, np.ones(5)), np.zeros((5, 3)))


def test_mean_and_output_bias_are_the_mean():
    np.testing.assert_array_equal(FixedGaussian().mean(A), A)
    np.testing.assert_array_equal(FixedGaussian().output_bias(A[0], np.ones(len(A[0]))), A[0])
    assert not np.shares_memory(FixedGaussian().mean(A), A)


@pytest.mark.parametrize("sigma", [0, -1.0, np.inf, np.nan])
def test_a_width_that_is_none_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma must be"):
        FixedGaussian(sigma)


def test_the_constant_counts_every_dimension_of_x():
    a, x = np.zeros((4, 1)), np.zeros((4, 3))
    np.testing.assert_allclose(FixedGaussian().log_prob(a, x)[0], -1.5 * np.log(2 * np.pi))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_with_the_sigmoid_a_holds_the_means_logits(sigma):
    q, plain = FixedGaussian(sigma, "sigmoid"), FixedGaussian(sigma)
    mean = scipy.special.expit(A)
    np.testing.assert_allclose(q.mean(A), mean, rtol=1e-14)
    np.testing.assert_allclose(q.log_prob(A, X)[0], plain.log_prob(mean, X)[0], rtol=1e-13)
    np.testing.assert_allclose(q.sample(A, X)[0], plain.sample(mean, X)[0], rtol=1e-13)
    np.testing.assert_array_equal(q.entropy(A)[0], plain.entropy(A)[0])
    np.testing.assert_allclose(
        q.output_bias(np.array([0.0, 0.5, 1.0]), np.ones(3)), [-np.log(999), 0, np.log(999)], atol=1e-15
    )


def test_an_unknown_link_is_refused():
    with pytest.raises(ValueError, match="link must be one of 'identity', 'sigmoid', got 'tanh'"):
        FixedGaussian(link="tanh")
