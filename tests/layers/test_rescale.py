"""A fixed affine map."""

import numpy as np

from npvae.layers import Rescale
from npvae.parameters import Parameters
from tests.numerical import frozen

NONE = Parameters({})


def test_bits_become_minus_one_and_one():
    y, _ = Rescale(0.5, 2.0).forward(NONE, np.array([[0.0, 1.0]], np.float32))
    np.testing.assert_array_equal(y, [[-1, 1]])
    assert y.dtype == np.float32


def test_pixels_lose_their_mean_and_keep_their_precision_and_the_input_stays():
    (x,) = frozen(np.array([[0.5, 2.0], [1.5, 4.0]], np.float32))
    y, _ = Rescale(np.array([1.0, 3.0])).forward(NONE, x)
    np.testing.assert_array_equal(y, [[-0.5, -1], [0.5, 1]])
    assert y.dtype == np.float32


def test_the_gradient_is_scaled_and_left_out_on_demand():
    layer = Rescale(0.5, 2.0)
    np.testing.assert_array_equal(layer.backward(NONE, None, np.array([[1.0, -3.0]]), NONE), [[2, -6]])
    assert layer.backward(NONE, None, np.ones((1, 2)), NONE, need_dx=False) is None
