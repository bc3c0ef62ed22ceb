"""Counts far below their rate, where a softplus and a sigmoid have few digits left."""

import numpy as np
import pytest
from scipy.special import expit

from npvae.distributions import Counts

COUNTS = Counts((0.0,), (1.0,), (3.0,))


def terms(a, dtype, n=4):
    """log p of a count n, and its slope by a, for logits (rows,)."""
    a = np.asarray(a, dtype)[:, None]
    value, cache = COUNTS.terms(a, np.full_like(a, np.log1p(n)), np.ones_like(a))
    return value, COUNTS.da(cache, np.ones(len(a), dtype))[:, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_a_rate_that_is_nearly_zero_keeps_its_digits(dtype):
    a = np.linspace(-60, -2, 200).astype(dtype).astype(float)
    rate = 3 * np.log1p(np.exp(a)) / np.log(2)
    expected = (4 - rate) * expit(a) / np.log1p(np.exp(a))
    np.testing.assert_allclose(terms(a, dtype)[1], expected, rtol=max(50 * np.finfo(dtype).eps, 5e-14))


def test_log_p_has_no_step_where_the_series_takes_over():
    below, above = terms([-15 - 1e-12, -15 + 1e-12], np.float64)[0]
    assert above - below == pytest.approx(0, abs=2e-11)
