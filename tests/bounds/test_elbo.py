"""The ELBO as a function of log-densities: values by hand, upstream weights against differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae.bounds import elbo
from tests.numerical import assert_gradient, frozen

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
