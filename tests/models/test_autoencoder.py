"""The autoencoder: its loss by hand and by other models, tied weights, and what it refuses."""

import re

import numpy as np
import pytest

from npvae.distributions import Bernoulli, FixedGaussian, LearnedGaussian
from npvae.layers import Chain, Constants, Dense, Dropout, Sigmoid, Tanh, conv, conv_transpose, mlp
from npvae.models import Autoencoder, SquaredError
from npvae.optimizers import Adam

X = np.random.default_rng(0).standard_normal((7, 5))
NETWORKS = mlp(5, [4], 2, "tanh"), mlp(2, [4], 5, "tanh")


def parameters(model, seed=1):
    theta = model.init(np.random.default_rng(seed), np.float64)
    theta.flat += 0.1 * np.random.default_rng(seed + 1).standard_normal(theta.flat.size)
    return theta


def test_the_loss_is_the_squared_distance_to_the_reconstruction():
    model = Autoencoder(5, 2, *NETWORKS)
    theta = parameters(model)
    h = np.tanh(X @ theta["encoder.0.W"] + theta["encoder.0.b"]) @ theta["encoder.2.W"] + theta["encoder.2.b"]
    xhat = np.tanh(h @ theta["decoder.0.W"] + theta["decoder.0.b"]) @ theta["decoder.2.W"] + theta["decoder.2.b"]
    loss = model.loss(theta, X)
    np.testing.assert_allclose(loss.per_datum, ((X - xhat) ** 2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(model.encode(theta, X), h, rtol=1e-12)
    np.testing.assert_allclose(model.decode(theta, h), xhat, rtol=1e-12)
    assert loss.described()["reconstruction"] == ("‖x − x̂‖²", "squared error", 1.0)


def test_a_likelihood_gives_nats():
    model = Autoencoder(5, 2, *NETWORKS, likelihood=Bernoulli())
    theta, x = parameters(model), (X > 0).astype(np.float64)
    logits = model.decode(theta, model.encode(theta, x))
    p = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(x > 0, p, 1 - p)).sum(axis=1)
    loss = model.loss(theta, x)
    np.testing.assert_allclose(loss.per_datum, expected, rtol=1e-12)
    assert loss.described()["reconstruction"].unit == "nats"


def test_the_squared_error_has_the_gradient_of_a_gaussian_of_variance_one_half():
    squared = Autoencoder(5, 2, *NETWORKS)
    gaussian = Autoencoder(5, 2, *NETWORKS, likelihood=FixedGaussian(np.sqrt(0.5)))
    theta = parameters(squared)
    ours, theirs = (model.loss_and_grad(theta, X)[1].flat for model in (squared, gaussian))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_loss_and_grad_gives_the_loss_of_loss():
    model = Autoencoder(5, 2, *NETWORKS)
    theta = parameters(model)
    np.testing.assert_array_equal(model.loss(theta, X).per_datum, model.loss_and_grad(theta, X)[0].per_datum)


def test_tied_weights_are_the_encoders_transposed():
    encoder = Chain(Dense(5, 4), Tanh(), Dense(4, 2), Sigmoid())
    tied = Autoencoder(5, 2, encoder)
    assert [name for name in tied.shapes if name.startswith("decoder")] == ["decoder.1.b", "decoder.4.b"]
    theta = parameters(tied)
    free = Autoencoder(5, 2, encoder, Chain(Dense(2, 4), Tanh(), Dense(4, 5)))
    same = free.init(np.random.default_rng(0), np.float64)
    for name in theta.section("encoder"):
        same[f"encoder.{name}"][...] = theta[f"encoder.{name}"]
    for mine, theirs, bias in (("0.W", "encoder.2.W", "decoder.1.b"), ("2.W", "encoder.0.W", "decoder.4.b")):
        same[f"decoder.{mine}"][...] = theta[theirs].T
        same[f"decoder.{mine[0]}.b"][...] = theta[bias]
    np.testing.assert_allclose(tied.loss(theta, X).per_datum, free.loss(same, X).per_datum, rtol=1e-12)

    gradient, both = tied.loss_and_grad(theta, X)[1], free.loss_and_grad(same, X)[1]
    np.testing.assert_allclose(gradient["encoder.0.W"], both["encoder.0.W"] + both["decoder.2.W"].T, rtol=1e-12)
    np.testing.assert_allclose(gradient["decoder.1.b"], both["decoder.0.b"], rtol=1e-12)


@pytest.mark.parametrize("tied", [False, True])
def test_the_output_starts_at_the_mean_of_the_data(tied):
    mean = np.linspace(0.1, 0.9, 5)
    model = Autoencoder(5, 2, NETWORKS[0], None if tied else NETWORKS[1], likelihood=SquaredError("sigmoid"))
    theta = model.init(np.random.default_rng(0), np.float64, mean=mean)
    at_zero = model.likelihood.mean(model.decode(theta, np.zeros((1, 2))))  # hidden units and weights add nothing
    np.testing.assert_allclose(at_zero[0], mean, rtol=1e-12)


def test_a_linear_autoencoder_reaches_the_error_and_the_subspace_of_principal_components():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)) * [5, 4, 1, 0.5, 0.3, 0.2] @ np.linalg.qr(rng.standard_normal((6, 6)))[0] + 3
    model = Autoencoder(6, 2, mlp(6, [], 2), mlp(2, [], 6))
    theta, adam = model.init(rng, np.float64, mean=x.mean(axis=0)), Adam(0.01)
    state = adam.init(theta.flat)
    for _ in range(3000):
        adam.step(theta.flat, model.loss_and_grad(theta, x)[1].flat, state)
    centred = x - x.mean(axis=0)
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    assert model.loss(theta, x).value == pytest.approx((s[2:] ** 2).sum() / len(x), rel=1e-3)
    cosines = np.linalg.svd(np.linalg.qr(theta["decoder.0.W"].T)[0].T @ vt[:2].T, compute_uv=False)
    assert np.degrees(np.arccos(np.minimum(cosines, 1))).max() < 1


def test_dropout_acts_in_training_alone():
    encoder = Chain(Dense(5, 4), Dropout(4, 0.5), Dense(4, 2))
    model = Autoencoder(5, 2, encoder, NETWORKS[1])
    theta, noise = parameters(model), model.draw_noise(np.random.default_rng(0), 7, np.float64)
    assert noise["encoder"]["1"].shape == (7, 4)
    assert (model.loss(theta, X, noise).per_datum != model.loss(theta, X).per_datum).any()
    assert Autoencoder(5, 2, *NETWORKS).draw_noise(np.random.default_rng(0), 7) is None


def test_images_go_through_convolutions():
    model = Autoencoder(80, 3, conv((8, 5, 2), [4], 3), conv_transpose(3, (8, 5, 2), [4]))
    assert model.loss(model.init(np.random.default_rng(0)), np.ones((2, 80), np.float32)).per_datum.shape == (2,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Autoencoder(0, 2, *NETWORKS), "n_features must be at least 1, got 0"),
        (lambda: Autoencoder(5, 3, *NETWORKS), "encoder must put out 3 numbers, the code, got 2"),
        (
            lambda: Autoencoder(5, 2, NETWORKS[0], mlp(2, [], 4)),
            "decoder must put out 5 numbers, those of Squared",
        ),
        (
            lambda: Autoencoder(5, 2, *NETWORKS, likelihood=LearnedGaussian(shared=True)),
            "likelihood must have no parameters that all data share, got LearnedGaussian",
        ),
        (
            lambda: Autoencoder(5, 5, Chain(Tanh())),
            "encoder must have a layer with weights to share, got Chain(",
        ),
        (
            lambda: Autoencoder(5, 7, Chain(Dense(5, 4), Constants(4, 3))),
            "encoder must have an adjoint for every layer with parameters, got Constants(n_in=4, n=3)",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make()


def test_rows_of_another_width_are_refused():
    model = Autoencoder(5, 2, *NETWORKS)
    with pytest.raises(ValueError, match=r"^x must have shape \(n, 5\), got \(7, 4\)$"):
        model.loss(parameters(model), X[:, :4])


def test_its_repr_names_the_networks():
    assert repr(Autoencoder(5, 2, *NETWORKS)).startswith("Autoencoder(5, 2, Chain(Dense(n_in=5, n_out=4")
    assert "Tied(Chain(DenseTranspose" in repr(Autoencoder(5, 2, NETWORKS[0]))
