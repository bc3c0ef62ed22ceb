"""Straight through: exact where f is linear in the bits, else off by what is measured."""

import numpy as np

from npvae.bounds.straight_through import straight_through_slope
from npvae.evaluation.enumeration import binary_states
from npvae.numerics import sigmoid
from tests.bounds.two_bits import A, G, H, df, exact, f, probabilities
from tests.numerical import complex_step


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
