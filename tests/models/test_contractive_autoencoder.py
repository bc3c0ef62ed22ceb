"""The contractive autoencoder's penalty, by the closed form of one layer and by the Jacobian of several."""

import numpy as np
import pytest

from npvae.layers import Chain, Dense, LayerNorm, Sigmoid, jacobian, mlp
from npvae.models import Autoencoder, ContractiveAutoencoder
from npvae.optimizers import Adam

X = np.random.default_rng(0).standard_normal((7, 5))
DEEP, DECODER = Chain(*mlp(5, [6, 4], 3, "tanh").layers, Sigmoid()), mlp(3, [], 5)


def test_one_layer_has_the_closed_form_of_the_paper():
    model = ContractiveAutoencoder(5, 8, Chain(Dense(5, 8), Sigmoid()), mlp(8, [], 5), contraction=0.3)
    theta = model.init(np.random.default_rng(1), np.float64)
    h, W = model.encode(theta, X), theta["encoder.0.W"]
    expected = ((h * (1 - h)) ** 2 * (W**2).sum(axis=0)).sum(axis=1)
    loss = model.loss(theta, X)
    np.testing.assert_allclose(loss.terms["contraction"], expected, rtol=1e-12)
    assert loss.described()["contraction"].weight == 0.3

    # d/da_j of h'_j² ‖W_j‖² is 2 h'_j² (1 − 2 h_j) ‖W_j‖²; a_j is b_j and more.
    by_bias = 2 * (h * (1 - h)) ** 2 * (1 - 2 * h) * (W**2).sum(axis=0)
    plain = Autoencoder(5, 8, model.encoder, model.decoder)
    difference = model.loss_and_grad(theta, X)[1]["encoder.0.b"] - plain.loss_and_grad(theta, X)[1]["encoder.0.b"]
    np.testing.assert_allclose(difference, 0.3 * by_bias.mean(axis=0), rtol=1e-10)


def test_several_layers_have_the_squared_norm_of_the_jacobian():
    model = ContractiveAutoencoder(5, 3, DEEP, DECODER)
    theta = model.init(np.random.default_rng(1), np.float64)
    J = jacobian(DEEP, theta.section("encoder"), X)
    np.testing.assert_allclose(model.loss(theta, X).terms["contraction"], (J**2).sum(axis=(1, 2)), rtol=1e-12)


def test_contraction_makes_the_jacobian_smaller():
    norms = []
    for contraction in (0.0, 3.0):
        model = ContractiveAutoencoder(5, 3, DEEP, DECODER, contraction=contraction)
        theta, adam = model.init(np.random.default_rng(1), np.float64), Adam(0.01)
        state = adam.init(theta.flat)
        for _ in range(200):
            adam.step(theta.flat, model.loss_and_grad(theta, X)[1].flat, state)
        norms.append(model.loss(theta, X).terms["contraction"].mean())
    assert norms[1] < 0.2 * norms[0]


def test_a_layer_without_a_known_jacobian_is_refused():
    encoder = Chain(Dense(5, 3), LayerNorm(3), Dense(3, 3))
    message = r"^encoder must have affine layers and activations only, so that its Jacobian is known, got LayerNorm"
    with pytest.raises(ValueError, match=message):
        ContractiveAutoencoder(5, 3, encoder, DECODER)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"^contraction must be at least 0, got -1$"):
        ContractiveAutoencoder(5, 3, DEEP, DECODER, contraction=-1)
