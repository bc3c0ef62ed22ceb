import numpy as np
import pytest
from matplotlib.figure import Figure

from npvae import plots

IMAGES = np.random.default_rng(0).random((12, 784))


def test_a_title_above_images_leaves_their_dots_and_hides_nothing():
    untitled, figure = (plots.reconstructions(IMAGES, IMAGES) for _ in "ab")
    untitled.draw_without_rendering()
    before = untitled.axes[0].get_window_extent()
    assert plots.titled(figure, "VAE, 20 latents, digits: reconstructions") is figure
    figure.draw_without_rendering()
    after, title = figure.axes[0].get_window_extent(), figure._suptitle.get_window_extent()
    assert (after.width, after.height) == pytest.approx((before.width, before.height))
    assert title.y0 >= after.y1
    assert title.y1 <= figure.bbox.y1


def test_a_long_title_stays_within_a_narrow_picture():
    figure = plots.image_grid(IMAGES[:2], n_columns=1)
    plots.titled(figure, "VAE, 20 latents, embedded digits: samples of it")
    figure.draw_without_rendering()
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.x1


def test_a_figure_with_a_layout_makes_room_by_itself():
    figure = Figure(layout="constrained")
    figure.subplots().set_title("panel")
    assert plots.titled(figure, "all of it") is figure
    figure.draw_without_rendering()
    assert figure._suptitle.get_window_extent().y0 >= figure.axes[0].title.get_window_extent().y1
