"""Each activation against its formula, where SciPy or the hand can say it."""

import numpy as np
import pytest
import scipy.special

from npvae.layers import ACTIVATIONS, ReLU
from npvae.parameters import Parameters

NONE = Parameters({})
X = np.concatenate([np.linspace(-20, 20, 81), [-1e3, 1e3, -1e-300, 1e-300]]).reshape(5, 17)
FORMULAS = {
    "identity": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (scipy.special.expit, lambda x: scipy.special.expit(x) * scipy.special.expit(-x)),
    "softplus": (lambda x: np.logaddexp(0, x), scipy.special.expit),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(np.clip(x, -300, 300)) ** 2),
}


def test_every_activation_has_a_formula_here():
    assert FORMULAS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_value_and_derivative_are_the_formulas(name):
    value, derivative = FORMULAS[name]
    layer = ACTIVATIONS[name]()
    y, cache = layer.forward(NONE, X)
    np.testing.assert_allclose(y, value(X), rtol=1e-14, atol=1e-15)
    dx = layer.backward(NONE, cache, np.ones_like(X), NONE)
    np.testing.assert_allclose(dx, derivative(X), rtol=1e-13, atol=1e-15)


def test_relu_chooses_the_derivative_zero_at_zero():
    x = np.array([[-0.0, 0.0, -2.0, 2.0, 5e-324]])
    y, cache = ReLU().forward(NONE, x)
    np.testing.assert_array_equal(y, [[0, 0, 0, 2, 5e-324]])
    np.testing.assert_array_equal(ReLU().backward(NONE, cache, np.full((1, 5), 7.0), NONE), [[0, 0, 0, 7, 7]])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_there_is_nothing_to_learn(name):
    layer = ACTIVATIONS[name]()
    assert dict(layer.shapes) == {}
    assert layer.init(np.random.default_rng(0)) == {}
