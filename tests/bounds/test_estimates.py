"""Three gradients beside that of the value: what they leave out, and what they put in its place."""

import numpy as np
import pytest
from scipy.special import softmax

from npvae.bounds import BOUNDS, dreg, iwae, monte_carlo_elbo, score_function, sticking_the_landing
from tests.numerical import frozen

DENSITIES = frozen(*np.random.default_rng(0).standard_normal((3, 5, 4)))
OF_THE_ELBO = pytest.mark.parametrize("bound", [sticking_the_landing, score_function])


@OF_THE_ELBO
@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_value_and_weights_of_the_densities_are_those_of_the_sampled_elbo(bound, beta):
    assert_same_as(monte_carlo_elbo(*DENSITIES, beta), bound(*DENSITIES, beta))


def test_value_and_weights_of_dreg_are_those_of_the_importance_weighted_bound():
    assert_same_as(iwae(*DENSITIES), dreg(*DENSITIES))


def assert_same_as(plain, estimate):
    np.testing.assert_array_equal(estimate[0].per_datum, plain[0].per_datum)
    for name, weight in plain[1].items():
        np.testing.assert_array_equal(estimate[1][name], weight)


def test_sticking_the_landing_drops_the_direct_path_and_leaves_the_other():
    _, upstream = sticking_the_landing(*DENSITIES)
    np.testing.assert_array_equal(upstream["direct"], np.zeros((5, 4)))
    assert "path" not in upstream


def test_dreg_weighs_the_path_by_the_importance_weights_and_drops_the_direct_one():
    _, upstream = dreg(*DENSITIES)
    log_px_z, log_pz, log_qz_x = DENSITIES
    np.testing.assert_allclose(upstream["path"], softmax(log_px_z + log_pz - log_qz_x, axis=0), rtol=1e-13)
    np.testing.assert_array_equal(upstream["direct"], np.zeros((5, 4)))


def test_the_score_functions_advantages_by_hand():
    """One datum, losses 1, 2 and 6: the others' means are 4, 3.5 and 1.5."""
    log_px_z, log_pz, log_qz_x = np.array([[-1.0], [-1.0], [-1.0]]), np.zeros((3, 1)), np.array([[0.0], [0.5], [2.5]])
    _, upstream = score_function(log_px_z, log_pz, log_qz_x, beta=2.0)
    np.testing.assert_allclose(upstream["direct"], np.array([[-3], [-1.5], [4.5]]) / 3, rtol=1e-14)
    np.testing.assert_array_equal(upstream["path"], np.zeros((3, 1)))


def test_with_one_sample_the_score_function_has_no_baseline():
    log_px_z, log_pz, log_qz_x = (density[:1] for density in DENSITIES)
    _, upstream = score_function(log_px_z, log_pz, log_qz_x, 1.7)
    np.testing.assert_allclose(upstream["direct"], (1.7 * (log_qz_x - log_pz) - log_px_z) / 4, rtol=1e-14)


@pytest.mark.parametrize("bound", BOUNDS)
def test_float32_stays_float32(bound):
    densities = [density.astype(np.float32) for density in DENSITIES]
    _, function, needs, *_ = BOUNDS[bound]
    loss, upstream = function(densities[0], densities[1][0]) if "kl" in needs else function(*densities)
    assert all(a.dtype == np.float32 for a in (*loss.terms.values(), *upstream.values(), loss.per_datum))
