"""VIMCO, summed over all its draws, is the gradient of the exact importance-weighted bound."""

import numpy as np
import pytest

from npvae.bounds.vimco import leave_one_out_bounds, vimco
from npvae.evaluation.enumeration import binary_states, moments
from npvae.numerics import logsumexp
from tests.bounds.tables import A3, f_of, log_q, scores
from tests.numerical import complex_step


@pytest.mark.parametrize("k", [2, 3])
def test_vimcos_mean_over_all_draws_is_the_gradient_of_the_exact_importance_weighted_bound(k):
    a, d = A3, 3
    z = binary_states(k * d).reshape(-1, k, d)
    log_joint = -f_of(z).T / 3  # (K, S)

    def exact(a):
        q = log_q(a, z).T
        return -(np.exp(q.sum(axis=0)) * (logsumexp(log_joint - q) - np.log(k))).sum()

    loss, upstream = vimco(log_joint, np.zeros_like(log_joint), log_q(a, z).T)
    probability = np.exp(log_q(a, z).sum(axis=1))
    estimates = np.einsum("ks,skd->sd", upstream["direct"] * len(z), scores(a, z))
    mean, variance = moments(estimates, probability)
    np.testing.assert_allclose(mean, complex_step(exact, a), rtol=0, atol=1e-10)
    np.testing.assert_allclose(probability @ loss.per_datum, exact(a), rtol=1e-12)
    without = moments(loss.per_datum[:, None] * scores(a, z).sum(axis=1), probability)
    assert variance.sum() < without.variance.sum() / 5


def test_vimcos_baseline_does_not_know_its_own_sample_and_survives_a_weight_that_outweighs_all():
    log_w = np.array([[0.0], [1.0], [3.0]])
    stand_in, others = np.exp([[2.0], [1.5], [0.5]]), np.exp([[1.0, 3.0], [0.0, 3.0], [0.0, 1.0]])
    expected = np.log((stand_in + others.sum(axis=1, keepdims=True)) / 3)
    np.testing.assert_allclose(leave_one_out_bounds(log_w), expected, rtol=1e-14)
    changed = log_w + np.array([[7.0], [0.0], [0.0]])
    assert leave_one_out_bounds(changed)[0, 0] == leave_one_out_bounds(log_w)[0, 0]
    extreme = leave_one_out_bounds(np.array([[0.0], [1.0], [1000.0]], np.float32))
    np.testing.assert_allclose(extreme[2, 0], np.log((1 + np.e + np.exp(0.5)) / 3), rtol=1e-6)


def test_vimco_refuses_a_single_sample():
    with pytest.raises(ValueError, match=r"n_samples must be at least 2 for vimco, .*got 1"):
        vimco(*np.zeros((3, 1, 4)))
