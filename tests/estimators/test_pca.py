"""PCA as an estimator: the face of the autoencoders, densities in the units of the data."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import npvae
from npvae import PCA, datasets
from npvae.cli import main

X = datasets.digits(400, seed=0).x


def test_reconstructions_are_the_projections_on_the_components():
    pca = PCA(8).fit(X)
    y = X - X.mean(axis=0, dtype=np.float64)
    _, singular, vectors = np.linalg.svd(y, full_matrices=False)
    np.testing.assert_allclose(pca.reconstruct(X), y @ vectors[:8].T @ vectors[:8] + X.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(pca.reconstruction_error(X).mean(), (singular[8:] ** 2).sum() / 400, rtol=1e-5)
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(X)), pca.reconstruct(X), atol=1e-12)
    np.testing.assert_allclose(pca.explained_variance_ratio_, (singular[:8] ** 2) / (singular**2).sum(), rtol=1e-6)


@pytest.mark.parametrize("scale", ["auto", "none"])
def test_scores_are_log_densities_in_the_units_of_the_data(scale):
    rng = np.random.default_rng(0)
    data = 50 + 9 * rng.standard_normal((200, 3)) @ rng.standard_normal((3, 3))
    pca = PCA(3, scale=scale).fit(data)
    expected = multivariate_normal(data.mean(axis=0), np.cov(data.T, ddof=0)).logpdf(data)
    np.testing.assert_allclose(pca.score_samples(data), expected, rtol=1e-8)


def test_it_samples_interpolates_traverses_and_comes_back_from_a_file(tmp_path):
    pca = PCA(4, random_state=0).fit(X)
    samples = pca.sample(500, random_state=0)
    np.testing.assert_allclose(pca.transform(samples).var(axis=0), pca.theta_["variances"], rtol=0.4)
    assert pca.interpolate(X[0], X[1], 5).shape == (5, 784)
    assert pca.traverse(X[:2], 0, steps=5).shape == (2, 5, 784)
    pca.save(tmp_path / "pca.npz")
    np.testing.assert_array_equal(npvae.load(tmp_path / "pca.npz").transform(X), pca.transform(X))


def test_from_the_command_line(tmp_path, capsys):
    folder = tmp_path / "run"
    words = ["train", "--limit", "200", "--model", "pca", "--latent", "8", "-o", str(folder), "--no-pictures"]
    assert main(words) == 0
    assert "8 components hold" in capsys.readouterr().out
    model = str(folder / "model.npz")
    assert main(["info", model]) == 0
    assert main(["reconstruct", model, "digits", "--rows", "0:3", "-o", str(tmp_path / "r.npy")]) == 0
    assert main(["score", model, "digits", "--rows", "0:20"]) == 0


@pytest.mark.parametrize("chunks", [[30, 30, 30], [50, 1, 39], [20, 70]])
def test_chunks_give_what_all_rows_give(chunks):
    x = np.random.default_rng(5).normal(size=(90, 6)) * [5, 4, 3, 2, 1, 0.5] + 10
    whole, parts = PCA(3, scale="none").fit(x), PCA(3, scale="none")
    start = 0
    for n in chunks:
        parts.partial_fit(x[start : start + n])
        start += n
    for name in whole.theta_:
        np.testing.assert_allclose(parts.theta_[name], whole.theta_[name], rtol=1e-10, atol=1e-12, err_msg=name)


def test_a_model_from_a_file_has_no_rows_to_add_to(tmp_path):
    x = np.random.default_rng(6).normal(size=(20, 4))
    pca = PCA(2).fit(x)
    pca.save(tmp_path / "m.npz")
    with pytest.raises(TypeError, match="a model that was fitted here, got one from a file"):
        npvae.load(tmp_path / "m.npz").partial_fit(x)
    with pytest.raises(ValueError, match="X has 3 features, but PCA is expecting 4"):
        pca.partial_fit(x[:, :3])
