"""The Bernoulli on logits against SciPy, sums over all outcomes, and numbers worked out by hand."""

from itertools import product

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit

from npvae.distributions import Bernoulli

Q = Bernoulli()
RNG = np.random.default_rng(0)
A, B = 3 * RNG.standard_normal((2, 6, 4))
LOGIT_0_7 = np.log(0.7 / 0.3)


def outcomes(d):
    """All 2^d binary vectors."""
    return np.array(list(product([0.0, 1.0], repeat=d)))


def test_log_prob_is_scipys_logpmf():
    x = (RNG.random((6, 4)) < 0.5).astype(float)
    np.testing.assert_allclose(Q.log_prob(A, x)[0], scipy.stats.bernoulli.logpmf(x, expit(A)).sum(axis=-1), rtol=1e-12)


def test_log_prob_of_grey_pixels_is_minus_the_cross_entropy():
    x = RNG.random((6, 4))
    expected = (x * np.log(expit(A)) + (1 - x) * np.log(expit(-A))).sum(axis=-1)
    np.testing.assert_allclose(Q.log_prob(A, x)[0], expected, rtol=1e-12)


def test_three_pixels_by_hand():
    a, x = np.array([[0.0, LOGIT_0_7, LOGIT_0_7]]), np.array([[1.0, 1.0, 0.0]])
    value, cache = Q.log_prob(a, x)
    assert value == pytest.approx(np.log(0.5 * 0.7 * 0.3), rel=1e-15)
    np.testing.assert_allclose(Q.log_prob_backward(cache, np.array([2.0])), [[1.0, 0.6, -1.4]], rtol=1e-14)
    np.testing.assert_allclose(Q.log_prob_backward_x(cache, np.array([2.0])), 2 * a)


@pytest.mark.parametrize("d", [1, 3, 5])
def test_the_probabilities_of_all_outcomes_sum_to_one(d):
    a = 2 * RNG.standard_normal((3, 1, d))
    probabilities = np.exp(Q.log_prob(a, outcomes(d))[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)


def test_mean_entropy_and_kl_are_sums_over_all_outcomes():
    x = outcomes(4)
    log_p, log_q = Q.log_prob(A[:, None], x)[0], Q.log_prob(B[:, None], x)[0]
    p = np.exp(log_p)
    np.testing.assert_allclose(Q.mean(A), p @ x, rtol=1e-12)
    np.testing.assert_allclose(Q.entropy(A)[0], -(p * log_p).sum(axis=1), rtol=1e-11)
    np.testing.assert_allclose(Q.kl(A)[0], (p * (log_p - np.log(1 / 16))).sum(axis=1), rtol=1e-11)
    np.testing.assert_allclose(Q.kl_between(A, B)[0], (p * (log_p - log_q)).sum(axis=1), rtol=1e-11)


def test_the_score_has_mean_zero():
    x = outcomes(4)
    value, cache = Q.log_prob(A[:, None], x)
    scores = Q.log_prob_backward(cache, np.exp(value))
    np.testing.assert_allclose(scores, 0, atol=1e-15)


def test_entropy_and_kl_are_scipys():
    p, q = (np.stack([expit(logits), expit(-logits)]) for logits in (A, B))
    np.testing.assert_allclose(Q.entropy(A)[0], scipy.stats.bernoulli(expit(A)).entropy().sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(Q.kl(A)[0], scipy.stats.entropy(p, np.full_like(p, 0.5)).sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(Q.kl_between(A, B)[0], scipy.stats.entropy(p, q).sum(axis=-1), rtol=1e-12)


def test_the_coin_to_the_digits():
    fair, bent = np.array([[0.0]]), np.array([[LOGIT_0_7]])
    fair_to_bent, bent_to_fair = Q.kl_between(fair, bent)[0][0], Q.kl_between(bent, fair)[0][0]
    assert (round(fair_to_bent, 4), round(bent_to_fair, 4)) == (0.0872, 0.0823)
    assert fair_to_bent == pytest.approx(0.5 * np.log(0.25 / 0.21), rel=1e-13)
    assert Q.kl(bent)[0][0] == pytest.approx(bent_to_fair, rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_certain_pixels_cost_nothing_and_wrong_ones_their_logit(dtype):
    a = np.array([[1e3], [-1e3], [1e3], [-1e3]], dtype)
    x = np.array([[1], [0], [0], [1]], dtype)
    np.testing.assert_array_equal(Q.log_prob(a, x)[0], [0, 0, -1e3, -1e3])
    np.testing.assert_array_equal(Q.entropy(a)[0], 0)
    np.testing.assert_allclose(Q.kl(a)[0], np.log(2), rtol=1e-6)


def test_one_logit_may_stand_for_all_pixels():
    a, x = np.array([[0.7]]), np.array([[0.0, 1.0, 1.0]])
    value, cache = Q.log_prob(a, x)
    np.testing.assert_allclose(value, Q.log_prob(np.full((1, 3), 0.7), x)[0], rtol=1e-15)
    np.testing.assert_allclose(Q.log_prob_backward(cache, np.ones(1)), [[2 - 3 * expit(0.7)]], atol=1e-15)


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_whole_numbers_for_pixels_leave_the_logits_their_precision(kind):
    a, x = np.array([[0.7, -2.0]], np.float32), np.array([[1, 0]], kind)
    value, cache = Q.log_prob(a, x)
    gradient = Q.log_prob_backward(cache, np.ones(1, np.float32))
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_array_equal(value, Q.log_prob(a, x.astype(np.float32))[0])


def test_draws_are_binary_with_mean_sigmoid_of_the_logit():
    draws, _ = Q.sample(A, Q.draw_noise(np.random.default_rng(1), (40_000, 6, 4), np.float64))
    assert set(np.unique(draws)) == {0.0, 1.0}
    p = expit(A)
    assert (abs(draws.mean(axis=0) - p) <= 4.5 * np.sqrt(p * (1 - p) / len(draws))).all()


def test_a_draw_is_one_where_the_noise_lies_below_the_probability():
    noise = np.array([[0.0, 0.69, 0.7, 0.999]])
    np.testing.assert_array_equal(Q.sample(np.full((1, 4), LOGIT_0_7 + 1e-9), noise)[0], [[1, 1, 1, 0]])
    np.testing.assert_array_equal(Q.sample(np.full((1, 4), -1e3), noise)[0], [[0, 0, 0, 0]])
    np.testing.assert_array_equal(Q.sample(np.full((1, 4), 1e3), noise)[0], [[1, 1, 1, 1]])


def test_the_output_bias_stays_finite_on_constant_pixels():
    bias = Q.output_bias(np.array([0.0, 1.0, 0.5, 0.7]), np.zeros(4))
    np.testing.assert_allclose(bias, [-np.log(999), np.log(999), 0, LOGIT_0_7], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("logit", [0.0, 1.0, 10.0, 20.0, 80.0])
def test_the_entropy_keeps_its_digits_on_both_sides(logit):
    expected = scipy.stats.bernoulli.entropy(scipy.special.expit(-logit))
    for a in (logit, -logit):
        value, _ = Bernoulli().entropy(np.array([[a]], np.float32))
        assert value[0] == pytest.approx(expected, rel=1e-5)
