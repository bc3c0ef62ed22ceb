"""The autoencoders as estimators: what they share with the VAE, what is their own, and what they refuse."""

import numpy as np
import pytest

import npvae
from npvae import Autoencoder, ContractiveAutoencoder, DenoisingAutoencoder, SparseAutoencoder
from npvae.layers import LeakyReLU
from npvae.models import GaussianNoise, SquaredError

X = np.random.default_rng(0).random((60, 24)).astype(np.float32)
SMALL = {"latent_dim": 3, "hidden": 8, "epochs": 2, "batch_size": 16, "random_state": 0}
KINDS = [Autoencoder, SparseAutoencoder, DenoisingAutoencoder, ContractiveAutoencoder]
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_it_trains_transforms_reconstructs_samples_scores_and_comes_back_from_a_file(kind, tmp_path):
    model = kind(**SMALL).fit(X)
    assert model.transform(X).shape == (60, 3)
    assert model.reconstruct(X).shape == model.inverse_transform(model.transform(X)).shape == X.shape
    assert model.sample(5, 0).shape == (5, 24)
    assert model.history_["loss"][1] < model.history_["loss"][0]

    model.save(tmp_path / "m.npz")
    back = npvae.load(tmp_path / "m.npz")
    assert type(back) is kind
    for method in ("transform", "reconstruct", "score_samples"):
        np.testing.assert_array_equal(getattr(back, method)(X), getattr(model, method)(X))
    np.testing.assert_array_equal(back.sample(5, 0), model.sample(5, 0))


@every_kind
@pytest.mark.parametrize("shape", [(6, 4), (4, 2, 3)])
def test_convolutions_take_the_shape_of_the_data_and_remember_it(kind, shape, tmp_path):
    model = kind(**SMALL, network="conv", channels=(2, 3)[: 4 - len(shape)]).fit(X.reshape(60, *shape))
    assert model.model_.encoder.layers[0].image_shape == (*shape, 1)[:3]
    model.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(npvae.load(tmp_path / "m.npz").reconstruct(X), model.reconstruct(X))


def test_the_vae_takes_convolutions_too():
    model = npvae.VAE(**SMALL, network="conv", channels=2).fit(X.reshape(60, 6, 4))
    assert model.sample(2, 0).shape == (2, 24)


def test_flat_rows_are_images_of_the_shape_that_is_given():
    model = Autoencoder(**SMALL, network="conv", channels=2, image_shape=(4, 2, 3)).fit(X)
    assert model.model_.encoder.layers[0].image_shape == (4, 2, 3)


@pytest.mark.parametrize("shape", [None, (5, 5), (4, 3, 3)])
def test_a_shape_that_the_rows_have_not_is_refused(shape):
    message = r"^image_shape must be \(height, width, channels\) of a row of 24 features with network='conv'"
    with pytest.raises(ValueError, match=message):
        Autoencoder(**SMALL, network="conv", channels=2, image_shape=shape).fit(X)


@every_kind
def test_a_score_is_minus_the_squared_error_in_the_units_of_the_data(kind):
    data = 40 + 1000 * X * np.arange(1, 25)  # the columns are standardised
    model = kind(**SMALL).fit(data)
    expected = ((data - model.reconstruct(data)) ** 2).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(data), -expected, rtol=1e-3)
    np.testing.assert_allclose(model.reconstruction_error(data), expected, rtol=1e-3)


def test_samples_have_the_mean_and_the_covariance_of_the_codes():
    model = Autoencoder(**SMALL).fit(X)
    codes = model.transform(X).astype(np.float64)
    drawn = model._draw_latents(np.random.default_rng(0), 40_000)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=5 * codes.std() / 200)
    covariance = np.cov(codes.T, bias=True)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.05 * np.diag(covariance).max())


def test_a_likelihood_in_the_place_of_the_squared_error():
    model = Autoencoder(**SMALL, likelihood="bernoulli").fit(X)
    assert model.model_.likelihood.n_params(3) == 3
    terms = model.loss(X)
    assert terms.described()["reconstruction"].label == "cross-entropy of grey pixels, not a likelihood"
    given = Autoencoder(**SMALL, likelihood=SquaredError("sigmoid"), activation=LeakyReLU(0.2)).fit(X)
    assert ((given.reconstruct(X) > 0) & (given.reconstruct(X) < 1)).all()


def test_tied_weights_are_stored_once():
    tied, free = Autoencoder(**SMALL, tied=True).fit(X), Autoencoder(**SMALL).fit(X)
    assert tied.theta_.flat.size < 0.6 * free.theta_.flat.size


def test_denoising_restores_what_it_corrupts():
    model = DenoisingAutoencoder(**SMALL, corruption="gaussian", noise_level=2.0).fit(X)
    noisy = model.corrupt(X, random_state=1)
    assert (noisy - X).std() == pytest.approx(2, rel=0.1)
    np.testing.assert_array_equal(noisy, model.corrupt(X, random_state=1))
    assert ((model.denoise(noisy) - X) ** 2).mean() < 0.1 * ((noisy - X) ** 2).mean()


def test_a_corruption_may_be_an_object(tmp_path):
    model = DenoisingAutoencoder(**SMALL, corruption=GaussianNoise(1.5)).fit(X)
    model.save(tmp_path / "m.npz")
    assert npvae.load(tmp_path / "m.npz").model_.corruption == GaussianNoise(1.5)


def test_the_spectrum_of_the_jacobian_is_that_of_its_singular_values():
    model = ContractiveAutoencoder(**SMALL, contraction=1.0).fit(X)
    J, spectrum = model.jacobian(X), model.jacobian_spectrum(X)
    assert (J.shape, spectrum.shape) == ((60, 3, 24), (60, 3))
    np.testing.assert_allclose((spectrum**2).sum(axis=1), (J**2).sum(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DenoisingAutoencoder(**SMALL, noise_level=1.0), "noise_level must be less than 1 with corruption"),
        (lambda: DenoisingAutoencoder(**SMALL, corruption="blur"), "corruption must be one of 'zeros', "),
        (
            lambda: SparseAutoencoder(**SMALL, target_rate=0.1, code_activation="relu"),
            "target_rate must be None with code_activation='relu'",
        ),
        (lambda: SparseAutoencoder(**SMALL, target_rate=1.0), "target_rate must be less than 1, got 1.0"),
        (lambda: Autoencoder(**SMALL, network="cnn"), "network must be one of 'mlp', 'conv', got 'cnn'"),
        (lambda: Autoencoder(**SMALL, likelihood="gaussian-pixel", tied=True), "tied must be False with likelihood="),
    ],
)
def test_options_that_do_not_go_together_are_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make().fit(X)


def test_data_out_of_reach_are_refused():
    with pytest.raises(ValueError, match=r"^X must lie in \[0, 1\] under mean_link='sigmoid', got values from"):
        Autoencoder(**SMALL, mean_link="sigmoid", scale="none").fit(X - 0.5)
