"""The bound of E[log(1 + e^a)], against the expectation over all states."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from npvae.bounds.softplus_bound import UnitByUnit, better_xi, cumulant, softplus_bound, softplus_bound_backward
from npvae.evaluation.enumeration import binary_states
from tests.numerical import assert_gradient, frozen

D, M, N = 4, 3, 5
RNG = np.random.default_rng(0)
MU, W, B, XI = frozen(
    RNG.uniform(0.05, 0.95, (N, D)), 2 * RNG.standard_normal((D, M)), RNG.standard_normal(M), RNG.uniform(0, 1, (N, M))
)


GRID = np.linspace(0, 1, 101)


def expectation():
    states = binary_states(D)
    probability = np.where(states == 1, MU[:, None], 1 - MU[:, None]).prod(axis=2)
    return probability @ np.logaddexp(0, states @ W + B)


def best():
    xi = XI
    for _ in range(20):
        xi = better_xi(MU, W, B, xi)
    return xi


def test_it_lies_above_the_expectation_for_every_xi_and_comes_near_at_the_best():
    for xi in (XI, np.zeros_like(XI), np.ones_like(XI), best()):
        assert (softplus_bound(MU, W, B, xi)[0] >= expectation()).all()
    gap = softplus_bound(MU, W, B, best())[0] - expectation()
    assert gap.max() < 0.35
    assert (
        softplus_bound(MU, W, B, best())[0] <= [softplus_bound(MU, W, B, 0 * XI + s)[0] + 1e-12 for s in GRID]
    ).all()


def test_newton_never_raises_it_and_ends_where_the_slope_is_zero():
    xi = XI
    for _ in range(8):
        before, xi = softplus_bound(MU, W, B, xi)[0], better_xi(MU, W, B, xi)
        assert (softplus_bound(MU, W, B, xi)[0] <= before).all()
    value, cache = softplus_bound(MU, W, B, xi)
    assert np.abs(softplus_bound_backward(cache, np.ones_like(value))[3]).max() < 1e-6


def test_where_a_whole_newton_step_leaps_too_far_a_shorter_one_finds_the_best():
    mu, w, b = RNG.uniform(0.01, 0.99, (N, D)), 8 * RNG.standard_normal((D, 9)), RNG.standard_normal(9)
    xi = np.full((N, 9), 0.5)
    for _ in range(40):
        before, xi = softplus_bound(mu, w, b, xi)[0], better_xi(mu, w, b, xi)
        assert (softplus_bound(mu, w, b, xi)[0] <= before).all()
    lowest = np.min([softplus_bound(mu, w, b, 0 * xi + s)[0] for s in GRID], axis=0)
    assert (softplus_bound(mu, w, b, xi)[0] <= lowest + 1e-12).all()


def test_of_certain_bits_it_is_exact_for_every_xi():
    z = (MU > 0.5) * 1.0
    np.testing.assert_allclose(softplus_bound(z, W, B, XI)[0], np.logaddexp(0, z @ W + B), rtol=1e-12)


def test_the_cumulant_is_the_logarithm_of_an_expectation_and_does_not_overflow():
    v, mu = np.array([-3.0, -0.1, 0.0, 2.0]), np.array([0.2, 0.5, 0.9, 0.3])
    value, tilted, slope = cumulant(v, mu)
    np.testing.assert_allclose(value, logsumexp([np.log(1 - mu), np.log(mu) + v], axis=0), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(tilted, expit(v + np.log(mu / (1 - mu))), rtol=1e-13)
    np.testing.assert_allclose(slope, np.expm1(v) / (1 - mu + mu * np.exp(v)), rtol=1e-13, atol=1e-15)
    value, tilted, slope = cumulant(np.array([-1e4, 1e4]), np.array([0.25, 0.25]))
    np.testing.assert_allclose(value, [np.log(0.75), 1e4 + np.log(0.25)], rtol=1e-13)
    np.testing.assert_allclose(tilted, [0, 1])
    np.testing.assert_allclose(slope, [-1 / 0.75, 4], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [150.0, 800.0, 1e4])
def test_the_cumulant_of_a_bit_that_is_certain_is_that_of_a_number(dtype, size):
    v, mu = np.array([size, size, -size, -size], dtype), np.array([0, 1, 0, 1], dtype)
    value, tilted, slope = cumulant(v, mu)
    np.testing.assert_array_equal(value, mu * v)
    np.testing.assert_array_equal(tilted, mu)
    np.testing.assert_allclose(slope[1:3], [1, -1], rtol=1e-6)
    largest = 1 / np.finfo(dtype).tiny
    assert slope[0] == -slope[3] == min(np.exp(min(size, 709)), largest)
    assert {a.dtype for a in (value, tilted, slope)} == {np.dtype(dtype)}


def test_the_cumulant_of_a_bit_that_is_hardly_ever_on_keeps_its_digits():
    mu = np.array([5e-324, 1e-310, 1e-310, 1e-310])
    v = np.array([744.0, 713.0, 800.0, 1e4])
    value, tilted, slope = cumulant(v, mu)
    log_mu = np.log(mu)
    np.testing.assert_allclose(value, np.logaddexp(0, log_mu + v), rtol=1e-12)
    np.testing.assert_allclose(tilted[1:], expit(log_mu + v)[1:], rtol=1e-3)  # a mean that small has few digits
    assert (slope == 1 / np.finfo(float).tiny).all()


@pytest.mark.parametrize("scale", [1, 30])
def test_the_slope_by_one_mean_is_right_while_the_means_change_one_after_the_other(scale):
    w, mu = scale * W, MU.copy()
    at = UnitByUnit(mu, w, B, XI)
    for j in range(D):
        _, cache = softplus_bound(mu, w, B, XI)
        dmu = softplus_bound_backward(cache, np.ones((N, M)))[0]
        np.testing.assert_allclose(at.slope(j, mu[:, j]), dmu[:, j] - XI @ w[j], rtol=1e-9, atol=1e-11)
        mu[:, j] = 1 - mu[:, j] ** 2
        at.move(j, mu[:, j])


def test_a_share_below_all_numbers_times_a_slope_beyond_them_is_their_product():
    """At ξ = 0, W = 900 and b = −900 it is log(1 + μ + (1 − μ) e^{−900}): its slope at μ = 0 is e^{−900} e^{900}."""
    mu, w, b, xi = np.zeros((3, 1)), np.array([[900.0]]), np.array([-900.0]), np.zeros((3, 1))
    np.testing.assert_allclose(UnitByUnit(mu, w, b, xi).slope(0, mu[:, 0]), 1, rtol=1e-12)


@pytest.mark.parametrize("which", ["mu", "W", "b", "xi"])
def test_the_backward_is_the_derivative(which):
    arguments = {"mu": MU, "W": W, "b": B, "xi": XI}
    weights = np.random.default_rng(1).standard_normal((N, M))
    _, cache = softplus_bound(**arguments)
    gradient = dict(zip(arguments, softplus_bound_backward(cache, weights), strict=True))[which]
    assert_gradient(
        lambda a: (weights * softplus_bound(**{**arguments, which: a})[0]).sum(), arguments[which], gradient, which
    )
