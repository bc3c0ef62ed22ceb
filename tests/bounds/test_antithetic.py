"""ARM and DisARM, summed over all pairs, are the gradient of the exact bound."""

import numpy as np
import pytest

from npvae.bounds.antithetic import PAIRS
from npvae.evaluation.enumeration import binary_states, moments, uniform_points
from npvae.numerics import sigmoid
from tests.bounds.tables import A3, A10, TABLE, exact_gradient, f_of, log_q, score_estimate


def pair_breaks(a):
    p = sigmoid(a)
    return [[one, 1 - one] for one in p]


def pair_estimates(name, a, u):
    """Estimates (S, d) of ∂E[f]/∂a from u (S, d)."""
    z, pair = ((v < sigmoid(a)).astype(float) for v in (u, 1 - u))
    return PAIRS[name](f_of(z)[None], f_of(pair)[None], u[None], a[None, None])[0]


@pytest.mark.parametrize("name", PAIRS)
def test_the_mean_of_an_antithetic_estimate_over_all_pairs_is_the_gradient_of_the_exact_bound(name):
    u, weights = uniform_points(pair_breaks(A10), nodes=1)  # constant or a line between the breaks
    mean, _ = moments(pair_estimates(name, A10, u), weights)
    np.testing.assert_allclose(mean, exact_gradient(A10), rtol=0, atol=1e-10)


def test_disarm_has_less_variance_than_arm_and_than_two_samples_with_each_others_baseline():
    a = A10[:5]
    u, weights = uniform_points(pair_breaks(a), nodes=2)  # two for the square of a line
    variance = {name: moments(pair_estimates(name, a, u), weights).variance for name in PAIRS}
    assert (variance["disarm"] < variance["arm"]).all()
    z = binary_states(10).reshape(-1, 2, 5)
    two = moments(score_estimate("leave-one-out", a, z), np.exp(log_q(a, z).sum(axis=1))).variance
    assert variance["disarm"].sum() < two.sum()


def test_disarm_is_the_mean_of_arm_given_the_pair():
    """Every interval between breaks belongs to a pair; so DisARM is ARM averaged over u in it and its mirror image."""
    a = A3[:1]
    p = sigmoid(a)[0]
    u = np.linspace(0, min(p, 1 - p), 20001)[:-1, None] + min(p, 1 - p) / 40000
    table = TABLE[3]
    f, pair = np.full((1, len(u)), table[1]), np.full((1, len(u)), table[0])  # any numbers: z = 1 and z̃ = 0
    of_arm = PAIRS["arm"](f, pair, u[None], a[None, None])[0].mean()
    of_disarm = PAIRS["disarm"](f, pair, u[None], a[None, None])[0]
    np.testing.assert_allclose(of_disarm, of_arm, rtol=1e-9)
