"""Gaussians at the ends of what a dtype holds, and draws whose noise is known."""

import warnings

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import DiagonalGaussian, FixedGaussian, FullGaussian, LearnedGaussian

GAUSSIANS = [DiagonalGaussian(), FullGaussian(), LearnedGaussian(), LearnedGaussian(shared=True)]
LARGE = [1e3, 1e30, -1e3, -1e30, 1e38, -1e38]
D = 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", LARGE)
@pytest.mark.parametrize("q", GAUSSIANS, ids=repr)
def test_no_density_is_nan_and_nothing_warns(q, size, dtype):
    """All numbers as large, and each by itself."""
    n = q.n_params(D)
    a = np.concatenate([np.full((1, n), size), size * np.eye(n)]).astype(dtype)
    for x in (np.zeros(D, dtype), np.ones(D, dtype), a[:, :D]):
        value, _ = q.log_prob(a, x)
        assert value.dtype == dtype
        assert not np.isnan(value).any()
    if hasattr(q, "kl"):
        kl, _ = q.kl(a)
        assert not np.isnan(kl).any()
        assert (kl >= 0).all()


def test_a_square_beyond_float32_is_divided_before_it_is_taken():
    a = np.array([[1e30, 80.0]], np.float32)
    exact = scipy.stats.norm.logpdf(0, 1e30, np.exp(40.0))
    assert DiagonalGaussian().log_prob(a, np.zeros((1, 1), np.float32))[0][0] == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("sigma", [10**20, 10**30])
def test_an_integer_beyond_64_bits_is_a_number(sigma):
    q = FixedGaussian(sigma)
    assert q.sigma == float(sigma)
    assert np.isfinite(q.log_prob(np.zeros((1, D)), np.ones((1, D)))[0]).all()


def test_an_integer_that_no_float_holds_is_refused():
    with pytest.raises(ValueError, match="sigma must be finite, got 1000000"):
        FixedGaussian(10**400)


def ill_conditioned(dtype):
    """Σ of two latents that all but agree: the factor's condition number is 10⁵."""
    a = np.zeros((1, 5), dtype)
    a[0, :2] = 30.0
    a[0, 2:] = 0.0, -11.5, 1.0
    return a


@pytest.mark.parametrize("q", [DiagonalGaussian(), FullGaussian()], ids=repr)
def test_at_a_draw_the_density_is_that_of_its_noise(q):
    rng = np.random.default_rng(0)
    a, eps = rng.standard_normal((4, q.n_params(D))), rng.standard_normal((3, 4, D))
    z, _ = q.sample(a, eps)
    value, cache = q.log_prob_of_draw(a, eps, z)
    expected, usual = q.log_prob(a, z)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    up = rng.standard_normal(value.shape)
    for backward in (q.log_prob_backward, q.log_prob_backward_x):
        np.testing.assert_allclose(backward(cache, up), backward(usual, up), rtol=1e-9, atol=1e-12)


def test_a_draw_keeps_its_digits_in_float32_where_the_factor_is_ill_conditioned():
    q, eps = FullGaussian(), np.random.default_rng(1).standard_normal((500, 1, D)).astype(np.float32)
    a = ill_conditioned(np.float32)
    z, _ = q.sample(a, eps)
    exact = scipy.stats.norm.logpdf(eps.astype(float)).sum(axis=-1) - a[0, 2:4].astype(float).sum()
    np.testing.assert_allclose(q.log_prob_of_draw(a, eps, z)[0], exact, rtol=0, atol=1e-5)
    assert np.abs(q.log_prob(a, z)[0] - exact).max() > 0.01  # what solving for the noise makes of it


def test_a_draw_of_a_narrow_posterior_far_from_zero_keeps_its_digits_in_float32():
    q, eps = DiagonalGaussian(), np.random.default_rng(2).standard_normal((500, 1, 1)).astype(np.float32)
    a = np.array([[100.0, -18.0]], np.float32)
    z, _ = q.sample(a, eps)
    exact = scipy.stats.norm.logpdf(eps.astype(float)).sum(axis=-1) + 9
    np.testing.assert_allclose(q.log_prob_of_draw(a, eps, z)[0], exact, rtol=0, atol=1e-5)


def test_a_large_log_diagonal_has_an_infinite_kl_without_a_warning():
    a = np.zeros((1, 5), np.float32)
    a[0, 2] = 60
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert FullGaussian().kl(a)[0][0] == np.inf
