"""The Jacobian of a chain, column by column by the complex step."""

import numpy as np
import pytest

from npvae.layers import Chain, Conv2D, Dense, Identity, ReLU, Sigmoid, Softmax, Tanh, jacobian, mlp
from npvae.layers.jacobian import squared_norm
from npvae.parameters import Parameters

CHAINS = {
    "one layer": (Chain(Dense(5, 3), Sigmoid()), 5),
    "linear": (Chain(Dense(5, 3)), 5),
    "an activation alone": (Chain(Tanh()), 5),
    "deep": (mlp(5, [6, 4], 3, "gelu"), 5),
    "rectified": (Chain(Dense(5, 6), ReLU(), Dense(6, 3), Identity()), 5),
    "convolution": (Chain(Conv2D((4, 4, 2), 3, 3, 1, 1), Tanh(), Dense(48, 3)), 32),
}


@pytest.mark.parametrize("name", CHAINS)
def test_it_is_the_derivative_of_every_output_by_every_input(name):
    chain, n_in = CHAINS[name]
    theta = Parameters.from_arrays(chain.init(np.random.default_rng(0)), np.float64)
    x = np.random.default_rng(1).standard_normal((4, n_in))
    J = jacobian(chain, theta, x)
    for k in range(n_in):
        beside = x.astype(np.complex128)
        beside[:, k] += 1e-30j
        column = chain.forward(theta.astype(np.complex128), beside)[0].imag / 1e-30
        np.testing.assert_allclose(J[:, :, k], column, rtol=0, atol=1e-14)
    y, caches = chain.forward(theta, x)
    np.testing.assert_allclose(squared_norm(chain, theta, caches, y)[0], (J**2).sum(axis=(1, 2)), rtol=1e-12)


def test_a_layer_that_is_neither_affine_nor_elementwise_is_refused():
    with pytest.raises(ValueError, match=r"^encoder must have affine layers and activations only.*, got Softmax\(\)$"):
        jacobian(Chain(Dense(5, 3), Softmax()), Parameters(Dense(5, 3).shapes), np.zeros((1, 5)))
