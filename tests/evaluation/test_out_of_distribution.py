"""Scores of strangeness by hand."""

import numpy as np
import pytest
import scipy.stats

from npvae.evaluation import auroc, typicality


def test_typicality_is_two_sided():
    np.testing.assert_array_equal(typicality([-100.0, -90.0, -85.0], [-95.0, -85.0]), [10, 0, 5])


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        ([1, 2], [3, 4], 1),
        ([3, 4], [1, 2], 0),
        ([1, 3], [2, 4], 0.75),
        ([1, 2, 2], [2], 2 / 3),  # one below, two ties
        ([5, 5], [5], 0.5),
        ([-np.inf, 0], [np.inf], 1),
    ],
)
def test_auroc_by_hand(inside, outside, expected):
    assert auroc(inside, outside) == pytest.approx(expected, rel=1e-15)


def test_auroc_is_the_mann_whitney_statistic():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(0, 50, 300), rng.integers(10, 60, 200)
    expected = scipy.stats.mannwhitneyu(outside, inside).statistic / (300 * 200)
    assert auroc(inside, outside) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("bad", [[], [[1.0]], [np.nan], 3.0])
def test_scores_that_are_none(bad):
    with pytest.raises(ValueError, match="inside must be a vector of numbers"):
        auroc(bad, [1.0])
    with pytest.raises(ValueError, match="outside must be a vector of numbers"):
        auroc([1.0], bad)
    with pytest.raises(ValueError, match="log_px_train must be"):
        typicality([1.0], bad)
