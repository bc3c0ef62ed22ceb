"""Networks: which layers stand in them, how their weights start, and where their last bias is."""

import re

import numpy as np
import pytest

from npvae.layers import ACTIVATIONS, INITIALIZERS, Dense, LeakyReLU, mlp
from npvae.parameters import Parameters


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


def test_activation_and_initial_weights_may_be_objects():
    network = mlp(2, [3, 3], 1, LeakyReLU(0.2), lambda rng, n_in, n_out: np.full((n_in, n_out), 0.25))
    assert network.layers[1] == network.layers[3] == LeakyReLU(0.2)
    assert (network.init(np.random.default_rng(0))["0.W"] == 0.25).all()


def test_the_output_bias_is_the_last_parameter_and_shifts_the_output():
    network = mlp(2, [3], 4)
    theta = Parameters.from_arrays(network.init(np.random.default_rng(0)), np.float64)
    x = np.random.default_rng(1).standard_normal((5, 2))
    before, _ = network.forward(theta, x)
    assert network.output_bias == list(network.shapes)[-1] == "2.b"
    theta[network.output_bias][:] = [1, 2, 3, 4]
    np.testing.assert_allclose(network.forward(theta, x)[0] - before, np.broadcast_to([1, 2, 3, 4], (5, 4)), rtol=1e-14)


def test_unknown_names_are_refused():
    known = ", ".join(map(repr, ACTIVATIONS))
    message = f"activation must be one of {known}, got 'rleu'; did you mean 'relu'?"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp(2, [3], 1, "rleu")
    message = f"init_weights must be one of {', '.join(map(repr, INITIALIZERS))}, got 'xavier'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp(2, [3], 1, init_weights="xavier")
