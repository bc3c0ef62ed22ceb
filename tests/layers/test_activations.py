"""Each activation against its formula, where SciPy or the hand can say it, and the registry against the protocol."""

import numpy as np
import pytest
import scipy.special

from npvae.layers import (
    ACTIVATIONS,
    ELU,
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
    activation_layer,
    register_activation,
)
from npvae.layers.activations import Identity
from npvae.layers.rectifiers import SiLU
from npvae.parameters import Parameters
from tests.numerical import assert_gradient

NONE = Parameters({})
X = np.concatenate([np.linspace(-20, 20, 81), [-1e3, 1e3, -1e-300, 1e-300]]).reshape(5, 17)
expit = scipy.special.expit
FORMULAS = [
    (Identity(), lambda x: x, np.ones_like),
    (ReLU(), lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1.0, 0.0)),
    (LeakyReLU(0.2), lambda x: np.where(x > 0, x, x / 5), lambda x: np.where(x > 0, 1, 0.2)),
    (LeakyReLU(), lambda x: np.where(x > 0, x, x / 100), lambda x: np.where(x > 0, 1, 0.01)),
    (ELU(0.5), lambda x: scipy.special.boxcox(np.exp(np.minimum(x, 0)), 1) / 2 + np.maximum(x, 0), None),
    (ELU(), lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
    (SiLU(), lambda x: x * expit(x), lambda x: expit(x) + x * expit(x) * expit(-x)),
    (Sigmoid(), expit, lambda x: expit(x) * expit(-x)),
    (Softplus(), lambda x: np.logaddexp(0, x), expit),
    (Tanh(), np.tanh, lambda x: 1 / np.cosh(np.clip(x, -300, 300)) ** 2),
]
every_name = pytest.mark.parametrize("name", ACTIVATIONS)


@pytest.mark.parametrize(
    ("layer", "value", "derivative"), FORMULAS, ids=lambda thing: getattr(thing, "__name__", repr(thing))
)
def test_value_and_derivative_are_the_formulas(layer, value, derivative):
    y, cache = layer.forward(NONE, X)
    np.testing.assert_allclose(y, value(X), rtol=1e-14, atol=1e-15)
    if derivative is not None:
        dx = layer.backward(NONE, cache, np.ones_like(X), NONE)
        np.testing.assert_allclose(dx, derivative(X), rtol=1e-13, atol=1e-15)


def test_gelu_is_within_five_ten_thousandths_of_x_times_the_gaussian_distribution_function():
    y, _ = GELU().forward(NONE, X)
    np.testing.assert_allclose(y, X * scipy.special.ndtr(X), rtol=0, atol=5e-4)


@pytest.mark.parametrize(("layer", "below"), [(ReLU(), 0.0), (LeakyReLU(0.2), 1.4)], ids=repr)
def test_at_the_kink_the_derivative_is_the_one_from_below(layer, below):
    x = np.array([[-0.0, 0.0, 2.0, 5e-324]])
    y, cache = layer.forward(NONE, x)
    np.testing.assert_array_equal(y, x)
    dx = layer.backward(NONE, cache, np.full((1, 4), 7.0), NONE)
    np.testing.assert_allclose(dx, [[below, below, 7, 7]], rtol=1e-15)


@every_name
def test_there_is_nothing_to_learn(name):
    layer = ACTIVATIONS[name]()
    assert dict(layer.shapes) == {}
    assert layer.init(np.random.default_rng(0)) == {}


@every_name
def test_the_slope_is_differentiated_by_slope_backward(name):
    layer = ACTIVATIONS[name]()
    x, u = np.random.default_rng(3).standard_normal((2, 4, 3))

    def weighted_slope(x):
        _, cache = layer.forward(NONE, x)
        return (layer.backward(NONE, cache, np.ones_like(x), NONE) * u).sum()

    assert_gradient(weighted_slope, x, layer.slope_backward(layer.forward(NONE, x)[1], u))


@every_name
def test_large_numbers_stay_finite_in_float32(name):
    layer = ACTIVATIONS[name]()
    x = np.array([[-1e4, -100, 100, 1e4]], np.float32)
    y, cache = layer.forward(NONE, x)
    for result in (y, layer.backward(NONE, cache, np.ones_like(x), NONE), layer.slope_backward(cache, np.ones_like(x))):
        assert np.isfinite(result).all()
        assert result.dtype == np.float32


@every_name
def test_two_with_the_same_options_are_equal(name):
    assert ACTIVATIONS[name]() == ACTIVATIONS[name]()
    assert hash(ACTIVATIONS[name]()) == hash(ACTIVATIONS[name]())
    assert LeakyReLU(0.2) != LeakyReLU(0.3) != Tanh()


def test_an_activation_is_found_by_name_or_given_as_an_object():
    assert activation_layer("leaky-relu") == LeakyReLU(0.01)
    given = LeakyReLU(0.2)
    assert activation_layer(given) is given


@pytest.mark.parametrize("bad", ["rleu", 3, None, ReLU, ["relu"]])
def test_what_is_neither_is_refused(bad):
    with pytest.raises(ValueError, match=r"^activation must be one of .*'relu'.*, got "):
        activation_layer(bad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeakyReLU(1.0), "slope must be less than 1, got 1.0"),
        (lambda: LeakyReLU(-0.1), "slope must be at least 0, got -0.1"),
        (lambda: LeakyReLU("0.2"), "slope must be a number, got '0.2'"),
        (lambda: ELU(0), "alpha must be greater than 0, got 0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}$"):
        make()


def test_a_new_activation_is_a_class_and_a_registration(monkeypatch):
    monkeypatch.setattr("npvae.layers.activation.ACTIVATIONS", registry := dict(ACTIVATIONS))

    @register_activation("twice")
    class Twice(Identity):
        pass

    assert registry["twice"] is Twice
    assert activation_layer("twice") == Twice()
    with pytest.raises(ValueError, match=r"^name must be new, got 'twice', which is Twice$"):
        register_activation("twice")(Twice)
