"""Layers of bits, against sums over all states and densities written out with SciPy."""

import numpy as np
from scipy.special import expit
from scipy.stats import bernoulli

from npvae.evaluation.enumeration import binary_states
from npvae.models.bernoulli_stack import BottomUp, TopDown
from npvae.parameters import Parameters

WIDTHS = (4, 3, 2)


def drawn(stack, seed=0):
    theta = Parameters(stack.shapes, np.float64)
    theta.flat[:] = np.random.default_rng(seed).standard_normal(theta.flat.size)
    return theta


def top_down(learned_prior=True):
    return TopDown(WIDTHS, (), "tanh", "glorot", learned_prior)


def every_state(stack, theta):
    """log p of all 2^(4 + 3 + 2) configurations, and the bits of each."""
    states = binary_states(sum(WIDTHS))
    x, z1, z2 = np.split(states, [4, 7], axis=1)
    log_p, _ = stack.log_prob(theta, x, [z1[None], z2[None]])
    return log_p.sum(axis=0)[0], x


def test_the_joint_sums_to_one_with_either_prior():
    for learned in (True, False):
        stack = top_down(learned)
        log_p, _ = every_state(stack, drawn(stack))
        np.testing.assert_allclose(np.exp(log_p).sum(), 1, rtol=1e-12)
        assert ("prior.b" in stack.shapes) == learned


def test_the_densities_are_those_of_scipy_with_bits_as_plus_and_minus_one():
    stack, rng = top_down(), np.random.default_rng(1)
    theta = drawn(stack)
    x, z1, z2 = ((rng.random((5, d)) < 0.5) * 1.0 for d in WIDTHS)
    log_p, _ = stack.log_prob(theta, x, [z1[None], z2[None]])
    for t, (below, above) in enumerate(((x, z1), (z1, z2))):
        p = expit((2 * above - 1) @ theta[f"{t}.1.W"] + theta[f"{t}.1.b"])
        np.testing.assert_allclose(log_p[t, 0], bernoulli.logpmf(below, p).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(log_p[2, 0], bernoulli.logpmf(z2, expit(theta["prior.b"])).sum(axis=1), rtol=1e-12)


def test_the_table_of_the_joint_is_what_the_layers_add_up_to():
    stack = top_down()
    theta, x = drawn(stack), binary_states(4)[3::4]
    states = binary_states(5)
    table = stack.log_joint(theta, x, states)
    for s, state in enumerate(states):
        z = [np.broadcast_to(part, (1, len(x), len(part))) for part in np.split(state, [3])]
        np.testing.assert_allclose(table[s], stack.log_prob(theta, x, z)[0].sum(axis=0)[0], rtol=1e-12)


def test_ancestral_samples_have_the_frequencies_of_the_exact_marginal():
    stack = top_down()
    theta, n = drawn(stack), 40_000
    log_p, x = every_state(stack, theta)
    exact = np.bincount((x @ [8, 4, 2, 1]).astype(int), np.exp(log_p))
    rng = np.random.default_rng(2)
    draws = stack.sample(theta, [rng.random((n, d)) for d in WIDTHS])
    assert [draw.shape for draw in draws] == [(n, d) for d in WIDTHS]
    seen = np.bincount((draws[0] @ [8, 4, 2, 1]).astype(int), minlength=16)
    chi_square = ((seen - n * exact) ** 2 / (n * exact)).sum()
    assert chi_square < 37.7  # 15 degrees of freedom, exceeded once in a thousand seeds


def test_the_output_starts_at_the_mean_of_the_data():
    stack, mean = top_down(), np.array([0.2, 0.5, 0.9, 0.0])
    arrays = stack.init(np.random.default_rng(0), mean)
    np.testing.assert_allclose(expit(arrays["0.1.b"]), [0.2, 0.5, 0.9, 0.001], rtol=1e-6)


def test_recognition_draws_layer_by_layer_with_the_logits_of_the_layer_below():
    stack = BottomUp(WIDTHS, (), "tanh", "glorot", np.full(4, 0.3))
    theta, rng = drawn(stack), np.random.default_rng(3)
    x, noise = (rng.random((5, 4)) < 0.5) * 1.0, [rng.random((2, 5, d)) for d in WIDTHS[1:]]
    zs, logits, _ = stack.sample(theta, x, noise)
    a1 = (x - 0.3) @ theta["0.1.W"] + theta["0.1.b"]
    np.testing.assert_allclose(logits[0], a1[None], rtol=1e-12)
    np.testing.assert_array_equal(zs[0], noise[0] < expit(a1))
    a2 = (2 * zs[0] - 1) @ theta["1.1.W"] + theta["1.1.b"]
    np.testing.assert_allclose(logits[1], a2, rtol=1e-12)
    log_q, _ = stack.log_prob(logits, zs)
    expected = [bernoulli.logpmf(z, expit(a)).sum(axis=-1) for z, a in zip(zs, (a1, a2), strict=True)]
    np.testing.assert_allclose(log_q, expected, rtol=1e-11)
