"""The belief network as an estimator, by mean field and with an encoder."""

import numpy as np
import pytest

import npvae
from npvae import SigmoidBeliefNetwork, datasets

GREY = datasets.digits(40, seed=0)
X = (GREY.x > 0.5).astype(np.float32)


def fitted(**options):
    options = {"latent_dims": (5, 3), "sweeps": 2, "epochs": 2, "batch_size": 20, "random_state": 0, **options}
    return SigmoidBeliefNetwork(**options).fit(X)


@pytest.mark.parametrize("inference", ["mean-field", "amortised"])
def test_it_learns_and_a_saved_model_comes_back_as_it_was(inference, tmp_path):
    net = fitted(inference=inference, epochs=30 if inference == "amortised" else 6, learning_rate=0.02)
    assert net.history_["loss"][-1] < net.history_["loss"][0] - 2
    net.save(tmp_path / "net.npz")
    again = npvae.load(tmp_path / "net.npz")
    assert type(again) is SigmoidBeliefNetwork
    np.testing.assert_array_equal(again.transform(X), net.transform(X))
    np.testing.assert_array_equal(again.sample(3, random_state=1), net.sample(3, random_state=1))
    assert again.score(X) == net.score(X)
    assert net.transform(X).shape == (40, 5)
    assert net.reconstruct(X).shape == net.sample(40).shape == X.shape


def test_by_mean_field_nothing_is_drawn_so_a_score_has_no_noise():
    net = fitted()
    np.testing.assert_array_equal(net.score_samples(X, random_state=1), net.score_samples(X, random_state=2))
    assert net.log_likelihood(X, k=20).log_px.shape == (40,)


def test_by_mean_field_a_row_has_one_e_step_however_many_draws_are_asked_for(monkeypatch):
    net, rows = fitted(), []
    of_one = net.score_samples(X)
    posterior = type(net.model_).posterior
    monkeypatch.setattr(
        type(net.model_), "posterior", lambda self, *of: rows.append(len(of[1])) or posterior(self, *of)
    )
    np.testing.assert_array_equal(net.score_samples(X, n_samples=2500), of_one)
    assert rows == [40]


@pytest.mark.parametrize("inference", ["mean-field", "amortised"])
def test_a_broken_model_is_refused_in_words_instead_of_scored_as_nan(inference):
    net = fitted(inference=inference)
    net.theta_["prior.b" if inference == "mean-field" else "decoder.prior.b"][0] = np.nan
    for score in (net.score_samples, net.score):
        with pytest.raises(ValueError, match="X must have a finite ELBO under this model, which row 0 has not"):
            score(X)


def test_more_sweeps_never_score_lower():
    net = fitted()
    before = net.score_samples(X)
    q = net.model_.e_step(net.theta_, X, net.model_.posterior(net.theta_, X))
    assert (-net.model_.bound(net.theta_, X, q).per_datum >= before - 1e-3).all()


def test_grey_pixels_are_refused():
    with pytest.raises(ValueError, match="X must be 0 or 1"):
        SigmoidBeliefNetwork().fit(GREY.x)


def test_a_likelihood_that_is_not_finite_is_refused_whatever_the_posterior_is_made_of():
    x = (np.random.default_rng(0).random((40, 5)) < 0.5).astype(np.float32)
    net = SigmoidBeliefNetwork(4, sweeps=2, epochs=1, random_state=0).fit(x)
    net.theta_["0.b"][...] = -3e38
    with pytest.raises(ValueError, match=r"have a finite log-likelihood .* row 0 has not: the posterior means for it"):
        net.log_likelihood(np.ones((3, 5)), k=3)
