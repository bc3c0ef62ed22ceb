"""The multilayer perceptron: which layers stand in it, and how their weights start."""

import re

import numpy as np
import pytest

from npvae.layers import ACTIVATIONS, Dense, mlp


def layout(chain):
    return [(layer.n_in, layer.n_out) if isinstance(layer, Dense) else type(layer).__name__ for layer in chain.layers]


def test_an_activation_follows_each_layer_but_the_last():
    assert layout(mlp(7, [5, 4], 3, "tanh")) == [(7, 5), "Tanh", (5, 4), "Tanh", (4, 3)]


def test_without_hidden_layers_it_is_a_linear_map():
    assert layout(mlp(7, [], 3, "relu")) == [(7, 3)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_reached_by_its_name(activation):
    assert type(mlp(2, [3], 1, activation).layers[1]) is ACTIVATIONS[activation]


@pytest.mark.parametrize(
    ("activation", "init", "hidden_variance", "output_variance"),
    [
        ("relu", "standard", 1 / 600, 1 / 900),
        ("relu", "glorot", 2 / 500, 2 / 400),
        ("tanh", "he", 2 / 200, 2 / 300),
        ("relu", "normal", 0.01, 0.01),
    ],
)
def test_weights_start_with_the_variance_that_was_asked_for(activation, init, hidden_variance, output_variance):
    start = mlp(200, [300], 100, activation, init).init(np.random.default_rng(0))
    assert start["0.W"].var() == pytest.approx(hidden_variance, rel=0.05)
    assert start["2.W"].var() == pytest.approx(output_variance, rel=0.05)
    assert not start["0.b"].any()
    assert not start["2.b"].any()


def test_unknown_names_are_refused():
    known = "'identity', 'relu', 'sigmoid', 'softplus', 'tanh'"
    message = f"activation must be one of {known}, got 'rleu'; did you mean 'relu'?"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp(2, [3], 1, "rleu")
    message = "init_weights must be one of 'standard', 'glorot', 'he', 'normal', got 'xavier'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp(2, [3], 1, init_weights="xavier")
