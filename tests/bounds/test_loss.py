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


def test_a_total_that_is_known_stands_for_the_sum_and_a_further_term_joins_it():
    loss = Loss({"a": np.array([1e8, 2.0]), "b": np.array([-1e8, 3.0])}, {"b": 2.0}, total=np.array([0.25, 8.0]))
    np.testing.assert_array_equal(loss.per_datum, [0.25, 8.0])
    more = loss.with_term("c", np.array([1.0, 2.0]), 0.5, "a third")
    np.testing.assert_array_equal(more.per_datum, [0.75, 9.0])
    assert more.described()["c"] == ("a third", "nats", 0.5)
    plain = Loss({"a": np.array([1.0])}).with_term("c", np.array([2.0]), 0.5, "a third")
    np.testing.assert_array_equal(plain.per_datum, [2.0])
