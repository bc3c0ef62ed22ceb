"""Corruptions by hand, and how often they do what they say."""

import numpy as np
import pytest
import scipy.stats

from npvae.models import CORRUPTIONS, GaussianNoise, SaltAndPepper, ZeroOut

X = np.array([[0.2, 0.4, 0.6, 0.8]])


def test_four_numbers_by_hand():
    noise = np.array([[0.1, 0.24, 0.26, 0.5]])
    np.testing.assert_array_equal(ZeroOut(0.25).apply(X, noise), [[0, 0, 0.6, 0.8]])
    np.testing.assert_array_equal(SaltAndPepper(0.3).apply(X, noise), [[0, 1, 1, 0.8]])
    np.testing.assert_array_equal(SaltAndPepper(0.3, -1, 2).apply(X, noise), [[-1, 2, 2, 0.8]])
    np.testing.assert_allclose(GaussianNoise(2).apply(X, noise), [[0.4, 0.88, 1.12, 1.8]], rtol=1e-14)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_as_many_numbers_are_corrupted_as_was_asked_for(level):
    x = np.full((100, 100), 0.5, np.float32)
    for corruption in (ZeroOut(level), SaltAndPepper(level)):
        corrupted = corruption.apply(x, corruption.draw_noise(np.random.default_rng(0), x.shape, np.float32))
        assert scipy.stats.binomtest(int((corrupted != 0.5).sum()), x.size, level).pvalue > 0.01
        assert corrupted.dtype == np.float32
    changed = corrupted[corrupted != 0.5]
    assert scipy.stats.binomtest(int((changed == 1).sum()), len(changed), 0.5).pvalue > 0.01


def test_gaussian_noise_has_the_standard_deviation_that_was_asked_for():
    corruption = GaussianNoise(4.0)
    noise = corruption.draw_noise(np.random.default_rng(0), (10_000,), np.float64)
    assert scipy.stats.kstest(corruption.apply(np.zeros(10_000), noise), scipy.stats.norm(0, 4).cdf).pvalue > 0.01


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_x_is_left_as_it_was_and_level_zero_changes_nothing(name):
    corruption, kept = CORRUPTIONS[name](0.0), X.copy()
    np.testing.assert_array_equal(corruption.apply(X, np.full_like(X, 0.5)), X)
    strong = CORRUPTIONS[name](0.9).apply(X, np.full_like(X, 0.5))
    np.testing.assert_array_equal(X, kept)
    assert (strong != X).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ZeroOut(1.0), "level must be less than 1, got 1.0"),
        (lambda: SaltAndPepper(1.0), "level must be less than 1, got 1.0"),
        (lambda: ZeroOut(-0.1), "level must be at least 0, got -0.1"),
        (lambda: GaussianNoise(-1), "level must be at least 0, got -1"),
        (lambda: GaussianNoise(np.nan), "level must be finite, got nan"),
        (lambda: SaltAndPepper(0.5, np.inf), "low must be finite, got inf"),
    ],
)
def test_a_level_that_leaves_nothing_or_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()
