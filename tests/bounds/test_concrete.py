"""Relaxed bits: exact where the temperature goes to zero, else off by what is measured."""

import numpy as np

from npvae.bounds.concrete import relaxed_bits, relaxed_slope
from npvae.evaluation.enumeration import uniform_points
from npvae.numerics import sigmoid
from tests.bounds.two_bits import A, df, exact


def mean_of_concrete(temperature, nodes=400):
    u, weights = uniform_points([sigmoid(A)[:1], sigmoid(A)[1:]], nodes // 2)
    z = relaxed_bits(A, u, temperature)
    return weights @ (df(z) * relaxed_slope(z, temperature))


def test_the_bias_of_concrete_shrinks_with_the_temperature():
    bias = [np.abs(mean_of_concrete(temperature) - exact()).max() for temperature in (1.0, 0.5, 0.2)]
    assert bias[0] > 2 * bias[1] > 4 * bias[2] > 0
    assert bias[0] > 0.02


def test_relaxed_bits_become_the_bits_of_the_same_noise():
    a, u = np.random.default_rng(0).standard_normal((5, 4)), np.random.default_rng(1).random((5, 4))
    np.testing.assert_allclose(relaxed_bits(a, u, 1e-4), u < sigmoid(a), atol=1e-12)


def test_noise_at_the_ends_gives_finite_bits_and_slopes():
    for dtype in (np.float32, np.float64):
        z = relaxed_bits(np.zeros(2, dtype), np.array([0, 1 - np.finfo(dtype).epsneg], dtype), 0.5)
        assert z.dtype == dtype
        np.testing.assert_allclose(z, [1, 0], atol=1e-6)
        assert np.isfinite(relaxed_slope(z, 0.5)).all()
