import gzip

import numpy as np
import pytest

from npvae import plots

RNG = np.random.default_rng(0)


def drawn(ax):
    """The drawn array, NaN where nothing is."""
    (image,) = ax.images
    return np.ma.filled(image.get_array(), np.nan)


def tile_at(ax, row, column, h, w):
    return drawn(ax)[row * (h + 1) :, column * (w + 1) :][:h, :w]


def texts(labels):
    return [label.get_text() for label in labels]


class TestImageGrid:
    def test_images_lie_row_by_row(self):
        images = RNG.random((7, 6))
        ax = plots.image_grid(images, (2, 3), n_columns=4).axes[0]
        for i, image in enumerate(images):
            np.testing.assert_array_equal(tile_at(ax, *divmod(i, 4), 2, 3), image.reshape(2, 3))
        assert drawn(ax).shape == (2 * 3 - 1, 4 * 4 - 1)
        assert np.isnan(tile_at(ax, 1, 3, 2, 3)).all()

    @pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (7, 3, 3), (12, 3, 4), (64, 8, 8)])
    def test_rows_and_columns_are_about_as_many(self, n, rows, columns):
        ax = plots.image_grid(np.zeros((n, 4))).axes[0]
        assert drawn(ax).shape == (rows * 3 - 1, columns * 3 - 1)

    def test_more_columns_than_images_leave_no_blank(self):
        assert drawn(plots.image_grid(np.zeros((3, 4)), n_columns=10).axes[0]).shape == (2, 8)

    def test_title_stands_within_the_figure(self):
        ax = plots.image_grid(np.zeros((1, 784)), title="samples").axes[0]
        assert ax.get_title() == "samples"
        ax.figure.draw_without_rendering()
        assert ax.title.get_window_extent().y1 <= ax.figure.bbox.y1

    def test_columns_must_be_positive(self):
        with pytest.raises(ValueError, match="n_columns must be at least 1, got 0"):
            plots.image_grid(np.zeros((3, 4)), n_columns=0)

    def test_real_digits(self, data_dir):
        with gzip.open(data_dir / "t10k-images-idx3-ubyte.gz") as file:
            digits = np.frombuffer(file.read(16 + 64 * 784), np.uint8, offset=16).reshape(64, 28, 28) / 255
        ax = plots.image_grid(digits).axes[0]
        np.testing.assert_array_equal(tile_at(ax, 7, 2, 28, 28), digits[58])


class TestReconstructions:
    def test_each_image_stands_above_its_own(self):
        x, x_hat = RNG.random((3, 4)), RNG.random((3, 4))
        ax = plots.reconstructions(x, x_hat).axes[0]
        for i in range(3):
            np.testing.assert_array_equal(tile_at(ax, 0, i, 2, 2), x[i].reshape(2, 2))
            np.testing.assert_array_equal(tile_at(ax, 1, i, 2, 2), x_hat[i].reshape(2, 2))
        assert texts(ax.get_yticklabels()) == ["$x$", r"$\hat{x}$"]
        np.testing.assert_array_equal(ax.get_yticks(), [0.5, 3.5])

    def test_many_pairs_take_several_rows(self):
        x = RNG.random((14, 4))
        ax = plots.reconstructions(x, 1 - x).axes[0]
        assert drawn(ax).shape == (4 * 3 - 1, 7 * 3 - 1)
        np.testing.assert_array_equal(tile_at(ax, 2, 3, 2, 2), x[10].reshape(2, 2))
        np.testing.assert_array_equal(tile_at(ax, 3, 3, 2, 2), 1 - x[10].reshape(2, 2))
        assert texts(ax.get_yticklabels()) == ["$x$", r"$\hat{x}$"] * 2

    def test_every_row_is_labelled_however_many(self):
        assert len(plots.reconstructions(np.zeros((50, 4)), np.zeros((50, 4))).axes[0].get_yticks()) == 10

    def test_images_may_stand_above_rows(self):
        x = RNG.random((3, 2, 2))
        ax = plots.reconstructions(x, 1 - x.reshape(3, 4)).axes[0]
        np.testing.assert_array_equal(tile_at(ax, 1, 2, 2, 2), 1 - x[2])

    def test_shapes_must_agree(self):
        with pytest.raises(ValueError, match=r"x_hat must have the shape of x, \(3, 4\), got \(2, 4\)"):
            plots.reconstructions(np.zeros((3, 4)), np.zeros((2, 4)))


class TestCompletions:
    def test_the_unseen_is_blank_above_its_two_fillings(self):
        x, mean, draw = RNG.random((3, 13, 4))
        seen = RNG.random((13, 4)) < 0.5
        ax = plots.completions(x, seen, mean, draw).axes[0]
        for i, (row, column) in {0: (0, 0), 6: (0, 6), 8: (3, 1)}.items():
            blank = np.where(seen[i], x[i], np.nan).reshape(2, 2)
            for below, image in enumerate((blank, mean[i].reshape(2, 2), draw[i].reshape(2, 2))):
                np.testing.assert_array_equal(tile_at(ax, row + below, column, 2, 2), image)
        assert texts(ax.get_yticklabels()) == ["seen", "mean", "draw"] * 2

    def test_what_is_not_seen_may_be_nan(self):
        seen = RNG.random((3, 2, 2)) < 0.5
        x = np.where(seen, 0.25, np.nan)
        ax = plots.completions(x, seen, np.ones((3, 4)), np.zeros((3, 4))).axes[0]
        for i in range(3):
            np.testing.assert_array_equal(tile_at(ax, 0, i, 2, 2), x[i])
            np.testing.assert_array_equal(tile_at(ax, 1, i, 2, 2), np.ones((2, 2)))

    @pytest.mark.parametrize("name", ["seen", "mean", "draw"])
    def test_shapes_must_agree(self, name):
        arrays = {"seen": np.ones((3, 4), bool), "mean": np.zeros((3, 4)), "draw": np.zeros((3, 4))}
        arrays[name] = arrays[name][:2]
        with pytest.raises(ValueError, match=rf"{name} must have the shape of (x|seen), \(3, 4\), got \(2, 4\)"):
            plots.completions(np.zeros((3, 4)), **arrays)


class TestInterpolations:
    def test_rows_run_from_t_0_to_t_1(self):
        images = RNG.random((2, 5, 6))
        ax = plots.interpolations(images, (3, 2)).axes[0]
        for row in range(2):
            for step in range(5):
                np.testing.assert_array_equal(tile_at(ax, row, step, 3, 2), images[row, step].reshape(3, 2))
        assert ax.get_xlabel() == "t"
        assert texts(ax.get_xticklabels()) == ["0", "0.25", "0.5", "0.75", "1"]
        np.testing.assert_array_equal(ax.get_xticks(), [0.5, 3.5, 6.5, 9.5, 12.5])
        assert len(ax.get_yticks()) == 0

    def test_the_data_stand_at_both_ends(self):
        images, ends = RNG.random((2, 4, 6)), RNG.random((2, 2, 6))
        ax = plots.interpolations(images, (3, 2), ends=ends).axes[0]
        assert texts(ax.get_xticklabels()) == ["from", "0", "0.33", "0.67", "1", "to"]
        np.testing.assert_array_equal(tile_at(ax, 1, 0, 3, 2), ends[1, 0].reshape(3, 2))
        np.testing.assert_array_equal(tile_at(ax, 1, 5, 3, 2), ends[1, 1].reshape(3, 2))
        np.testing.assert_array_equal(tile_at(ax, 0, 1, 3, 2), images[0, 0].reshape(3, 2))
        with pytest.raises(ValueError, match="ends must be two images a row of images"):
            plots.interpolations(images, (3, 2), ends=ends[:1])

    @pytest.mark.parametrize(("steps", "labelled"), [(8, 8), (10, 10), (13, 13), (15, 8), (20, 2), (21, 11)])
    def test_labels_stand_at_equal_steps(self, steps, labelled):
        ax = plots.interpolations(np.zeros((1, steps, 4))).axes[0]
        there = [i for i, text in enumerate(texts(ax.get_xticklabels())) if text]
        assert len(there) == labelled
        assert len(set(np.diff(there))) == 1
        assert there[-1] == steps - 1

    def test_images_with_height_and_width(self):
        images = RNG.random((1, 2, 3, 2))
        np.testing.assert_array_equal(tile_at(plots.interpolations(images).axes[0], 0, 1, 3, 2), images[0, 1])

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((3, 4), r"images must have shape \(rows, steps, d\) or \(rows, steps, h, w\), got shape \(3, 4\)"),
            ((3, 1, 4), r"images must have at least 2 steps a row, got shape \(3, 1, 4\)"),
        ],
    )
    def test_shapes_that_are_no_rows_of_steps(self, shape, message):
        with pytest.raises(ValueError, match=message):
            plots.interpolations(np.zeros(shape))
