"""The biased two: exact where f is linear in the bits or the temperature goes to zero, else off by what is measured."""

import numpy as np

from npvae.bounds.concrete import relaxed_bits, relaxed_slope
from npvae.bounds.straight_through import straight_through_slope
from npvae.evaluation.enumeration import binary_states, uniform_points
from npvae.numerics import sigmoid
from tests.numerical import complex_step

A, G, H = np.array([0.4, -1.1]), np.array([1.3, -0.7]), 2.0


def f(z):
    """Linear, and a product of the two bits squared, which for bits is their product."""
    return z @ G + H * z[..., 0] ** 2 * z[..., 1] ** 2


def df(z):
    return np.stack([G[0] + 2 * H * z[..., 0] * z[..., 1] ** 2, G[1] + 2 * H * z[..., 1] * z[..., 0] ** 2], axis=-1)


def exact(g=G, h=H):
    p = sigmoid(A)
    return p * (1 - p) * (g + h * p[::-1])


def probabilities(z):
    return np.where(z == 1, sigmoid(A), 1 - sigmoid(A)).prod(axis=-1)


def test_the_exact_gradient_of_the_oracle():
    states = binary_states(2)
    p = lambda a: np.where(states == 1, 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(a))).prod(axis=-1)  # noqa: E731
    np.testing.assert_allclose(complex_step(lambda a: p(a) @ f(states), A), exact(), rtol=1e-13)


def test_straight_through_is_exact_where_f_is_linear_and_biased_where_it_is_not():
    states = binary_states(2)
    mean = probabilities(states) @ (df(states) * straight_through_slope(A))
    linear = G * straight_through_slope(A)
    np.testing.assert_allclose(linear, exact(h=0), rtol=1e-13)
    p = sigmoid(A)
    np.testing.assert_allclose(mean, p * (1 - p) * (G + 2 * H * p.prod()), rtol=1e-13)  # by hand
    assert np.abs(mean - exact()).max() > 0.05


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
