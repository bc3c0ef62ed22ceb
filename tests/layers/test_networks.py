"""Networks: which layers stand in them, how their weights start, and where their last bias is."""

import re

import numpy as np
import pytest

from npvae.layers import ACTIVATIONS, INITIALIZERS, Conv2D, ConvTranspose2D, Dense, LeakyReLU, conv, conv_transpose, mlp
from npvae.parameters import Parameters


def parameters(network):
    return Parameters.from_arrays(network.init(np.random.default_rng(0)), np.float64)


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
    theta = parameters(network)
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


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 20, 1), (27, 19, 3), (32, 32, 3), (4, 5, 2)])
def test_a_convolutional_encoder_and_its_mirror_image_take_images_of_any_size(shape):
    n = int(np.prod(shape))
    encoder, decoder = conv(shape, [4, 6], 3, [7], "tanh"), conv_transpose(3, shape, [4, 6], None, [7], "tanh")
    z, _ = encoder.forward(parameters(encoder), np.ones((2, n)))
    x, _ = decoder.forward(parameters(decoder), z)
    assert (z.shape, x.shape) == ((2, 3), (2, n))
    names = [type(layer).__name__ for layer in encoder.layers]
    assert names == ["Conv2D", "Tanh", "Conv2D", "Tanh", "Dense", "Tanh", "Dense"]
    names = [type(layer).__name__ for layer in decoder.layers]
    assert names == ["Dense", "Tanh", "Dense", "Tanh", "ConvTranspose2D", "Tanh", "ConvTranspose2D", "Bias"]


def test_the_mirror_image_goes_through_the_encoders_shapes_in_reverse():
    encoder, decoder = conv((28, 20, 1), [32, 64], 3), conv_transpose(3, (28, 20, 1), [32, 64])
    there = [(layer.image_shape, layer.output_shape) for layer in encoder.layers if isinstance(layer, Conv2D)]
    back = [(layer.output_shape, layer.image_shape) for layer in decoder.layers if isinstance(layer, ConvTranspose2D)]
    assert there == back[::-1] == [((28, 20, 1), (14, 10, 32)), ((14, 10, 32), (7, 5, 64))]


def test_the_output_bias_of_the_mirror_image_has_a_number_for_every_feature():
    decoder = conv_transpose(3, (4, 5, 2), [4], 120)
    theta = parameters(decoder)
    z = np.random.default_rng(1).standard_normal((2, 3))
    before, _ = decoder.forward(theta, z)
    assert decoder.output_bias == list(decoder.shapes)[-1]
    theta[decoder.output_bias][:] += np.arange(120)
    np.testing.assert_allclose(decoder.forward(theta, z)[0] - before, np.tile(np.arange(120), (2, 1)), atol=1e-12)


def test_several_numbers_a_pixel_lie_one_image_after_the_other():
    decoder = conv_transpose(3, (4, 4, 1), [2], 48)
    permute = decoder.layers[-2]
    planes, _ = permute.forward(Parameters({}), np.tile([[0.0, 1.0, 2.0]], (1, 16)))
    np.testing.assert_array_equal(planes, np.repeat([[0, 1, 2]], 16, axis=1))


def test_images_too_small_for_the_channels_are_refused_with_the_depth_that_fits():
    with pytest.raises(ValueError, match=r"^channels must have at most 4 entries for images of 28 × 20, got \[1"):
        conv((28, 20, 1), [1, 1, 1, 1, 1], 3)
    with pytest.raises(ValueError, match=r"^channels must name at least one convolution, got none$"):
        conv_transpose(3, (28, 20, 1), [])
    with pytest.raises(ValueError, match=r"^n_out must be a multiple of 560, an image \(28, 20, 1\), got 784$"):
        conv_transpose(3, (28, 20, 1), [4], 784)
