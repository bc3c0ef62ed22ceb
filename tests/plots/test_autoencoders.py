"""Pictures of what autoencoders do: rows of images, filters, spectra of Jacobians."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from npvae import plots


def test_versions_of_the_same_images_lie_below_one_another():
    x = np.random.default_rng(0).random((3, 4))
    ax = plots.image_rows({"original": x, "corrupted": 1 - x, "restored": x}).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["original", "corrupted", "restored"]
    drawn = ax.images[0].get_array()
    np.testing.assert_array_equal(drawn[:2, :2], x[0].reshape(2, 2))
    np.testing.assert_array_equal(drawn[3:5, :2], 1 - x[0].reshape(2, 2))
    with pytest.raises(ValueError, match=r"^other must have the shape of first, \(3, 4\), got \(2, 4\)$"):
        plots.image_rows({"first": x, "other": x[:2]})


def test_filters_are_the_columns_of_largest_norm_each_scaled_by_itself():
    W = np.array([[1.0, 0, 4], [0, 0, -8], [0, 0.5, 0], [0, 0, 0]])
    drawn = plots.filters(W, n=2).axes[0].images[0].get_array()
    np.testing.assert_array_equal(drawn[:2, :2], [[1, 0], [0, 0]])
    np.testing.assert_array_equal(drawn[:2, 3:], [[0.5, -1], [0, 0]])


def test_a_spectrum_is_the_mean_over_rows_on_a_logarithmic_scale():
    ax = plots.jacobian_spectra({"plain": [[3.0, 1.0], [1.0, 1.0]], "contractive": [[0.2, 0.1]]}).axes[0]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, 1])
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "contractive"]
