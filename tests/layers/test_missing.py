import numpy as np

from npvae.layers import Missing
from npvae.parameters import Parameters

NONE = Parameters({})


def test_unknown_values_become_zero_and_a_mask_tells_them():
    x = np.array([[1.0, np.nan], [np.nan, 0.0]], np.float32)
    y, _ = Missing((1,)).forward(NONE, x)
    np.testing.assert_array_equal(y, [[1, 0, 0], [0, 0, 1]])
    assert y.dtype == np.float32
    assert np.isnan(x).sum() == 2


def test_nothing_flows_back_to_what_is_unknown():
    layer = Missing((0, 1))
    _, known = layer.forward(NONE, np.array([[1.0, np.nan]]))
    np.testing.assert_array_equal(layer.backward(NONE, known, np.array([[2.0, 3.0, 4.0, 5.0]]), NONE), [[2, 0]])
    assert layer.backward(NONE, known, np.ones((1, 4)), NONE, need_dx=False) is None
