"""Bars of binary latents and curves of variances."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from npvae.plots import bit_histograms, variance_curves


def test_a_panel_a_class_and_a_bar_a_latent():
    means = np.array([[0.0, 1.0], [0.5, 1.0], [0.2, 0.4]])
    figure = bit_histograms(means, np.array([7, 7, 9]))
    assert [ax.get_title() for ax in figure.axes] == ["7", "9"]
    np.testing.assert_allclose([bar.get_height() for bar in figure.axes[0].patches], [0.25, 1])


def test_without_classes_there_is_one_panel_and_labels_of_another_length_are_refused():
    (ax,) = bit_histograms(np.full((3, 2), 0.5)).axes
    assert ax.get_title() == "all rows"
    with pytest.raises(ValueError, match=r"labels must have shape \(3,\)"):
        bit_histograms(np.full((3, 2), 0.5), [1, 2])


def test_variances_are_drawn_on_a_logarithmic_axis_under_their_names():
    ax = variance_curves([1, 2, 3], {"arm": [3, 2, 1], "disarm": [2, 1, 0.5]}).axes[0]
    assert ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.lines] == ["arm", "disarm"]
    with pytest.raises(ValueError, match="variances must have 3 values each"):
        variance_curves([1, 2, 3], {"arm": [1]})
