"""The score-function gradient of the sampled ELBO: what it leaves out, and what it puts in its place."""

import numpy as np
import pytest

from npvae.bounds import monte_carlo_elbo, score_function
from tests.bounds.tables import DENSITIES, assert_same_as


@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_value_and_weights_of_the_densities_are_those_of_the_sampled_elbo(beta):
    assert_same_as(monte_carlo_elbo(*DENSITIES, beta), score_function(*DENSITIES, beta))


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
