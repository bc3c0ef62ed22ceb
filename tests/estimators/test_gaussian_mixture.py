"""The mixture as an estimator: in the units of the data, from file and back, and from the command line."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import npvae
from npvae import GaussianMixture
from npvae.cli import main

RNG = np.random.default_rng


def blobs(n=300):
    rng = RNG(0)
    return 100 + 20 * rng.integers(0, 3, (n, 1)) + rng.standard_normal((n, 2)) * [1.0, 3.0]


@pytest.mark.parametrize("scale", ["auto", "none"])
def test_scores_are_log_densities_in_the_units_of_the_data(scale):
    X = blobs()
    one = GaussianMixture(1, scale=scale).fit(X)
    expected = multivariate_normal(X.mean(axis=0), np.cov(X.T, ddof=0)).logpdf(X)
    np.testing.assert_allclose(one.score_samples(X), expected, rtol=1e-8)
    assert one.bic(X) == pytest.approx(5 * np.log(300) - 2 * expected.sum())
    assert one.aic(X) == pytest.approx(10 - 2 * expected.sum())


def test_means_and_covariances_are_in_the_units_of_the_data_whatever_the_kind_of_covariance():
    X = blobs()
    for kind, expected in (("full", np.cov(X.T, ddof=0)), ("diagonal", np.diag(X.var(axis=0)))):
        one = GaussianMixture(1, covariance=kind).fit(X)
        np.testing.assert_allclose(one.means_, X.mean(axis=0)[None], rtol=1e-8)
        np.testing.assert_allclose(one.covariances_, expected[None], rtol=1e-6, atol=1e-9)


def test_rows_go_to_their_component_and_samples_look_like_the_data():
    X = blobs()
    mixture = GaussianMixture(3, random_state=0).fit(X)
    labels = mixture.predict(X)
    for centre in (100, 120, 140):
        assert len(set(labels[abs(X[:, 0] - centre) < 6])) == 1
    np.testing.assert_allclose(mixture.predict_proba(X).sum(axis=1), 1)
    new = mixture.sample(2000, random_state=1)
    np.testing.assert_allclose(new.mean(axis=0), X.mean(axis=0), atol=2.5)
    np.testing.assert_array_equal(new, mixture.sample(2000, random_state=1))


def test_it_comes_back_from_a_file(tmp_path):
    X = blobs()
    mixture = GaussianMixture(3, covariance="tied", random_state=0).fit(X)
    mixture.save(tmp_path / "m.npz")
    again = npvae.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(again.score_samples(X), mixture.score_samples(X))
    assert (again.converged_, again.n_iter_, again.emptied_) == (mixture.converged_, mixture.n_iter_, 0)


def test_the_best_of_several_starts_is_kept():
    X = blobs()
    one, many = (GaussianMixture(6, n_init=n, max_iter=3, random_state=0).fit(X) for n in (1, 8))
    assert many.log_likelihood_[-1] >= one.log_likelihood_[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 400}, "n_components must be at most 300, the number of rows, got 400"),
        ({"covariance": "round"}, "covariance must be one of"),
        ({"tolerance": -1.0}, "tolerance must be at least 0, got -1.0"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**options).fit(blobs())


def test_from_the_command_line(tmp_path, capsys):
    data = tmp_path / "x.npy"
    np.save(data, blobs())
    folder = tmp_path / "run"
    words = ["train", str(data), "--model", "gaussian-mixture", "--components", "3", "-o", str(folder)]
    assert main(words) == 0
    assert (folder / "components.png").exists()
    assert "converged after" in capsys.readouterr().out
    assert main(["score", str(folder / "model.npz"), str(data)]) == 0
    assert "negative_log_px" in capsys.readouterr().out
    assert main(["sample", str(folder / "model.npz"), "-n", "5", "-o", str(tmp_path / "new.csv")]) == 0
