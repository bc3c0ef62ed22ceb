"""L_k as a function of log-densities: values by hand and by SciPy, upstream weights against differences."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from npvae.bounds import dreg, elbo, iwae
from tests.bounds.tables import assert_same_as
from tests.numerical import assert_gradient, frozen

DENSITIES = frozen(*3 * np.random.default_rng(0).standard_normal((3, 5, 4)))
NAMES = ("log_px_z", "log_pz", "log_qz_x")


def test_two_samples_by_hand():
    """Weights 1 and 3 for the one datum: L_2 = log 2, against a mean logarithm of ½ log 3."""
    loss, upstream = iwae(np.log([[4.0], [3.0]]), np.log([[0.5], [3.0]]), np.log([[2.0], [3.0]]))
    np.testing.assert_allclose(loss.per_datum, -np.log(2), rtol=1e-14)
    np.testing.assert_allclose(loss.terms["reconstruction"], -np.log(12) / 2, rtol=1e-14)
    np.testing.assert_allclose(loss.terms["kl"], np.log(4) / 2, rtol=1e-14)
    np.testing.assert_allclose(loss.terms["tightening"], np.log(3) / 2 - np.log(2), rtol=1e-13)
    for name, sign in zip(NAMES, (-1, -1, 1), strict=True):
        np.testing.assert_allclose(upstream[name], [[sign / 4], [sign * 3 / 4]], rtol=1e-14)


def test_the_terms_add_up_to_the_bound_and_the_weights_are_a_softmax():
    log_w = DENSITIES[0] + DENSITIES[1] - DENSITIES[2]
    loss, upstream = iwae(*DENSITIES)
    np.testing.assert_allclose(loss.per_datum, np.log(5) - logsumexp(log_w, axis=0), rtol=1e-13)
    np.testing.assert_allclose(upstream["log_qz_x"], softmax(log_w, axis=0) / 4, rtol=1e-13)
    assert (loss.terms["tightening"] < 0).all()


@pytest.mark.parametrize("i", range(3), ids=NAMES)
def test_the_upstream_weights_are_the_derivatives_of_the_value(i):
    def value(density):
        return iwae(*DENSITIES[:i], density, *DENSITIES[i + 1 :])[0].value

    assert_gradient(value, DENSITIES[i], iwae(*DENSITIES)[1][NAMES[i]], NAMES[i])


def test_with_one_sample_it_is_the_elbo_of_that_sample():
    log_px_z, log_pz, log_qz_x = (density[:1] for density in DENSITIES)
    loss, upstream = iwae(log_px_z, log_pz, log_qz_x)
    simple, simple_upstream = elbo(log_px_z, (log_qz_x - log_pz)[0])
    np.testing.assert_allclose(loss.per_datum, simple.per_datum, rtol=1e-14)
    np.testing.assert_array_equal(loss.terms["tightening"], 0)
    np.testing.assert_array_equal(upstream["log_px_z"], simple_upstream["log_px_z"])


def test_weights_far_out_neither_overflow_nor_vanish_and_float32_stays():
    densities = [np.array([[2e3, -2e3], [1e3, -1e3]], np.float32), *np.zeros((2, 2, 2), np.float32)]
    loss, upstream = iwae(*densities)
    np.testing.assert_allclose(loss.per_datum, [np.log(2) - 2e3, np.log(2) + 1e3], rtol=1e-6)
    np.testing.assert_array_equal(upstream["log_qz_x"], [[0.5, 0], [0, 0.5]])
    assert all(array.dtype == np.float32 for array in (*loss.terms.values(), *upstream.values(), loss.value))


@pytest.mark.parametrize("far", [-1e7, -1e30, -np.inf])
def test_a_draw_without_weight_costs_the_bound_no_digits(far):
    log_px_z, log_pz, log_qz_x = (density.astype(np.float32) for density in DENSITIES)
    with_far = np.concatenate([log_px_z, np.full_like(log_px_z[:1], far)])
    loss, upstream = iwae(with_far, *(np.concatenate([d, d[:1]]) for d in (log_pz, log_qz_x)))
    expected, weights = iwae(log_px_z, log_pz, log_qz_x)
    k = len(log_px_z)
    np.testing.assert_allclose(loss.per_datum, expected.per_datum + np.log((k + 1) / k), rtol=1e-6)
    np.testing.assert_allclose(upstream["log_px_z"][:-1], weights["log_px_z"], rtol=1e-5)
    np.testing.assert_array_equal(upstream["log_px_z"][-1], 0)


def test_value_and_weights_of_dreg_are_those_of_the_importance_weighted_bound():
    assert_same_as(iwae(*DENSITIES), dreg(*DENSITIES))


def test_dreg_weighs_the_path_by_the_importance_weights_and_drops_the_direct_one():
    _, upstream = dreg(*DENSITIES)
    log_px_z, log_pz, log_qz_x = DENSITIES
    np.testing.assert_allclose(upstream["path"], softmax(log_px_z + log_pz - log_qz_x, axis=0), rtol=1e-13)
    np.testing.assert_array_equal(upstream["direct"], np.zeros((5, 4)))
