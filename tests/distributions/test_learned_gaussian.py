"""The Gaussian that learns its variance: SciPy's density at the variance it says, the floor, the shared constant."""

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit

from npvae.distributions import DiagonalGaussian, LearnedGaussian

RNG = np.random.default_rng(0)
N, D = 5, 3
M, R, X = RNG.standard_normal((3, N, D))
KINDS = pytest.mark.parametrize(("shared", "link"), [(s, k) for s in (False, True) for k in ("identity", "sigmoid")])


def inputs(shared):
    return np.concatenate([M, R[:, :1] if shared else R], axis=1)


@KINDS
def test_log_prob_entropy_and_mean_are_scipys(shared, link):
    q = LearnedGaussian(shared, link, min_log_var=-2)
    mean = expit(M) if link == "sigmoid" else M
    r = R[:, :1] if shared else R
    sigma = np.exp(0.5 * (-2 + np.logaddexp(0, r + 2))) * np.ones(D)
    a = inputs(shared)
    normal = scipy.stats.norm(mean, sigma)
    np.testing.assert_allclose(q.log_prob(a, X)[0], normal.logpdf(X).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(q.entropy(a)[0], normal.entropy().sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(q.mean(a), mean, rtol=1e-14)
    np.testing.assert_allclose(q.sample(a, X)[0], mean + sigma * X, rtol=1e-13)


@KINDS
def test_there_are_as_many_numbers_as_means_and_variances(shared, link):
    q = LearnedGaussian(shared, link)
    assert (q.n_params(7), q.n_shared) == ((8, 1) if shared else (14, 0))


def test_a_shared_variance_is_the_same_one_for_each_dimension():
    one, each = LearnedGaussian(True), LearnedGaussian()
    a, b = inputs(True), np.concatenate([M, np.repeat(R[:, :1], D, axis=1)], axis=1)
    (value, cache), (other, other_cache) = one.log_prob(a, X), each.log_prob(b, X)
    np.testing.assert_allclose(value, other, rtol=1e-14)
    da, db = one.log_prob_backward(cache, np.ones(N)), each.log_prob_backward(other_cache, np.ones(N))
    np.testing.assert_allclose(
        da, np.concatenate([db[:, :D], db[:, D:].sum(axis=1, keepdims=True)], axis=1), rtol=1e-13
    )


@pytest.mark.parametrize("floor", [-10.0, -1.0])
def test_the_floor_bounds_the_density(floor):
    q = LearnedGaussian(min_log_var=floor)
    a = np.concatenate([np.tile(X[:1], (4, 1)), np.repeat([[-1e3], [-50.0], [floor], [0.0]], D, axis=1)], axis=1)
    value, cache = q.log_prob(a, X[:1])
    bound = -0.5 * D * (np.log(2 * np.pi) + floor)
    assert (value <= bound).all()
    np.testing.assert_allclose(value[:2], bound, rtol=1e-14)
    assert value[2] == pytest.approx(bound - 0.5 * D * np.log(2), rel=1e-14)
    assert not q.log_prob_backward(cache, np.ones(4))[0, D:].any()


def test_well_above_the_floor_r_is_the_log_variance():
    np.testing.assert_allclose(
        LearnedGaussian(min_log_var=-40).log_prob(inputs(False), X)[0],
        DiagonalGaussian().log_prob(inputs(False), X)[0],
        rtol=1e-13,
    )


@KINDS
@pytest.mark.parametrize("floor", [-10.0, -4.0])
def test_the_output_bias_has_the_mean_and_the_variance(shared, link, floor):
    q, mean, var = LearnedGaussian(shared, link, floor), np.array([0.2, 0.5, 0.9]), np.array([0.04, 9.0, 1e12])
    bias = q.output_bias(mean, var)
    np.testing.assert_allclose(q.mean(bias), mean, rtol=1e-14)
    variances = np.full(D, var.mean()) if shared else var
    expected = scipy.stats.norm.entropy(scale=np.sqrt(variances)).sum()
    assert q.entropy(bias)[0] == pytest.approx(expected, rel=1e-13)


@KINDS
def test_a_variance_of_zero_starts_at_twice_the_floor(shared, link):
    q = LearnedGaussian(shared, link, -4.0)
    bias = q.output_bias(np.full(D, 0.5), np.zeros(D))
    assert q.entropy(bias)[0] == pytest.approx(D * scipy.stats.norm.entropy(scale=np.sqrt(2 * np.exp(-4))), rel=1e-14)


@pytest.mark.parametrize(("dtype", "floor"), [(np.float32, -120.0), (np.float64, -800.0)])
def test_a_floor_too_low_for_the_dtype_is_no_harm(dtype, floor):
    bias = LearnedGaussian(min_log_var=floor).output_bias(np.zeros(2, dtype), np.array([0, 4], dtype))
    assert bias.dtype == dtype
    np.testing.assert_allclose(bias[2:], [floor, np.log(4)], atol=1e-5)


def test_the_logit_of_a_constant_pixel_is_finite():
    bias = LearnedGaussian(True, "sigmoid").output_bias(np.array([0.0, 1.0]), np.ones(2))
    np.testing.assert_allclose(bias[:2], [-np.log(999), np.log(999)], rtol=1e-12)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="link must be one of 'identity', 'sigmoid', got 'sigmoit'; did you mean"):
        LearnedGaussian(link="sigmoit")
    with pytest.raises(ValueError, match=r"min_log_var must be less than 0, got 0"):
        LearnedGaussian(min_log_var=0)
