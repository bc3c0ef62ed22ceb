"""The picture of restored images: what stands in which strip."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from npvae.plots import restorations


def test_strips_stand_below_one_another():
    seen = np.full((3, 4), 0.5)
    seen[:, 2:] = np.nan
    figure = restorations(seen, np.full((3, 4), 0.25), np.ones((2, 3, 4)), np.full((3, 4), 0.125), (2, 2))
    (axes,) = figure.axes
    image = np.ma.filled(axes.images[0].get_array(), np.nan)
    assert image.shape == (14, 8)
    np.testing.assert_array_equal(image[0, :2], 0.5)
    assert np.isnan(image[1, :2]).all()
    for strip, value in ((1, 0.25), (2, 1), (3, 1), (4, 0.25)):
        np.testing.assert_array_equal(image[3 * strip : 3 * strip + 2, :2], value)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["seen", "mean", "draw 1", "draw 2", "2 std"]
    figure = restorations(seen, *np.ones((1, 3, 4)), np.ones((1, 3, 4)), np.ones((3, 4)), (2, 2), name="mode")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["seen", "mode", "draw 1", "2 std"]


def test_arrays_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"mean must have the shape of seen, \(3, 4\), got \(2, 4\)"):
        restorations(np.zeros((3, 4)), np.zeros((2, 4)), np.zeros((1, 3, 4)), np.zeros((3, 4)))
