import numpy as np
import pytest
from matplotlib import colormaps

from npvae import plots
from tests.plots.test_images import texts

Z = np.random.default_rng(0).normal(size=(60, 4))


def points(ax):
    (collection,) = ax.collections
    return np.asarray(collection.get_offsets())


def colours(ax):
    ax.figure.draw_without_rendering()
    return ax.collections[0].get_facecolors()[:, :3]


def test_points_are_the_posterior_means():
    ax = plots.latent_scatter(Z).axes[0]
    np.testing.assert_array_equal(points(ax), Z[:, :2])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("z₁ (posterior mean)", "z₂ (posterior mean)")
    assert ax.get_aspect() == 1
    assert ax.get_legend() is None


def test_other_dimensions_are_named():
    wide = np.arange(24.0).reshape(2, 12)
    ax = plots.latent_scatter(wide, dimensions=(11, 2)).axes[0]
    np.testing.assert_array_equal(points(ax), wide[:, [11, 2]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("z₁₂ (posterior mean)", "z₃ (posterior mean)")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.arange(60) % 3 + 5, ["5", "6", "7"]),
        (np.arange(60) % 2 == 0, ["False", "True"]),
        (np.array(["cat", "dog"])[np.arange(60) % 2], ["cat", "dog"]),
        (np.arange(60) % 10, list("0123456789")),
        (np.arange(60) % 20, [str(i) for i in range(20)]),
    ],
)
def test_classes_have_a_colour_and_a_legend_entry_each(labels, names):
    ax = plots.latent_scatter(Z, labels).axes[0]
    legend = ax.get_legend()
    np.testing.assert_array_equal(points(ax), Z[:, :2])
    assert texts(legend.get_texts()) == names
    found = colours(ax)
    palette = colormaps["tab10" if len(names) <= 10 else "tab20"].colors
    for i, name in enumerate(names):
        assert legend.legend_handles[i].get_color() == palette[i]
        np.testing.assert_allclose(
            found[labels.astype(str) == name], np.broadcast_to(palette[i], (60 // len(names), 3))
        )


@pytest.mark.parametrize("labels", [np.linspace(0, 5, 60), np.arange(60)])
def test_quantities_have_a_colour_bar(labels):
    ax = plots.latent_scatter(Z, labels).axes[0]
    assert ax.get_legend() is None
    assert len(ax.figure.axes) == 2
    np.testing.assert_array_equal(ax.collections[0].get_array(), labels)
    assert ax.collections[0].get_clim() == (labels.min(), labels.max())


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.zeros(59), ValueError, r"labels must have shape \(60,\), one for each row of z, got \(59,\)"),
        (np.zeros((60, 1)), ValueError, r"labels must have shape \(60,\)"),
        ([str(i) for i in range(60)], ValueError, "labels must have at most 20 different strings, got 60"),
        ([None] * 60, TypeError, "labels must be numbers, truth values or strings, got dtype object"),
        ([np.nan] * 60, ValueError, "labels must be finite"),
    ],
)
def test_labels_that_say_nothing(labels, error, message):
    with pytest.raises(error, match=message):
        plots.latent_scatter(Z, labels)


def test_two_dimensions_are_needed():
    with pytest.raises(ValueError, match="z must have at least 2 columns, got 1"):
        plots.latent_scatter(Z[:, :1])
    with pytest.raises(ValueError, match=r"dimensions must be below 4, the columns of z, got \(0, 4\)"):
        plots.latent_scatter(Z, dimensions=(0, 4))
    with pytest.raises(ValueError, match="dimensions must be at least 0, got -1"):
        plots.latent_scatter(Z, dimensions=(0, -1))
