"""Latents of rows and rows of latents: to and fro, samples, interpolations, attribute vectors."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from npvae import VAE
from npvae.evaluation import interpolate

RNG = np.random.default_rng(0)
BINARY = (RNG.random((60, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(np.float64)
BINARY[:, 4] = BINARY[:, 0]  # something for the latent to explain
GREY = RNG.random((60, 5))


@pytest.fixture(scope="module")
def vae():
    return VAE(1, 4, "tanh", epochs=60, batch_size=20, learning_rate=0.02, dtype="float64", random_state=0).fit(BINARY)


@pytest.fixture(scope="module")
def gaussian():
    return VAE(
        1, 4, "tanh", "gaussian", epochs=20, learning_rate=0.02, dtype="float64", random_state=0, scale="none"
    ).fit(3 * GREY)


def networks(vae):
    """Encoder and decoder, written out."""
    theta = vae.theta_

    def mlp(part, x):
        h = np.tanh(x @ theta[f"{part}.0.W"] + theta[f"{part}.0.b"])
        return h @ theta[f"{part}.2.W"] + theta[f"{part}.2.b"]

    return (lambda x: mlp("encoder", x)), (lambda z: mlp("decoder", z))


def test_posterior_and_transform(vae):
    encoder, _ = networks(vae)
    mu, log_var = vae.encode(BINARY)
    np.testing.assert_allclose(np.hstack([mu, log_var]), encoder(BINARY), rtol=1e-12)
    np.testing.assert_array_equal(vae.transform(BINARY), mu)


def test_inverse_transform_is_the_mean_of_the_likelihood(vae, gaussian):
    z = np.linspace(-3, 3, 7)[:, None]
    _, decoder = networks(vae)
    np.testing.assert_allclose(vae.inverse_transform(z), scipy.special.expit(decoder(z)), rtol=1e-9)
    _, decoder = networks(gaussian)
    np.testing.assert_allclose(gaussian.inverse_transform(z), decoder(z), rtol=1e-12)


def test_reconstruct_is_there_and_back(vae):
    np.testing.assert_array_equal(vae.reconstruct(BINARY), vae.inverse_transform(vae.transform(BINARY)))


def test_fit_transform(vae):
    again = VAE(**vae.get_params())
    np.testing.assert_array_equal(again.fit_transform(BINARY), vae.transform(BINARY))


def test_more_rows_than_go_at_once(vae):
    many = np.tile(BINARY, (40, 1))
    assert len(many) > 2000
    np.testing.assert_allclose(vae.transform(many), np.tile(vae.transform(BINARY), (40, 1)), rtol=1e-12)
    np.testing.assert_allclose(vae.reconstruct(many), np.tile(vae.reconstruct(BINARY), (40, 1)), rtol=1e-12)


def test_samples_are_decoded_draws_from_the_prior(vae):
    images = vae.sample(3000, random_state=1)
    assert images.shape == (3000, 5)
    assert (images >= 0).all()
    assert (images <= 1).all()
    _, decoder = networks(vae)
    z, weights = np.polynomial.hermite_e.hermegauss(60)
    expected = weights @ scipy.special.expit(decoder(z[:, None])) / weights.sum()
    np.testing.assert_allclose(images.mean(axis=0), expected, atol=5 * images.std() / np.sqrt(3000))


def test_samples_and_their_seed(vae):
    np.testing.assert_array_equal(vae.sample(4, random_state=3), vae.sample(4, random_state=3))
    assert not np.array_equal(vae.sample(4, random_state=3), vae.sample(4, random_state=4))
    assert not np.array_equal(vae.sample(4), vae.sample(4))
    rng = np.random.default_rng(0)
    assert not np.array_equal(vae.sample(4, rng), vae.sample(4, rng))
    assert vae.sample().shape == (1, 5)


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_interpolation_goes_through_the_posterior_means(vae, method):
    images = vae.interpolate(BINARY[0], BINARY[1], 5, method)
    z = vae.transform(BINARY[:2])
    np.testing.assert_allclose(images, vae.inverse_transform(interpolate(z[0], z[1], 5, method)), rtol=1e-12)
    np.testing.assert_allclose(images[[0, -1]], vae.reconstruct(BINARY[:2]), rtol=1e-12)


def test_an_interpolation_of_float64_rows_keeps_their_digits(vae):
    grey = RNG.random((2, 5))
    np.testing.assert_array_equal(vae.interpolate(grey[0], grey[1])[[0, -1]], vae.reconstruct(grey))


def test_the_ends_of_an_interpolation_are_checked_by_name(vae):
    with pytest.raises(ValueError, match=r"x_from has . features, but .* is expecting 5"):
        vae.interpolate(BINARY[0, :4], BINARY[1])
    with pytest.raises(ValueError, match=r"x_to has . features, but .* is expecting 5"):
        vae.interpolate(BINARY[0], BINARY[1, :4])


def test_interpolation_takes_pictures():
    x = RNG.random((10, 2, 3))
    vae = VAE(2, 4, epochs=1, random_state=0).fit(x)
    np.testing.assert_array_equal(vae.interpolate(x[0], x[1]), vae.interpolate(x[0].ravel(), x[1].ravel()))
    np.testing.assert_array_equal(vae.interpolate(x[:1], x[1:2]), vae.interpolate(x[0], x[1]))


@pytest.fixture(scope="module")
def full():
    settings = {"epochs": 30, "learning_rate": 0.02, "posterior": "full", "dtype": "float64", "random_state": 0}
    return VAE(3, 4, "tanh", "gaussian", scale="none", **settings).fit(3 * GREY)


def test_a_full_posterior_is_its_mean_and_the_factor_of_its_covariance(full):
    mu, factor = full.encode(3 * GREY)
    assert factor.shape == (60, 3, 3)
    np.testing.assert_array_equal(full.transform(3 * GREY), mu)
    np.testing.assert_array_equal(factor[:, [0, 0, 1], [1, 2, 2]], 0)
    a = full.model_.encode(full.theta_, 3 * GREY)
    eps = RNG.standard_normal((60, 3))
    z, _ = full.model_.posterior.sample(a, eps)
    np.testing.assert_allclose(mu + np.einsum("nij,nj->ni", factor, eps), z, rtol=1e-12)
    density = [scipy.stats.multivariate_normal.logpdf(z[i], mu[i], factor[i] @ factor[i].T) for i in range(5)]
    np.testing.assert_allclose(full.model_.posterior.log_prob(a, z)[0][:5], density, rtol=1e-9)


def test_attribute_vector_points_from_those_without_to_those_with(vae):
    mask = BINARY[:, 0] == 1
    z = vae.transform(BINARY)
    expected = z[mask].sum(axis=0) / mask.sum() - z[~mask].sum(axis=0) / (~mask).sum()
    np.testing.assert_allclose(vae.attribute_vector(BINARY, mask), expected, rtol=1e-12)
    np.testing.assert_allclose(vae.attribute_vector(BINARY, ~mask), -expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (np.ones(60, bool), "rows with the attribute and rows without it, got True for all"),
        (np.zeros(60, bool), "got False for all"),
        (np.ones(60), r"mask must have shape \(60,\) of bool, .* got shape \(60,\) of float64"),
        (np.ones(59, bool), r"got shape \(59,\) of bool"),
    ],
)
def test_attributes_that_cannot_be(vae, mask, text):
    with pytest.raises(ValueError, match=text):
        vae.attribute_vector(BINARY, mask)
