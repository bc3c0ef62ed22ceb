"""A loss is terms, weights, and one reduction."""

import numpy as np
import pytest

from npvae.bounds import Loss, Term
from tests.numerical import frozen

RECONSTRUCTION, KL = frozen(np.array([80.0, 100.0, 90.0]), np.array([20.0, 30.0, 10.0]))
TERMS = {"reconstruction": RECONSTRUCTION, "kl": KL}


def test_the_value_is_the_mean_over_data_of_the_weighted_sum_of_terms():
    loss = Loss(TERMS, {"kl": 0.5})
    np.testing.assert_array_equal(loss.per_datum, [90, 115, 95])
    assert loss.value == 100


def test_a_term_without_a_weight_counts_once():
    np.testing.assert_array_equal(Loss(TERMS).per_datum, [100, 130, 100])
    assert Loss(TERMS).value == 110


def test_terms_are_kept_unweighted():
    loss = Loss(TERMS, {"kl": 4.0})
    _ = loss.value
    np.testing.assert_array_equal(loss.terms["kl"], [20, 30, 10])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_value_keeps_the_dtype_of_the_terms(dtype):
    loss = Loss({name: term.astype(dtype) for name, term in TERMS.items()}, {"kl": 0.5})
    assert loss.per_datum.dtype == loss.value.dtype == dtype
    assert np.ndim(loss.value) == 0


def test_a_term_is_described_by_what_is_said_of_it_and_else_by_its_name():
    loss = Loss({"free_bits": KL, "rate": KL}, {"rate": 0.5}, {"rate": "rate R"}, {"rate": "bits"})
    assert loss.described() == {"free_bits": Term("free bits", "nats", 1.0), "rate": Term("rate R", "bits", 0.5)}
