"""Tied weights: a network put together of an encoder's matrices, and its gradient taken apart."""

import numpy as np
import pytest

from npvae.layers import Chain, Conv2D, Dense, LayerNorm, Sigmoid, Tanh, Tied
from npvae.parameters import Parameters

ENCODER = Chain(Conv2D((4, 4, 1), 2, 4, 2, 1), Tanh(), Dense(8, 3), Sigmoid())


def test_the_mirror_image_has_the_adjoints_in_reverse_and_drops_the_codes_activation():
    names = [type(layer).__name__ for layer in Tied(ENCODER).chain.layers]
    assert names == ["DenseTranspose", "Bias", "Tanh", "ConvTranspose2D", "Bias"]
    assert Tied(ENCODER).shapes == {"1.b": (8,), "4.b": (16,)}
    assert Tied(ENCODER).output_bias == "4.b"


def test_parameters_are_put_together_and_gradients_taken_apart():
    tied, rng = Tied(ENCODER), np.random.default_rng(0)
    encoder = Parameters.from_arrays(ENCODER.init(rng), np.float64)
    biases = Parameters.from_arrays(tied.init(rng), np.float64)
    biases.flat[:] = rng.standard_normal(biases.flat.size)
    whole = tied.parameters(biases, encoder)
    np.testing.assert_array_equal(whole["0.W"], encoder["2.W"])
    np.testing.assert_array_equal(whole["3.W"], encoder["0.W"])
    np.testing.assert_array_equal(whole["4.b"], biases["4.b"])
    assert not np.shares_memory(whole.flat, encoder.flat)

    dencoder, dbiases = encoder.zeros_like(), biases.zeros_like()
    dencoder["2.W"][...] = 1
    tied.untie(whole, dbiases, dencoder)
    np.testing.assert_array_equal(dencoder["2.W"], 1 + encoder["2.W"])
    np.testing.assert_array_equal(dbiases.flat, biases.flat)


def test_an_encoder_that_cannot_be_run_backward_is_refused():
    with pytest.raises(ValueError, match=r"^encoder must have an adjoint for every layer with parameters, got Layer"):
        Tied(Chain(Dense(3, 2), LayerNorm(2)))
    with pytest.raises(ValueError, match=r"^encoder must have a layer with weights to share, got Chain\(Tanh\(\)\)$"):
        Tied(Chain(Tanh()))
