"""Every estimate by weighted scores, summed over all its draws, is the gradient of the exact bound."""

import numpy as np
import pytest

from npvae.bounds import ESTIMATORS
from npvae.bounds.baselines import begin_running
from npvae.bounds.estimators import learning_signals, score_weights
from npvae.evaluation.enumeration import binary_states, moments
from tests.bounds.tables import A10, TABLE, exact_gradient, log_q, score_estimate


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
