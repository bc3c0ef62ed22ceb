"""The sparse autoencoder's two penalties, by hand and by SciPy."""

import numpy as np
import pytest
import scipy.special

from npvae.layers import Chain, Sigmoid, mlp
from npvae.models import Autoencoder, SparseAutoencoder
from npvae.models.sparse_autoencoder import rate_divergence

X = np.random.default_rng(0).standard_normal((7, 5))
ENCODER, DECODER = mlp(5, [4], 2, "tanh"), mlp(2, [4], 5, "tanh")


def test_the_first_penalty_is_the_sum_of_the_codes_magnitudes():
    model, plain = SparseAutoencoder(5, 2, ENCODER, DECODER, sparsity=0.3), Autoencoder(5, 2, ENCODER, DECODER)
    theta = model.init(np.random.default_rng(1), np.float64)
    loss, h = model.loss(theta, X), model.encode(theta, X)
    np.testing.assert_allclose(loss.terms["sparsity"], np.abs(h).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(loss.per_datum, plain.loss(theta, X).per_datum + 0.3 * np.abs(h).sum(axis=1), rtol=1e-12)
    assert loss.described()["sparsity"].weight == 0.3


def test_at_zero_the_subgradient_is_zero():
    model, plain = SparseAutoencoder(5, 2, ENCODER, DECODER, sparsity=0.3), Autoencoder(5, 2, ENCODER, DECODER)
    theta = model.init(np.random.default_rng(1), np.float64)
    theta["encoder.2.W"][...] = 0
    np.testing.assert_array_equal(model.loss_and_grad(theta, X)[1].flat, plain.loss_and_grad(theta, X)[1].flat)


def test_the_second_penalty_is_the_divergence_of_the_batchs_rates_from_the_target():
    encoder = Chain(*ENCODER.layers, Sigmoid())
    model = SparseAutoencoder(5, 2, encoder, DECODER, sparsity=0.3, target_rate=0.1)
    theta = model.init(np.random.default_rng(1), np.float64)
    rates = model.encode(theta, X).mean(axis=0)
    expected = (scipy.special.rel_entr(0.1, rates) + scipy.special.rel_entr(0.9, 1 - rates)).sum()
    loss = model.loss(theta, X)
    np.testing.assert_allclose(loss.terms["sparsity"], np.full(7, expected), rtol=1e-4)
    assert loss.described()["sparsity"].label == "KL(0.1 ‖ mean rate)"


def test_the_divergence_is_zero_at_the_target_and_finite_at_the_ends():
    divergence, _ = rate_divergence(np.array([0.0, 0.1, 1.0], np.float32), 0.1)
    assert divergence[1] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(divergence[[0, 2]], [0.1 * np.log(1e5), 0.9 * np.log(9e5)], rtol=0.2)
    assert divergence.dtype == np.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity": -1}, "sparsity must be at least 0, got -1"),
        ({"target_rate": 0.0}, "target_rate must be greater than 0, got 0.0"),
        ({"target_rate": 1.0}, "target_rate must be less than 1, got 1.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        SparseAutoencoder(5, 2, ENCODER, DECODER, **options)
