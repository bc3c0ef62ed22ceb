import numpy as np
import pytest

from npvae import plots
from tests.plots.test_images import texts

MATRIX = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])


def test_entries_names_and_scale():
    ax = plots.factor_matrix(MATRIX, {"slant": 0, "size": 1}).axes[0]
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), MATRIX)
    assert image.get_clim() == (0, 1)
    assert texts(ax.get_xticklabels()) == ["z₁", "z₂", "z₃"]
    assert texts(ax.get_yticklabels()) == ["slant", "size"]
    assert "mutual information" in ax.figure.axes[1].get_ylabel()


def test_many_latents_are_labelled_now_and_then():
    ax = plots.factor_matrix(np.zeros((1, 50)), ["v"]).axes[0]
    assert texts(ax.get_xticklabels())[:2] == ["z₁", "z₄"]
    assert list(ax.get_xticks()[:2]) == [0, 3]


def test_given_axes_are_drawn_into():
    ax = plots.factor_matrix(MATRIX, "ab").axes[0]
    assert plots.factor_matrix(MATRIX, "ab", ax=ax) is ax.figure


def test_a_name_too_few():
    with pytest.raises(ValueError, match="factors must be 2 names, one for each row of matrix, got 1"):
        plots.factor_matrix(MATRIX, ["a"])


def test_the_picture_is_as_large_as_its_content():
    small, large = (plots.factor_matrix(np.zeros(shape), map(str, range(shape[0]))) for shape in ((2, 3), (10, 20)))
    assert (small.get_size_inches() < large.get_size_inches()).all()
