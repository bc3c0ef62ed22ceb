"""The denoising autoencoder: it sees the corrupted rows and is held against the clean ones."""

import numpy as np

from npvae.layers import mlp
from npvae.models import Autoencoder, DenoisingAutoencoder, GaussianNoise, ZeroOut

X = np.random.default_rng(0).standard_normal((7, 5))
NETWORKS = mlp(5, [4], 2, "tanh"), mlp(2, [4], 5, "tanh")


def test_the_loss_holds_the_reconstruction_of_the_corrupted_against_the_clean():
    model = DenoisingAutoencoder(5, 2, *NETWORKS, corruption=GaussianNoise(2.0))
    theta = model.init(np.random.default_rng(1), np.float64)
    noise = model.draw_noise(np.random.default_rng(2), 7, np.float64)
    assert noise["corruption"].shape == X.shape
    restored = model.denoise(theta, X + 2 * noise["corruption"])
    np.testing.assert_allclose(model.loss(theta, X, noise).per_datum, ((X - restored) ** 2).sum(axis=1), rtol=1e-12)


def test_without_noise_it_is_an_autoencoder():
    model, plain = DenoisingAutoencoder(5, 2, *NETWORKS), Autoencoder(5, 2, *NETWORKS)
    assert model.corruption == ZeroOut(0.5)
    theta = model.init(np.random.default_rng(1), np.float64)
    np.testing.assert_array_equal(model.loss(theta, X).per_datum, plain.loss(theta, X).per_datum)


def test_the_noise_is_new_at_each_draw_and_the_same_for_the_same_seed():
    model = DenoisingAutoencoder(5, 2, *NETWORKS)
    rng = np.random.default_rng(3)
    first, second = (model.draw_noise(rng, 7)["corruption"] for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(first, model.draw_noise(np.random.default_rng(3), 7)["corruption"])
