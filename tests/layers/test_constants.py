"""Trained constants beside the columns of x, by hand."""

import numpy as np

from npvae.layers import Chain, Constants, Dense
from npvae.parameters import Parameters


def test_two_rows_by_hand():
    layer, theta = Constants(2, 1), Parameters.from_arrays({"b": [7]}, np.float64)
    y, cache = layer.forward(theta, np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(y, [[1, 2, 7], [3, 4, 7]])

    grads = theta.zeros_like()
    dx = layer.backward(theta, cache, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), grads)
    np.testing.assert_array_equal(dx, [[1, 2], [4, 5]])
    np.testing.assert_array_equal(grads["b"], [9])


def test_they_start_at_zero_and_are_no_function_of_x():
    chain = Chain(Dense(3, 2), Constants(2, 4))
    theta = Parameters.from_arrays(chain.init(np.random.default_rng(0)))
    assert chain.shapes["1.b"] == (4,)
    y, _ = chain.forward(theta, np.random.default_rng(1).standard_normal((5, 3)))
    assert (y[:, :2] != 0).all()
    assert not y[:, 2:].any()
