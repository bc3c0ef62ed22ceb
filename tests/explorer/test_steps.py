"""Layers as steps: chains flattened, what is refused, and the numbers of every step in a headless Chromium."""

import pytest

from npvae.distributions import DiagonalGaussian
from npvae.explorer import describe
from npvae.layers import (
    ACTIVATIONS,
    Bias,
    Chain,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    LayerNorm,
    LeakyReLU,
    MaxPool,
    MeanPool,
    Permute,
    Residual,
    Softmax,
    Tanh,
    UpSample,
    conv,
    conv_transpose,
)
from tests.explorer.pages import of_networks, opened, random_model, require_same_numbers


def test_chains_are_flattened_and_keep_the_names_of_their_parameters():
    steps = describe(Chain(Chain(Dense(2, 3), Tanh()), Dense(3, 1)), "decoder")
    assert [step["kind"] for step in steps] == ["dense", "tanh", "dense"]
    assert steps[2]["arrays"] == {"W": "decoder.1.W", "b": "decoder.1.b"}


class Cube(Tanh):
    pass


def test_a_layer_that_pages_cannot_compute_is_refused():
    with pytest.raises(ValueError, match=r"model must have layers that a page can compute, of .*Dense.*, got Cube"):
        describe(Chain(Dense(2, 3), Cube()), "decoder")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_numpys(chromium, tmp_path, activation):
    model, theta = random_model(activation=activation)
    require_same_numbers(opened(chromium, tmp_path, model, theta), model, theta)


def test_convolutional_models_are_numpys(chromium, tmp_path):
    encoder, decoder = conv((9, 6, 1), [3, 4], 4, hidden=[5]), conv_transpose(2, (9, 6, 1), [3, 4], hidden=[5])
    model, theta = of_networks(54, 2, encoder, decoder)
    require_same_numbers(opened(chromium, tmp_path, model, theta, image_shape=(9, 6)), model, theta)


def test_convolutions_of_two_numbers_a_pixel_in_colour_are_numpys(chromium, tmp_path):
    encoder = conv((5, 6, 3), [4], 4, activation="elu")
    decoder = conv_transpose(2, (5, 6, 3), [4], n_out=180, activation="gelu")
    model, theta = of_networks(90, 2, encoder, decoder, likelihood=DiagonalGaussian())
    require_same_numbers(opened(chromium, tmp_path, model, theta, image_shape=(5, 6, 3)), model, theta)


def test_pooling_normalisation_and_the_other_layers_are_numpys(chromium, tmp_path):
    image = (4, 6, 2)
    encoder = Chain(
        Permute((2, 4, 6), (1, 2, 0)),
        MaxPool(image),
        Residual(Chain(Dense(12, 12), LeakyReLU(0.2))),
        LayerNorm(12),
        Dropout(12, 0.3),
        Dense(12, 4),
        Bias(4),
    )
    decoder = Chain(
        Dense(2, 48), Softmax(), MeanPool(image), UpSample((2, 3, 2)), ConvTranspose2D(image, 2, kernel=3, padding=1),
        Conv2D(image, 2, kernel=(3, 1), padding=(1, 0)), Bias(48),
    )  # fmt: skip
    model, theta = of_networks(48, 2, encoder, decoder)
    require_same_numbers(opened(chromium, tmp_path, model, theta), model, theta)
