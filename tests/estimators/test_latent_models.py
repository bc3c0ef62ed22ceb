"""Sampling from a density that was fitted to latents: mixture, factored and full Gaussian."""

import numpy as np
import pytest

import npvae
from npvae import PCA, VAE, GaussianMixture, datasets

X = datasets.digits(400, seed=0).x


def test_samples_come_from_the_fitted_density():
    pca = PCA(2).fit(X)
    before = pca.sample(5, random_state=0)
    pca.fit_latent_model(X, GaussianMixture(8, random_state=0))
    z = pca.transform(pca.sample(3000, random_state=1))
    assert z.shape == (3000, 2)
    np.testing.assert_allclose(z.mean(axis=0), pca.transform(X).mean(axis=0), atol=0.2)
    scores = pca.latent_model_.score_samples(z)
    assert scores.mean() == pytest.approx(pca.latent_model_.score_samples(pca.transform(X)).mean(), abs=0.2)
    np.testing.assert_array_equal(pca.sample(5, random_state=0, latent_model="prior"), before)


def test_a_model_of_latents_may_be_given_with_the_call():
    vae = VAE(2, 16, epochs=2, random_state=0).fit(X)
    z = vae.transform(X)
    factored, full = (GaussianMixture(1, covariance=kind).fit(z) for kind in ("diagonal", "full"))
    for latent_model in (factored, full):
        assert vae.sample(4, random_state=0, latent_model=latent_model).shape == (4, 784)
    assert not hasattr(vae, "latent_model_")


@pytest.mark.parametrize("make", [lambda: VAE(2, 16, epochs=1, random_state=0), lambda: PCA(2)])
def test_it_is_saved_with_the_model(make, tmp_path):
    model = make().fit(X).fit_latent_model(X, GaussianMixture(3, random_state=0))
    model.save(tmp_path / "m.npz")
    again = npvae.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(again.sample(7, random_state=0), model.sample(7, random_state=0))
    assert again.latent_model_.get_params() == model.latent_model_.get_params()


def test_a_new_fit_forgets_it():
    model = PCA(2).fit(X).fit_latent_model(X, GaussianMixture(2, random_state=0))
    assert not hasattr(model.fit(X), "latent_model_")


def test_what_cannot_be_is_refused():
    pca = PCA(2).fit(X)
    with pytest.raises(ValueError, match=r"latent_model must be fitted, got .*; call fit_latent_model"):
        pca.sample(3, latent_model=GaussianMixture(3))
    with pytest.raises(TypeError, match="latent_model must be an estimator of npvae with sample"):
        pca.sample(3, latent_model=7)
    with pytest.raises(ValueError, match="latent_model must be one of 'prior', got 'posterior'"):
        pca.sample(3, latent_model="posterior")
    with pytest.raises(ValueError, match="latent_model must have 2 features, got 3"):
        pca.sample(3, latent_model=GaussianMixture(1).fit(X[:, 300:303]))


def test_a_file_whose_model_of_latents_does_not_fit_is_refused(tmp_path):
    pca = PCA(2).fit(X).fit_latent_model(X, GaussianMixture(2, random_state=0))
    pca.latent_model_ = GaussianMixture(1).fit(X[:, 300:303])
    pca.save(tmp_path / "m.npz")
    with pytest.raises(npvae.storage.StorageError, match="latent_model should have 2 features"):
        npvae.load(tmp_path / "m.npz")
