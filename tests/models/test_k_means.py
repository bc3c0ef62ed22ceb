"""k-means: where centres begin, where they end, and what becomes of one that loses its rows."""

import numpy as np
import pytest

from npvae.models.k_means import k_means, k_means_plus_plus, nearest

RNG = np.random.default_rng


def test_the_second_centre_is_the_better_of_two_draws_by_squared_distance():
    x = np.array([[0.0], [1.0], [3.0]])
    pairs = np.array([k_means_plus_plus(RNG(seed), x, 2).ravel() for seed in range(3000)])
    after_zero = pairs[pairs[:, 0] == 0, 1]
    assert set(after_zero) == {1.0, 3.0}
    assert np.mean(after_zero == 3) == pytest.approx(1 - 0.1**2, abs=4.5 * np.sqrt(0.0099 / len(after_zero)))
    assert np.bincount(pairs[:, 0].astype(int))[[0, 1, 3]] / 3000 == pytest.approx([1 / 3] * 3, abs=0.04)


def test_centres_are_different_rows():
    x = np.repeat(np.arange(6.0)[:, None], 50, axis=0)
    assert sorted(k_means_plus_plus(RNG(0), x, 6).ravel()) == list(range(6))
    with pytest.raises(ValueError, match="must be at most 6, the number of different rows, got 7"):
        k_means_plus_plus(RNG(0), x, 7)


def test_nearest_is_the_minimum_over_all_distances():
    x, centres = RNG(0).standard_normal((40, 3)) + 1e3, RNG(1).standard_normal((5, 3)) + 1e3
    squared = ((x[:, None] - centres) ** 2).sum(axis=-1)
    index, distance = nearest(x, centres)
    np.testing.assert_array_equal(index, squared.argmin(axis=1))
    np.testing.assert_allclose(distance, squared.min(axis=1), rtol=1e-9)


def test_every_centre_ends_as_the_mean_of_its_rows():
    x = RNG(0).standard_normal((500, 2))
    centres, index = k_means(x, k_means_plus_plus(RNG(1), x, 7), max_iter=200)
    for k in range(7):
        np.testing.assert_allclose(centres[k], x[index == k].mean(axis=0), rtol=1e-10)
    np.testing.assert_array_equal(index, nearest(x, centres)[0])


def test_a_centre_without_rows_moves_to_the_farthest_row():
    x = np.array([[0.0], [0.1], [10.0], [10.2], [15.0]])
    centres, index = k_means(x, np.array([[0.0], [11.0], [1e6]]))
    np.testing.assert_allclose(np.sort(centres.ravel()), [0.05, 10.1, 15.0])
    assert sorted(np.bincount(index)) == [1, 2, 2]


def test_it_agrees_with_scikit_learn():
    cluster = pytest.importorskip("sklearn.cluster")
    x = RNG(0).standard_normal((300, 2))
    start = k_means_plus_plus(RNG(1), x, 5)
    theirs = cluster.KMeans(5, init=start, n_init=1, tol=0, max_iter=300).fit(x)
    centres, index = k_means(x, start, max_iter=300)
    np.testing.assert_allclose(centres, theirs.cluster_centers_, rtol=1e-9)
    np.testing.assert_array_equal(index, theirs.labels_)
