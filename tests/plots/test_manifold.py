import numpy as np
import pytest
from scipy import stats

from npvae import plots
from tests.plots.test_images import drawn, texts, tile_at


class TestGrid:
    def test_sides_are_equidistant_in_probability(self):
        grid = plots.manifold_grid(5, 0.1, 0.8).reshape(5, 5, 2)
        u = stats.norm.cdf(grid)
        np.testing.assert_allclose(u[2, :, 0], [0.1, 0.275, 0.45, 0.625, 0.8], rtol=1e-12)
        np.testing.assert_allclose(u[:, 2, 1], [0.8, 0.625, 0.45, 0.275, 0.1], rtol=1e-12)

    def test_first_row_has_the_highest_z2_and_z1_grows_along_it(self):
        grid = plots.manifold_grid(3)
        z = stats.norm.ppf(0.95)
        expected = [(-z, z), (0, z), (z, z), (-z, 0), (0, 0), (z, 0), (-z, -z), (0, -z), (z, -z)]
        np.testing.assert_allclose(grid, expected, atol=1e-12)

    def test_without_high_the_sides_are_symmetric(self):
        np.testing.assert_allclose(plots.manifold_grid(4, 0.01), -plots.manifold_grid(4, 0.01)[::-1], atol=1e-12)

    @pytest.mark.parametrize(("low", "high"), [(0, 0.5), (0.5, 1), (0.6, 0.4), (0.5, None)])
    def test_probabilities_out_of_order(self, low, high):
        with pytest.raises(ValueError, match="low and high must satisfy 0 < low < high < 1"):
            plots.manifold_grid(3, low, high)

    def test_a_grid_has_two_points_a_side(self):
        with pytest.raises(ValueError, match="n_side must be at least 2, got 1"):
            plots.manifold_grid(1)


class TestManifold:
    def test_images_lie_at_their_latents(self):
        grid = plots.manifold_grid(3)
        images = np.repeat(grid[:, :1] + 10 * grid[:, 1:], 4, axis=1)
        ax = plots.manifold(images, grid).axes[0]
        for i in range(9):
            np.testing.assert_array_equal(tile_at(ax, *divmod(i, 3), 2, 2), images[i].reshape(2, 2))
        assert ax.yaxis_inverted()  # row 0 is on top
        assert drawn(ax)[0, 0] == grid[0, 0] + 10 * grid[0, 1]

    def test_ticks_tell_the_latent_coordinates(self):
        ax = plots.manifold(np.zeros((9, 4)), plots.manifold_grid(3, 0.1, 0.6)).axes[0]
        assert ax.get_xlabel().startswith("z₁")
        assert ax.get_ylabel().startswith("z₂")
        low, middle, high = (f"{z:.2f}".replace("-", "−") for z in stats.norm.ppf([0.1, 0.35, 0.6]))
        assert texts(ax.get_xticklabels()) == [low, middle, high]
        assert texts(ax.get_yticklabels()) == [high, middle, low]

    def test_without_a_grid_it_is_the_one_of_manifold_grid(self):
        for k in (2, 3, 20):
            images = np.zeros((k * k, 4))
            with_grid, without = (plots.manifold(images, *grid).axes[0] for grid in ([plots.manifold_grid(k)], []))
            assert texts(without.get_xticklabels()) == texts(with_grid.get_xticklabels())
            assert texts(without.get_yticklabels()) == texts(with_grid.get_yticklabels())

    def test_zero_has_no_sign(self):
        assert texts(plots.manifold(np.zeros((9, 4))).axes[0].get_xticklabels()) == ["−1.64", "0", "1.64"]

    @pytest.mark.parametrize("n", [1, 5, 12])
    def test_images_must_make_a_square(self, n):
        with pytest.raises(ValueError, match=rf"images must be as many as the points of grid, \d², got {n}"):
            plots.manifold(np.zeros((n, 4)))

    @pytest.mark.parametrize(
        "grid",
        [
            plots.manifold_grid(3) * (-1, 1),
            plots.manifold_grid(3) * (1, -1),
            plots.manifold_grid(3)[:, ::-1],
            plots.manifold_grid(3) + np.eye(9)[:, 4:5] / 10,
            plots.manifold_grid(3)[:8],
            np.random.default_rng(0).random((9, 2)),
        ],
    )
    def test_grids_in_another_order_are_refused(self, grid):
        with pytest.raises(ValueError, match="grid must be a square grid in the order of manifold_grid"):
            plots.manifold(np.zeros((9, 4)), grid)

    def test_a_grid_has_two_columns(self):
        with pytest.raises(ValueError, match=r"grid must have 2 features, got shape \(9, 3\)"):
            plots.manifold(np.zeros((9, 4)), np.zeros((9, 3)))
