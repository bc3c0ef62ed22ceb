"""The prior: its density against SciPy's; its gradient."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import standard_normal
from tests.numerical import assert_gradient, frozen

(Z,) = frozen(np.random.default_rng(0).standard_normal((3, 4, 2)))


@pytest.mark.parametrize("z", [Z, Z[0], Z[0, 0], 30 * Z], ids=lambda z: str(z.shape))
def test_the_density_is_scipys_summed_over_the_dimensions(z):
    np.testing.assert_allclose(standard_normal.log_prob(z)[0], scipy.stats.norm.logpdf(z).sum(axis=-1), rtol=1e-14)


def test_the_gradient():
    value, cache = standard_normal.log_prob(Z)
    upstream = np.random.default_rng(1).standard_normal(value.shape)
    dz = standard_normal.log_prob_backward(cache, upstream)
    assert_gradient(lambda z: (upstream * standard_normal.log_prob(z)[0]).sum(), Z, dz, "z")


def test_float32_stays_float32():
    value, cache = standard_normal.log_prob(Z.astype(np.float32))
    assert value.dtype == standard_normal.log_prob_backward(cache, value).dtype == np.float32
