"""Sticking the landing: the gradient of the sampled ELBO without the direct path."""

import numpy as np
import pytest

from npvae.bounds import monte_carlo_elbo, sticking_the_landing
from tests.bounds.tables import DENSITIES, assert_same_as


@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_value_and_weights_of_the_densities_are_those_of_the_sampled_elbo(beta):
    assert_same_as(monte_carlo_elbo(*DENSITIES, beta), sticking_the_landing(*DENSITIES, beta))


def test_sticking_the_landing_drops_the_direct_path_and_leaves_the_other():
    _, upstream = sticking_the_landing(*DENSITIES)
    np.testing.assert_array_equal(upstream["direct"], np.zeros((5, 4)))
    assert "path" not in upstream
