"""The squared error by hand."""

import numpy as np
import pytest

from npvae.models import SquaredError


def test_two_rows_by_hand():
    error = SquaredError()
    log_prob, cache = error.log_prob(np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 2.5], [1.0, -1.0]]))
    np.testing.assert_array_equal(log_prob, [-4.25, -2])
    np.testing.assert_array_equal(error.log_prob_backward(cache, np.array([1.0, 10.0])), [[4, 1], [20, -20]])


def test_under_a_link_the_mean_is_a_logistic_function():
    error, a = SquaredError("sigmoid"), np.array([[0.0, np.log(3)]])
    np.testing.assert_allclose(error.mean(a), [[0.5, 0.75]], rtol=1e-14)
    np.testing.assert_allclose(error.log_prob(a, np.array([[1.0, 0.75]]))[0], [-0.25], rtol=1e-14)
    np.testing.assert_allclose(error.mean(error.output_bias(np.array([0.2, 0.6]), None)), [0.2, 0.6], rtol=1e-14)


def test_it_is_no_density_and_takes_all_data():
    assert not SquaredError().is_density(np.zeros((1, 1)))
    assert SquaredError().require_support("X", np.array([[-1e9, 1e9]])) is None
    assert SquaredError().n_params(7) == 7


def test_an_unknown_link_is_refused():
    with pytest.raises(ValueError, match=r"^link must be one of 'identity', 'sigmoid', got 'tanh'$"):
        SquaredError("tanh")
