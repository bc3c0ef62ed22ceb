import numpy as np
import pytest

from benchmarks.data import binarize, digit_images


@pytest.mark.parametrize("grey", [1, 64, 128, 200, 254])
def test_a_pixel_is_one_with_its_grey_value_over_255(grey):
    n, p = 4_000_000, grey / 255
    drawn = binarize(np.full((n // 100, 100), grey, np.float32), np.random.default_rng(grey)).mean(dtype=np.float64)
    assert abs(drawn - p) < 5 * np.sqrt(p * (1 - p) / n)


def test_black_and_white_stay_what_they_are():
    grey = np.array([[0, 255]] * 5000, np.uint8)
    drawn = binarize(grey, np.random.default_rng(0))
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, grey / 255)


def test_every_visit_is_another_draw_and_pixels_are_independent():
    grey = np.full((2, 4000), 128)
    rng = np.random.default_rng(1)
    first, second = binarize(grey, rng), binarize(grey, rng)
    for a, b in ((first[0], first[1]), (first[0], second[0]), (first[0, 1:], first[0, :-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(4000)


def test_quick_images_are_bytes_for_training_and_one_draw_for_testing():
    x, x_test, name = digit_images(quick=True)
    assert x.shape == (2000, 784)
    assert x.dtype == np.uint8
    assert x.max() == 255
    assert set(np.unique(x_test)) == {0, 1}
    assert name == "embedded digits"
    np.testing.assert_array_equal(x_test, digit_images(quick=True)[1])
