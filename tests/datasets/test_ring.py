import numpy as np
import pytest
from scipy import stats

from npvae.datasets import ring


def test_points_are_the_map_of_their_latents():
    data = ring(100, np.random.default_rng(0))
    for x, z1, z2 in zip(data.x, data.factors["z1"], data.factors["z2"], strict=True):
        length = np.hypot(z1, z2)
        np.testing.assert_allclose(x, [z1 / 10 + z1 / length, z2 / 10 + z2 / length], rtol=1e-6)
    assert data.x.dtype == np.float32


def test_radius_and_angle_have_the_distribution_of_the_map():
    x = ring(20_000, np.random.default_rng(1)).x.astype(float)
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    assert stats.kstest((radius - 1) * 10, stats.rayleigh.cdf).pvalue > 0.01
    assert stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01
    assert radius.mean() == pytest.approx(1.125, abs=0.002)


def test_latents_are_standard_normal():
    factors = ring(20_000, np.random.default_rng(2)).factors
    for z in factors.values():
        assert stats.kstest(z, stats.norm.cdf).pvalue > 0.01


def test_number_of_points_is_checked():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        ring(0, np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"n must be an integer, got 2\.0"):
        ring(2.0, np.random.default_rng(0))
