"""The smaller layers, each against SciPy, PyTorch or the hand."""

import numpy as np
import pytest
import scipy.special

from npvae.layers import Bias, Chain, Dense, LayerNorm, Permute, Reshape, Residual, Softmax, Tanh
from npvae.parameters import Parameters

NONE = Parameters({})
X = np.random.default_rng(0).standard_normal((4, 6))


def test_softmax_is_scipys():
    np.testing.assert_allclose(Softmax().forward(NONE, 10 * X)[0], scipy.special.softmax(10 * X, axis=1), rtol=1e-13)


def test_softmax_of_large_numbers_is_finite():
    np.testing.assert_array_equal(Softmax().forward(NONE, np.array([[1e4, 0.0, -1e4]]))[0], [[1, 0, 0]])


def test_layer_norm_brings_each_row_to_mean_zero_and_variance_one():
    theta = Parameters.from_arrays(LayerNorm(6).init(np.random.default_rng(0)), np.float64)
    y, _ = LayerNorm(6).forward(theta, 5 + 1000 * X)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-9)
    np.testing.assert_array_equal(LayerNorm(6).forward(theta, np.full((1, 6), 7.0))[0], np.zeros((1, 6)))


def test_layer_norm_is_pytorchs():
    torch = pytest.importorskip("torch")
    theta = Parameters.from_arrays({"g": np.linspace(1, 2, 6), "b": np.linspace(-1, 1, 6)}, np.float64)
    x, g, b = map(torch.from_numpy, (X, theta["g"], theta["b"]))
    expected = torch.nn.functional.layer_norm(x, (6,), g, b)
    np.testing.assert_allclose(LayerNorm(6).forward(theta, X)[0], expected.numpy(), rtol=1e-12)


def test_a_bias_by_hand():
    theta = Parameters.from_arrays({"b": [10, 20]}, np.float64)
    y, cache = Bias(2).forward(theta, np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(y, [[11, 22], [13, 24]])
    grads = theta.zeros_like()
    Bias(2).backward(theta, cache, y, grads)
    np.testing.assert_array_equal(grads["b"], [24, 46])


def test_a_residual_block_adds_what_it_computes():
    block = Chain(Dense(6, 3), Tanh(), Dense(3, 6))
    theta = Parameters.from_arrays(block.init(np.random.default_rng(1)), np.float64)
    assert Residual(block).shapes == block.shapes
    np.testing.assert_allclose(Residual(block).forward(theta, X)[0], X + block.forward(theta, X)[0], rtol=1e-14)


def test_a_block_that_changes_the_shape_is_refused():
    block = Dense(6, 3)
    with pytest.raises(ValueError, match=r"^block must keep the shape of x \(4, 6\), got \(4, 3\)$"):
        Residual(block).forward(Parameters(block.shapes, np.float64), X)


def test_reshape_gives_images_to_a_layer_that_takes_them():
    y, cache = Reshape((2, 3, 1)).forward(NONE, X)
    assert y.shape == (4, 2, 3, 1)
    assert Reshape((2, 3, 1)).backward(NONE, cache, y, NONE).shape == (4, 6)


def test_permute_brings_channels_to_the_end():
    first = np.arange(12).reshape(1, 3, 2, 2)
    y, _ = Permute((3, 2, 2), (1, 2, 0)).forward(NONE, first.reshape(1, -1))
    np.testing.assert_array_equal(y.reshape(1, 2, 2, 3), first.transpose(0, 2, 3, 1))
    with pytest.raises(ValueError, match=r"^axes must be an order of 0 to 2, got \(0, 1, 1\)$"):
        Permute((3, 2, 2), (0, 1, 1))
