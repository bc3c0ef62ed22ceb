"""Pooling and up-sampling, by hand and against each other."""

import numpy as np
import pytest

from npvae.layers import MaxPool, MeanPool, UpSample
from npvae.parameters import Parameters

NONE = Parameters({})
X = np.arange(16.0).reshape(1, 16)  # 4 × 4, one channel


def test_tiles_of_two_by_two_by_hand():
    assert MaxPool((4, 4, 1)).output_shape == (2, 2, 1)
    np.testing.assert_array_equal(MaxPool((4, 4, 1)).forward(NONE, X)[0], [[5, 7, 13, 15]])
    np.testing.assert_array_equal(MeanPool((4, 4, 1)).forward(NONE, X)[0], [[2.5, 4.5, 10.5, 12.5]])
    np.testing.assert_array_equal(
        UpSample((2, 2, 1)).forward(NONE, np.array([[1.0, 2.0, 3.0, 4.0]]))[0],
        [[1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]],
    )


def test_every_channel_is_pooled_by_itself():
    x = np.random.default_rng(0).standard_normal((3, 4 * 6 * 5))
    together = MaxPool((4, 6, 5), (2, 3)).forward(NONE, x)[0].reshape(3, 2, 2, 5)
    for c in range(5):
        alone, _ = MaxPool((4, 6, 1), (2, 3)).forward(NONE, x.reshape(3, 24, 5)[..., c])
        np.testing.assert_array_equal(together[..., c].reshape(3, -1), alone)


def test_of_equal_numbers_the_first_gets_the_whole_gradient():
    layer = MaxPool((2, 2, 1))
    _, cache = layer.forward(NONE, np.array([[1.0, 3.0, 3.0, 3.0]]))
    np.testing.assert_array_equal(layer.backward(NONE, cache, np.array([[7.0]]), NONE), [[0, 7, 0, 0]])


def test_up_sampling_is_the_adjoint_of_the_mean_times_the_pixels_of_a_tile():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 4 * 6 * 3)), rng.standard_normal((2, 2 * 2 * 3))
    mean, up = MeanPool((4, 6, 3), (2, 3)), UpSample((2, 2, 3), (2, 3))
    assert up.output_shape == mean.image_shape
    assert 6 * (mean.forward(NONE, x)[0] * y).sum() == pytest.approx((x * up.forward(NONE, y)[0]).sum(), rel=1e-12)


@pytest.mark.parametrize("make", [MaxPool, MeanPool])
def test_tiles_that_do_not_fill_the_image_are_refused_with_what_would(make):
    message = "^image_shape must have a height that the windows fill, such as 26 or 28, for .* got 27$"
    with pytest.raises(ValueError, match=message):
        make((27, 28, 1))


def test_sizes_are_checked_at_once():
    with pytest.raises(ValueError, match=r"^size must be at least 1, got 0$"):
        UpSample((2, 2, 1), 0)
    with pytest.raises(ValueError, match=r"^image_shape must be \(height, width, channels\), got \(2, 2\)$"):
        UpSample((2, 2))
