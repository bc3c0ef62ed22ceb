"""The logistic on grey levels: SciPy's logistic between the levels, both ends, and far tails."""

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit

from npvae.distributions import DiscretizedLogistic
from npvae.distributions.discretized_logistic import log_mass

LEVELS = np.arange(256) / 255


def test_it_is_scipys_logistic_between_the_levels():
    m, s = np.array([0.3, 0.7, -0.4, 1.2]), np.array([0.2, 0.02, 0.1, 0.05])
    edges = np.concatenate([[-np.inf], (LEVELS[1:] + LEVELS[:-1]) / 2, [np.inf]])
    expected = np.diff(scipy.stats.logistic(m, s).cdf(edges[:, None]), axis=0)
    got = np.exp(log_mass(m, np.log(s), LEVELS[:, None], 256)[0])
    np.testing.assert_allclose(got, expected, atol=1e-14)


def test_the_far_tails_keep_their_digits():
    log_p, _ = log_mass(np.array(0.1), np.log(np.array(1e-3)), np.array([1.0, 200 / 255]), 256)
    top, half = (1 - 0.1 - 0.5 / 255) / 1e-3, 0.5 / 255 / 1e-3
    inner = (200 / 255 - 0.1) / 1e-3
    np.testing.assert_allclose(log_p, [-top, -inner + half + np.log1p(-np.exp(-2 * half))], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_certain_end_costs_nothing(dtype):
    m, log_s = np.array([-1e3, 1e3, -1e3, 1e3], dtype), np.full(4, -3, dtype)
    value, _ = log_mass(m, log_s, np.array([0, 1, 1, 0], dtype), 256)
    np.testing.assert_array_equal(value[:2], 0)
    np.testing.assert_allclose(value[2:], -1e3 * np.exp(3), rtol=1e-2)


def test_two_levels_are_a_bernoulli():
    q, r = DiscretizedLogistic(levels=2, min_log_scale=-1.0), np.log(np.expm1(1.0)) - 1.0  # s = 1
    a = np.array([[0.8, r]])
    np.testing.assert_allclose(np.exp(q.log_prob(a, np.array([[1.0]]))[0]), expit(0.8 - 0.5), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DiscretizedLogistic(levels=1), "levels must be at least 2, got 1"),
        (lambda: DiscretizedLogistic("log"), "link must be one of 'identity', 'sigmoid', got 'log'"),
        (lambda: DiscretizedLogistic(min_log_scale=-100.0), "min_log_scale must be at least -30.0, got -100.0"),
    ],
)
def test_a_wrong_option_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
