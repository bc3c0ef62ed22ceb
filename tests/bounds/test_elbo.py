"""The ELBO and its two variants as functions of log-densities: values by hand, upstream weights against differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae.bounds import elbo, free_bits, monte_carlo_elbo
from tests.numerical import assert_gradient, frozen

KL_TERMS, *SAMPLED = frozen(
    *(np.random.default_rng(2).standard_normal(shape) ** 2 for shape in ((4, 3), (3, 4), (3, 4), (3, 4)))
)
LOG_PX_Z, KL = frozen(*(np.random.default_rng(0).standard_normal(shape) for shape in ((3, 4), (4,))))


def test_two_data_and_two_samples_by_hand():
    loss, upstream = elbo(np.array([[-1.0, -2.0], [-3.0, -6.0]]), np.array([0.5, 1.5]), beta=2.0)
    np.testing.assert_array_equal(loss.terms["reconstruction"], [2, 4])
    np.testing.assert_array_equal(loss.terms["kl"], [0.5, 1.5])
    np.testing.assert_array_equal(loss.per_datum, [3, 7])
    assert loss.value == 5
    np.testing.assert_array_equal(upstream["log_px_z"], np.full((2, 2), -1 / 4))
    np.testing.assert_array_equal(upstream["kl"], [1, 1])


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_upstream_weights_are_the_derivatives_of_the_value(beta):
    _, upstream = elbo(LOG_PX_Z, KL, beta)
    assert_gradient(lambda log_px_z: elbo(log_px_z, KL, beta)[0].value, LOG_PX_Z, upstream["log_px_z"], "log_px_z")
    assert_gradient(lambda kl: elbo(LOG_PX_Z, kl, beta)[0].value, KL, upstream["kl"], "kl")


def test_beta_is_one_unless_told():
    assert elbo(LOG_PX_Z, KL)[0].value == elbo(LOG_PX_Z, KL, 1.0)[0].value == (KL - LOG_PX_Z).mean()


@given(
    n_samples=st.integers(1, 5),
    n=st.integers(1, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    beta=st.floats(0, 10, width=16),
)
def test_shapes_and_dtypes_follow_the_densities_and_the_value_is_linear_in_them(n_samples, n, dtype, beta):
    rng = np.random.default_rng(1)
    log_px_z, kl = rng.standard_normal((n_samples, n)).astype(dtype), rng.random(n).astype(dtype)
    loss, upstream = elbo(log_px_z, kl, beta)
    assert {name: term.shape for name, term in loss.terms.items()} == {"reconstruction": (n,), "kl": (n,)}
    assert upstream["log_px_z"].shape == (n_samples, n)
    assert upstream["kl"].shape == (n,)
    for array in (*loss.terms.values(), *upstream.values(), loss.value):
        assert array.dtype == dtype
    by_weights = (upstream["log_px_z"] * log_px_z).sum() + (upstream["kl"] * kl).sum()
    assert by_weights == pytest.approx(loss.value, rel=1e-4, abs=1e-5)


def test_of_samples_two_data_and_two_samples_by_hand():
    log_px_z = np.array([[-1.0, -2.0], [-3.0, -6.0]])
    log_pz, log_qz_x = np.array([[-1.0, -1.0], [-2.0, -2.0]]), np.array([[0.0, 1.0], [-1.0, 3.0]])
    loss, upstream = monte_carlo_elbo(log_px_z, log_pz, log_qz_x, beta=2.0)
    np.testing.assert_array_equal(loss.terms["reconstruction"], [2, 4])
    np.testing.assert_array_equal(loss.terms["kl"], [1, 3.5])
    np.testing.assert_array_equal(loss.per_datum, [4, 11])
    for name, weight in {"log_px_z": -0.25, "log_pz": -0.5, "log_qz_x": 0.5}.items():
        np.testing.assert_array_equal(upstream[name], np.full((2, 2), weight))


@pytest.mark.parametrize("i", range(3), ids=("log_px_z", "log_pz", "log_qz_x"))
def test_of_samples_the_upstream_weights_are_the_derivatives(i):
    def value(density):
        return monte_carlo_elbo(*SAMPLED[:i], density, *SAMPLED[i + 1 :], beta=1.7)[0].value

    assert_gradient(value, SAMPLED[i], list(monte_carlo_elbo(*SAMPLED, beta=1.7)[1].values())[i])


def test_free_bits_by_hand():
    """Mean KLs 0.2, 1 and 3 with half a nat free: the first costs ½, the others themselves."""
    kl_terms = np.array([[0.1, 2.0, 3.0], [0.3, 0.0, 3.0]])
    loss, upstream = free_bits(np.array([[-1.0, -2.0]]), kl_terms, bits=0.5, beta=2.0)
    np.testing.assert_allclose(loss.terms["reconstruction"], [1, 2])
    np.testing.assert_allclose(loss.terms["kl"], [5.1, 3.3])
    np.testing.assert_allclose(loss.terms["free_bits"], [0.3, 0.3])
    assert loss.value == pytest.approx(1.5 + 2 * (0.5 + 1 + 3), rel=1e-15)
    np.testing.assert_array_equal(upstream["kl_terms"], [[0, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(upstream["log_px_z"], [[-0.5, -0.5]])


@pytest.mark.parametrize("bits", [0.0, 0.6, 100.0])
def test_free_bits_upstream_weights_are_the_derivatives(bits):
    _, upstream = free_bits(LOG_PX_Z, KL_TERMS, bits, 1.7)
    below = (KL_TERMS.mean(axis=0) < bits).sum()
    assert {0.0: below == 0, 0.6: 0 < below < 3, 100.0: below == 3}[bits]
    assert_gradient(lambda a: free_bits(a, KL_TERMS, bits, 1.7)[0].value, LOG_PX_Z, upstream["log_px_z"])
    assert_gradient(lambda a: free_bits(LOG_PX_Z, a, bits, 1.7)[0].value, KL_TERMS, upstream["kl_terms"])


def test_with_no_bits_free_it_is_the_elbo():
    free, (plain, weights) = free_bits(LOG_PX_Z, KL_TERMS, 0.0, 1.7), elbo(LOG_PX_Z, KL_TERMS.sum(axis=1), 1.7)
    np.testing.assert_array_equal(free[0].per_datum, plain.per_datum)
    np.testing.assert_array_equal(free[1]["kl_terms"], np.tile(weights["kl"][:, None], 3))


@pytest.mark.parametrize("bound", [lambda *a: free_bits(a[0], a[1].T, 0.5), monte_carlo_elbo], ids=["free", "sampled"])
def test_float32_stays_float32(bound):
    loss, upstream = bound(*(density.astype(np.float32) for density in SAMPLED))
    assert all(a.dtype == np.float32 for a in (*loss.terms.values(), *upstream.values(), loss.per_datum))
