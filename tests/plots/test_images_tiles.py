import numpy as np
import pytest
from matplotlib.figure import Figure

from npvae.plots.images import as_images, draw_tiles, image_grid, label_tiles, tile


def test_tiles_lie_where_they_belong_with_nothing_between():
    images = np.random.default_rng(0).random((2, 3, 4, 5))
    tiled = tile(images)
    assert tiled.shape == (2 * 5 - 1, 3 * 6 - 1)
    for row in range(2):
        for column in range(3):
            np.testing.assert_array_equal(tiled[row * 5 :, column * 6 :][:4, :5], images[row, column])
    assert np.isnan(tiled).sum() == tiled.size - images.size


def test_rows_become_squares():
    np.testing.assert_array_equal(as_images("x", np.arange(8).reshape(2, 4), None), np.arange(8).reshape(2, 2, 2))


def test_rows_become_images_of_the_given_shape():
    x = np.arange(24).reshape(2, 12)
    np.testing.assert_array_equal(as_images("x", x, (4, 3)), x.reshape(2, 4, 3))
    np.testing.assert_array_equal(as_images("x", x.reshape(1, 2, 12), (4, 3), ("a", "b")), x.reshape(1, 2, 4, 3))


def test_images_keep_their_shape():
    x = np.arange(24).reshape(2, 4, 3)
    np.testing.assert_array_equal(as_images("x", x, None), x)


@pytest.mark.parametrize(
    ("shape", "image_shape", "message"),
    [
        ((2, 12), None, "image_shape must be given: 12 pixels a row of x make no square"),
        ((2, 12), (3, 5), r"image_shape must be \(h, w\) or \(h, w, 3\) whose product is 12, .* of x, got \(3, 5\)"),
        ((2, 12), (2, 3, 2), r"image_shape must be .* whose product is 12, .* of x, got \(2, 3, 2\)"),
        ((2, 2, 2, 2, 3), None, r"x must have shape \(n, d\) or \(n, h, w\), got shape \(2, 2, 2, 2, 3\)"),
        ((0, 4), None, "x must not be empty"),
    ],
)
def test_shapes_that_do_not_fit(shape, image_shape, message):
    with pytest.raises(ValueError, match=message):
        as_images("x", np.zeros(shape), image_shape)


def test_non_finite_pixels_are_refused():
    with pytest.raises(ValueError, match="x must be finite, got nan at row 1, column 2"):
        as_images("x", [[0, 0, 0, 0], [0, 0, np.nan, 0]], None)


def test_scale_runs_from_vmin_to_vmax():
    ax = draw_tiles(np.zeros((1, 1, 2, 2)), None, -1, 2)
    assert ax.images[0].get_clim() == (-1, 2)
    with pytest.raises(ValueError, match="vmin must be less than vmax, got 1 and 1"):
        draw_tiles(np.zeros((1, 1, 2, 2)), None, 1, 1)


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (8, 8, 28, 28), (20, 20, 28, 28), (5, 10, 28, 20), (2, 3, 400, 400)])
def test_a_pixel_takes_a_whole_number_of_dots_of_the_picture(shape):
    ax = draw_tiles(np.zeros(shape), None, 0, 1, (0.75, 0.5, 0.1))
    ax.figure.draw_without_rendering()
    height, width = ax.images[0].get_array().shape
    dots = (ax.get_window_extent().width / width, ax.get_window_extent().height / height)
    assert dots[0] == pytest.approx(dots[1])
    assert dots[0] == pytest.approx(round(dots[0]))


def test_few_images_make_a_small_picture():
    ax = draw_tiles(np.zeros((1, 2, 28, 28)), None, 0, 1)
    assert 150 < ax.get_window_extent().height <= 225


@pytest.mark.parametrize(
    ("n", "at_most", "expected"),
    [
        (2, 7, [0, 1]),
        (7, 7, [0, 1, 2, 3, 4, 5, 6]),
        (10, 7, [0, 3, 6, 9]),
        (11, 7, [0, 2, 4, 6, 8, 10]),
        (20, 7, [0, 4, 8, 11, 15, 19]),
        (20, 20, list(range(20))),
    ],
)
def test_labels_stand_at_the_middles_of_their_tiles(n, at_most, expected):
    ax = Figure().subplots()
    label_tiles(ax, "x", [str(i) for i in range(n)], 28, at_most)
    assert [int(label.get_text()) for label in ax.get_xticklabels()] == expected
    np.testing.assert_array_equal(ax.get_xticks(), [i * 29 + 13.5 for i in expected])


def test_images_in_colour_keep_their_colours():
    x = np.random.default_rng(0).random((3, 2, 4, 3))
    np.testing.assert_array_equal(as_images("x", x, None), x)
    np.testing.assert_array_equal(as_images("x", x.reshape(3, -1), (2, 4, 3)), x)
    (picture,) = image_grid(x.reshape(3, -1), (2, 4, 3), n_columns=3).axes[0].images
    drawn = np.asarray(picture.get_array())
    np.testing.assert_allclose(drawn[:, :4, :3], x[0])
    assert (drawn[:, :4, 3] == 1).all()
    assert (drawn[:, 4, 3] == 0).all()
