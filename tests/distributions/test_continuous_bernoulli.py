"""The continuous Bernoulli against quadrature, eighty-digit decimals, its own draws, and numbers by hand."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from npvae.distributions import ContinuousBernoulli
from tests.numerical import complex_step

Q = ContinuousBernoulli()
LOGITS = [-30.0, -4.0, -1.0, -0.3, 0.0, 1e-6, 0.7, 1.5, 12.0]
MAGNITUDES = np.concatenate([np.geomspace(1e-12, 1e3, 120), [0.999, 1.0, 1.001, 2.0]])
WIDE = np.concatenate([MAGNITUDES, -MAGNITUDES])
TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def density(x, logit):
    return np.exp(Q.log_prob(np.array([logit]), np.array([x]))[0])


def exact(logit):
    """A(a), A'(a), A''(a) and A(a) − a A'(a), from their closed forms with eighty digits."""
    with localcontext() as context:
        context.prec = 80
        a = Decimal(float(logit))
        e = a.exp()
        log_normalizer, mean = ((e - 1) / a).ln(), e / (e - 1) - 1 / a
        variance = 1 / (a * a) - e / ((e - 1) * (e - 1))
        return [float(value) for value in (log_normalizer, mean, variance, log_normalizer - a * mean)]


@pytest.mark.parametrize("logit", LOGITS)
def test_density_mean_and_entropy_are_integrals(logit):
    def integral(f):
        return scipy.integrate.quad(f, 0, 1, epsabs=1e-13, epsrel=1e-13, limit=200)[0]

    assert integral(lambda x: density(x, logit)) == pytest.approx(1, abs=1e-11)
    assert integral(lambda x: x * density(x, logit)) == pytest.approx(Q.mean(np.array(logit)), abs=1e-11)
    surprise = integral(lambda x: -density(x, logit) * np.log(density(x, logit)))
    assert Q.entropy(np.array([logit]))[0] == pytest.approx(surprise, abs=1e-10)


@TYPES
def test_every_digit_is_kept_from_zero_to_a_thousand(dtype):
    a = WIDE.astype(dtype)[:, None]
    log_normalizer, mean, variance, entropy = np.array([exact(logit) for logit in a[:, 0]]).T
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(-Q.log_prob(a, np.zeros_like(a))[0], log_normalizer, rtol=4 * eps)
    np.testing.assert_allclose(Q.mean(a)[:, 0], mean, rtol=12 * eps)
    value, cache = Q.entropy(a)
    tiny = np.finfo(dtype).tiny / eps
    np.testing.assert_allclose(value, entropy, rtol=40 * eps, atol=tiny)
    slope = Q.entropy_backward(cache, np.ones(len(a), dtype))
    np.testing.assert_allclose(slope[:, 0], -a[:, 0] * variance, rtol=40 * eps)


def test_at_zero_it_is_uniform():
    a, x = np.zeros((1, 3)), np.array([[0.0, 0.3, 1.0]])
    value, cache = Q.log_prob(a, x)
    assert value[0] == 0
    np.testing.assert_allclose(Q.log_prob_backward(cache, np.ones(1)), [[-0.5, -0.2, 0.5]], rtol=1e-15)
    draw, cache = Q.sample(a, np.array([[0.1, 0.3, 0.9]]))
    np.testing.assert_allclose(draw, [[0.1, 0.3, 0.9]], rtol=1e-15)
    # x = u + a u (1 − u)/2 + …
    np.testing.assert_allclose(Q.sample_backward(cache, np.ones((1, 3))), [[0.045, 0.105, 0.045]], rtol=1e-14)


def test_the_logit_of_three_to_one_by_hand():
    # a = log 3: A = log(2/log 3), A' = 3/2 − 1/log 3, the median log₃ 2
    a = np.array([[np.log(3)]])
    assert Q.log_prob(a, np.ones((1, 1)))[0][0] == pytest.approx(np.log(3) - np.log(2 / np.log(3)), rel=1e-15)
    assert Q.mean(a)[0, 0] == pytest.approx(1.5 - 1 / np.log(3), rel=1e-14)
    assert Q.sample(a, np.full((1, 1), 0.5))[0][0, 0] == pytest.approx(np.log(2) / np.log(3), rel=1e-15)


def test_the_complex_step_sees_the_derivatives_around_zero():
    for logit in (0.0, 1e-300, 1e-12, -1e-8, 1e-4, -0.01, 0.9999, -1.0001, 40.0, -1000.0):
        a, x, eps = np.array([logit]), np.array([0.25]), np.array([0.3])
        _, cache = Q.log_prob(a, x)
        analytic = Q.log_prob_backward(cache, np.ones(()))
        np.testing.assert_allclose(complex_step(lambda a, x=x: Q.log_prob(a, x)[0], a), analytic, rtol=1e-13)
        _, cache = Q.sample(a, eps)
        analytic = Q.sample_backward(cache, np.ones(1))
        np.testing.assert_allclose(complex_step(lambda a, e=eps: Q.sample(a, e)[0][0], a), analytic, rtol=1e-12)


@TYPES
def test_a_draw_inverts_the_distribution_function(dtype):
    u = np.linspace(0.01, 0.99, 25)[:, None].astype(dtype)
    a = np.array([LOGITS]).astype(dtype)
    x = Q.sample(a, u)[0].astype(np.float64)
    wide = np.where(a == 0, 1e-9, a).astype(np.float64)
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(np.expm1(wide * x) / np.expm1(wide), np.broadcast_to(u, x.shape), atol=tolerance + 1e-8)


def test_a_draw_is_the_closed_form_to_the_last_digits_on_both_sides_of_one():
    a, u = np.array([-20, -1.1, -0.999, -0.3, 0.3, 0.999, 1.1, 20]), np.linspace(0.02, 0.98, 13)[:, None]
    np.testing.assert_allclose(Q.sample(a, u)[0], np.log1p(u * np.expm1(a)) / a, rtol=1e-14)


def test_float32_draws_at_the_ends_of_the_noise_do_not_leave_the_interval():
    a = np.array([-1.003749, -1.0134884, -1.0313886, 1.0020902, 1.0280014, 1.0347766], np.float32)
    for u in (1 - 2**-24, 1 - 2**-23, 2**-24):
        Q.require_support("x", Q.sample(a, np.full_like(a, u))[0])


@pytest.mark.parametrize("logit", [-1e3, -5.0, 0.2, 5.0, 1e3])
def test_draws_lie_in_the_interval_and_have_the_distribution(logit):
    x = Q.sample(np.array([logit]), Q.draw_noise(np.random.default_rng(1), (20_000, 1), np.float64))[0][:, 0]
    assert (x >= 0).all()
    assert (x <= 1).all()
    # Mirrored to a negative logit it is an exponential variable, cut off at 1.
    left = x if logit < 0 else 1 - x
    assert scipy.stats.kstest(left, scipy.stats.truncexpon(abs(logit), scale=1 / abs(logit)).cdf).pvalue > 0.01


@TYPES
def test_the_noise_lies_inside_the_interval_and_so_do_the_draws_of_its_ends(dtype):
    class Ends:
        def random(self, shape, dtype):
            return np.array([0, 1 - np.finfo(dtype).epsneg], dtype)

    eps = Q.draw_noise(Ends(), (2,), dtype)
    assert eps.dtype == dtype
    assert ((eps > 0) & (eps < 1)).all()
    for logit in (-1e3, -50, 0, 50, 1e3):
        x = Q.sample(np.full(2, logit, dtype), eps)[0]
        assert ((x >= 0) & (x <= 1)).all()


@TYPES
def test_the_output_bias_has_the_mean_and_stays_finite(dtype):
    mean = np.array([0.0, 0.0005, 0.001, 0.02, 0.3, 0.499999, 0.5, 0.8, 0.999, 1.0], dtype)
    bias = Q.output_bias(mean, mean)
    assert bias.dtype == dtype
    kept = np.clip(mean, 0.001, 0.999)
    np.testing.assert_allclose(Q.mean(bias), kept, rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_allclose(bias[[0, 6, -1]], [-1000, 0, 1000], rtol=1e-4)


@TYPES
def test_large_logits_put_all_mass_on_an_end(dtype):
    a = np.array([[1e3], [-1e3], [1e3], [-1e3]], dtype)
    x = np.array([[1], [0], [0], [1]], dtype)
    expected = np.log(1e3) - np.array([0, 0, 1e3, 1e3])
    np.testing.assert_allclose(Q.log_prob(a, x)[0], expected, rtol=0, atol=1e3 * np.finfo(dtype).eps)
    np.testing.assert_allclose(Q.mean(a)[:, 0], [0.999, 0.001, 0.999, 0.001], rtol=1e-6)
    np.testing.assert_allclose(Q.entropy(a)[0], 1 - np.log(1e3), rtol=1e-6)
