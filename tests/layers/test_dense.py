"""The dense layer, by hand and by einsum."""

import numpy as np
import pytest

from npvae.layers import Dense, normal
from npvae.parameters import Parameters


def test_two_rows_by_hand():
    theta = Parameters.from_arrays({"W": [[1, 2, 3], [4, 5, 6]], "b": [10, 20, 30]}, np.float64)
    y, cache = Dense(2, 3).forward(theta, np.array([[1.0, 0.0], [2.0, -1.0]]))
    np.testing.assert_array_equal(y, [[11, 22, 33], [8, 19, 30]])

    grads = theta.zeros_like()
    dx = Dense(2, 3).backward(theta, cache, np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]), grads)
    np.testing.assert_array_equal(dx, [[4, 10], [4, 10]])
    np.testing.assert_array_equal(grads["W"], [[1, 4, 1], [0, -2, 0]])
    np.testing.assert_array_equal(grads["b"], [1, 2, 1])


@pytest.mark.parametrize(("n_in", "n_out"), [(7, 3), (3, 7), (4, 4), (1, 5), (5, 1)])
def test_both_orders_in_memory_give_what_einsum_gives(n_in, n_out):
    rng = np.random.default_rng(0)
    layer = Dense(n_in, n_out)
    theta = Parameters.from_arrays(layer.init(rng), np.float64)
    theta["b"][:] = rng.standard_normal(n_out)
    x, dy = rng.standard_normal((6, n_in)), rng.standard_normal((6, n_out))
    y, cache = layer.forward(theta, x)
    grads = theta.zeros_like()
    dx = layer.backward(theta, cache, dy, grads)
    np.testing.assert_allclose(y, np.einsum("nj,jk->nk", x, theta["W"]) + theta["b"], atol=1e-13)
    np.testing.assert_allclose(dx, np.einsum("nk,jk->nj", dy, theta["W"]), atol=1e-13)
    np.testing.assert_allclose(grads["W"], np.einsum("nj,nk->jk", x, dy), atol=1e-13)
    np.testing.assert_allclose(grads["b"], dy.sum(axis=0), atol=1e-13)


def test_the_bias_starts_at_zero_and_the_weights_come_from_the_initialiser():
    start = Dense(50, 40, normal).init(np.random.default_rng(3))
    assert not start["b"].any()
    np.testing.assert_array_equal(start["W"], normal(np.random.default_rng(3), 50, 40))
