"""Every unbiased estimate, summed over all its draws, is the gradient of the exact bound; the biased ones are not.

The oracle writes E_q[f] and E_q[L_K] as sums over all states of the bits and differentiates by the complex step. f and
log w are tables of random numbers: no estimate may depend on where they come from.
"""

import numpy as np
import pytest

from npvae.bounds import ESTIMATORS
from npvae.bounds.antithetic import PAIRS
from npvae.bounds.baselines import begin_running
from npvae.bounds.estimators import learning_signals, score_weights
from npvae.bounds.vimco import leave_one_out_bounds, vimco
from npvae.evaluation.enumeration import binary_states, moments, uniform_points
from npvae.numerics import logsumexp, sigmoid
from tests.numerical import complex_step

RNG = np.random.default_rng(0)
A10, A3 = 1.5 * RNG.standard_normal(10), 1.5 * RNG.standard_normal(3)
TABLE = {d: 3 * RNG.standard_normal(1 << d) + 20 for d in (3, 5, 10)}
"""f(z), around 20 nats, in the order of the states."""


def log_q(a, z):
    """Σ_j z_j log p_j + (1 − z_j) log(1 − p_j), written with logarithms of probabilities."""
    return (z * np.log(1 / (1 + np.exp(-a))) + (1 - z) * np.log(1 / (1 + np.exp(a)))).sum(axis=-1)


def f_of(z):
    d = z.shape[-1]
    return TABLE[d][(z @ (1 << np.arange(d)[::-1])).astype(int)]


def exact_gradient(a):
    states = binary_states(len(a))
    return complex_step(lambda a: (np.exp(log_q(a, states)) * TABLE[len(states[0])]).sum(), a)


def scores(a, z):
    return z - sigmoid(a)


def score_estimate(name, a, z, predicted=0.0, state=None):
    """Draws z (S, K, d), of which each S is one datum; the estimate of each, (S, d)."""
    f = f_of(z).T[None]  # one layer
    weights = score_weights(ESTIMATORS[name], f, predicted, state)[0] * len(z)
    return np.einsum("ks,skd->sd", weights, scores(a, z))


@pytest.mark.parametrize("name", [name for name, how in ESTIMATORS.items() if how.kind == "score"])
def test_the_mean_of_a_score_function_estimate_over_all_draws_is_the_gradient_of_the_exact_bound(name):
    k = ESTIMATORS[name].least_samples
    a = A10 if k == 1 else A10[:5]
    d = len(a)
    z = binary_states(k * d).reshape(-1, k, d)
    state = {"mean": np.array([18.0]), "variance": np.array([6.25])}
    mean, variance = moments(score_estimate(name, a, z, 1.5, state), np.exp(log_q(a, z).sum(axis=1)))
    scale = 2.5 if ESTIMATORS[name].normalised else 1
    np.testing.assert_allclose(scale * mean, exact_gradient(a), rtol=0, atol=1e-10)
    assert (variance > 0).all()


def test_a_good_baseline_takes_variance_away_and_no_baseline_leaves_the_most():
    z, weights = binary_states(10)[:, None], np.exp(log_q(A10, binary_states(10)))
    state = {"mean": np.array([weights @ TABLE[10]]), "variance": np.array([1.0])}
    plain, running = (
        moments(score_estimate(name, A10, z, 0.0, state), weights).variance.sum()
        for name in ("no-baseline", "running-average")
    )
    assert running < plain / 10


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


def test_layers_are_weighed_by_what_they_reach():
    """T = 2, by hand: z_1 reaches everything, z_2 not log p(x|z_1) and not log q(z_1|x)."""
    log_p, log_q = np.array([-7.0, -3.0, -2.0])[:, None, None], np.array([-1.5, -0.5])[:, None, None]
    signals = learning_signals(log_p, log_q)
    np.testing.assert_allclose(signals[:, 0, 0], [-1.5 - 0.5 + 7 + 3 + 2, -0.5 + 3 + 2])


def test_float32_stays_float32_beside_a_state_in_float64():
    signals = np.ones((2, 1, 3), np.float32)
    for name in ("running-average", "nvil"):
        assert score_weights(ESTIMATORS[name], signals, np.zeros_like(signals), begin_running(2)).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "state", "got"), [("nvil", None, "None"), ("running-average", {}, r"a mapping with \[\]")]
)
def test_an_estimate_with_running_averages_is_refused_without_them(name, state, got):
    message = f"state must hold the running mean and variance of every layer for this estimator, got {got}; begin with"
    with pytest.raises(ValueError, match=message):
        score_weights(ESTIMATORS[name], np.ones((1, 1, 3)), 0.0, state)
