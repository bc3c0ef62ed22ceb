"""Sums over all states, against sums by hand and integrals that are known."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from npvae.evaluation.enumeration import binary_states, enumerate_latents, moments, uniform_points


def test_all_states_once_and_in_the_order_of_counting():
    np.testing.assert_array_equal(binary_states(5), list(itertools.product([0, 1], repeat=5)))
    assert binary_states(3, np.float32).dtype == np.float32


def test_likelihood_and_posterior_of_a_table():
    """Two bits, two data: p(x, z) is a table, more states than fit in a block are not needed to see the sum."""
    table = np.random.default_rng(0).standard_normal((4, 2))
    found = enumerate_latents(lambda states: table[(2 * states[:, 0] + states[:, 1]).astype(int)], 2)
    np.testing.assert_allclose(found.log_px, logsumexp(table, axis=0), rtol=1e-14)
    np.testing.assert_allclose(np.exp(found.log_posterior).sum(axis=0), 1, rtol=1e-14)
    shares = np.exp(table) / np.exp(table).sum(axis=0)
    np.testing.assert_allclose(found.posterior_mean(), np.stack([shares[2] + shares[3], shares[1] + shares[3]], axis=1))


def test_states_are_visited_in_blocks_and_none_is_lost():
    seen = []

    def log_joint(states):
        seen.append(len(states))
        return np.zeros((len(states), 1))

    found = enumerate_latents(log_joint, 14)
    assert max(seen) < 1 << 14
    np.testing.assert_allclose(found.log_px, 14 * np.log(2), rtol=1e-14)


def test_more_than_a_million_states_are_refused_with_the_cost():
    with pytest.raises(
        ValueError, match=r"d must have at most 2\^20 = 1,048,576 states .*, got 30 bits; .*1,074 million"
    ):
        binary_states(30)
    with pytest.raises(ValueError, match=r"1\.3e\+30 states"):
        enumerate_latents(lambda states: states, 100)
    with pytest.raises(ValueError, match="got 2000 bits; that would be more than 1e308 states"):
        binary_states(2000)
    with pytest.raises(ValueError, match="breaks must have at most"):
        uniform_points([[0.5]] * 21)


def test_mean_and_variance_of_a_die():
    mean, variance = moments(np.arange(1.0, 7)[:, None], np.full(6, 1 / 6))
    np.testing.assert_allclose([mean[0], variance[0]], [3.5, 35 / 12], rtol=1e-14)


def test_points_integrate_what_jumps_at_the_breaks():
    """E[1[u < 0.3] u] = 0.045, E[1[u < 0.3] u²] = 0.009, and a product of two dimensions."""
    u, weights = uniform_points([[0.3]], nodes=2)
    np.testing.assert_allclose(weights @ ((u < 0.3) * u), [0.045], rtol=1e-14)
    np.testing.assert_allclose(weights @ ((u < 0.3) * u**2), [0.009], rtol=1e-13)
    u, weights = uniform_points([[0.3], [0.8, 0.2]])
    assert len(u) == 6
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-14)
    np.testing.assert_allclose(weights @ ((u[:, 0] < 0.3) * (u[:, 1] > 0.8)), 0.06, rtol=1e-13)


def test_breaks_outside_and_twice_do_no_harm():
    u, weights = uniform_points([[-1.0, 0.5, 0.5, 1.0]])
    np.testing.assert_allclose(u[:, 0], [0.25, 0.75])
    np.testing.assert_allclose(weights, [0.5, 0.5])
