"""The binary VAE as an estimator: fit, resume, save, load, sample, score, and what it refuses."""

import numpy as np
import pytest

import npvae
from npvae import BinaryVAE, datasets, plots
from npvae.training import load_checkpoint, save_checkpoint

GREY = datasets.digits(80, seed=0)
X = (GREY.x > 0.5).astype(np.float32)


def fitted(**options):
    options = {"latent_dims": (8, 4), "epochs": 2, "batch_size": 20, "random_state": 0, **options}
    return BinaryVAE(**options).fit(X)


@pytest.mark.parametrize(
    "options",
    [{}, {"gradient": "vimco", "n_samples": 3}, {"gradient": "wake-sleep", "prior": "learned"}, {"hidden": 5}],
)
def test_a_saved_model_comes_back_as_it_was(options, tmp_path):
    vae = fitted(**options)
    vae.save(tmp_path / "model.npz")
    again = npvae.load(tmp_path / "model.npz")
    assert type(again) is BinaryVAE
    np.testing.assert_array_equal(again.transform(X), vae.transform(X))
    np.testing.assert_array_equal(again.sample(3, random_state=1), vae.sample(3, random_state=1))
    assert again.score(X) == vae.score(X)


def test_a_run_that_goes_on_from_its_checkpoint_is_the_same_to_the_bit(tmp_path):
    whole, half = fitted(epochs=4), fitted(epochs=2)
    save_checkpoint(tmp_path / "run.npz", half.run_)
    on = BinaryVAE(latent_dims=(8, 4), epochs=4, batch_size=20, random_state=0)
    on.fit(X, resume_from=load_checkpoint(tmp_path / "run.npz"))
    np.testing.assert_array_equal(on.theta_.flat, whole.theta_.flat)
    assert set(on.run_.state) == {"mean", "variance"}


def test_latents_are_posterior_means_of_the_first_layer_and_rows_come_back_as_means():
    vae = fitted()
    z = vae.transform(X)
    assert z.shape == (80, 8)
    assert 0 < z.min() < z.max() < 1
    for rows in (vae.reconstruct(X), vae.sample(80, random_state=0), vae.inverse_transform(z)):
        assert rows.shape == X.shape
        assert 0 <= rows.min() < rows.max() <= 1
    moved = vae.traverse(X[:2], 3, steps=3)
    held = z[:2].copy()
    held[:, 3] = 1
    np.testing.assert_allclose(moved[:, -1], vae.inverse_transform(held), rtol=1e-5)


def test_scores_are_the_bound_and_many_draws_come_nearer_to_the_likelihood():
    vae = fitted()
    scores = vae.score_samples(X, n_samples=50)
    np.testing.assert_allclose(scores[5], vae.score_samples(X[5:6], n_samples=50)[0], rtol=1e-5)
    assert vae.log_likelihood(X, k=50).log_px.mean() > scores.mean()


def test_a_chunk_more_keeps_the_centre_of_the_first():
    vae = BinaryVAE(latent_dims=4, random_state=0).partial_fit(X[:40])
    centre = vae.model_.centre
    np.testing.assert_allclose(centre, X[:40].mean(axis=0), rtol=1e-6)
    vae.partial_fit(X[40:])
    np.testing.assert_array_equal(vae.model_.centre, centre)
    assert vae.n_iter_ == 2


def test_grey_pixels_are_refused_with_the_ways_to_make_them_binary_and_taken_with_one():
    with pytest.raises(ValueError, match=r"X must be 0 or 1, got 0\.\d+; let binarize='threshold' make") as refusal:
        BinaryVAE().fit(GREY.x)
    assert 0 < float(refusal.value.got) < 1
    for how in ("threshold", "fixed", "dynamic"):
        vae = BinaryVAE(latent_dims=4, epochs=1, binarize=how, random_state=0).fit(GREY.x)
        assert np.isfinite(vae.score(GREY.x))


@pytest.mark.parametrize(
    "model", [BinaryVAE(4), npvae.SigmoidBeliefNetwork(4, sweeps=1)], ids=lambda m: type(m).__name__
)
def test_grey_pixels_have_a_cross_entropy_and_no_likelihood(model):
    model.set_params(epochs=1, random_state=0).fit(X)
    assert model.loss(X).labels["reconstruction"] == "−log p(x|z)"
    assert "cross-entropy of grey pixels" in model.loss(GREY.x).labels["reconstruction"]
    with pytest.raises(
        ValueError, match=r"X must be 0 or 1 to have a log-likelihood .*; train with binarize='dynamic'"
    ):
        model.log_likelihood(GREY.x, k=2)
    with pytest.raises(ValueError, match=r"X must be 0 or 1, got values from -1 to 1; this is a model of bits"):
        model.transform(2 * X - 1)


def test_a_broken_model_is_refused_in_words_instead_of_scored_as_nan():
    vae = fitted()
    vae.theta_["decoder.0.1.b"][3] = np.nan
    for score in (vae.score_samples, vae.score):
        with pytest.raises(ValueError, match="X must have a finite ELBO under this model, which row 0 has not"):
            score(X)


def test_one_draw_is_refused_where_two_are_compared():
    with pytest.raises(ValueError, match="n_samples must be at least 2 with gradient='vimco'"):
        BinaryVAE(gradient="vimco").fit(X)
    with pytest.raises(ValueError, match=r"gradient must be one of .*did you mean 'disarm'"):
        BinaryVAE(gradient="disram").fit(X)


def test_the_bits_of_every_class_are_drawn():
    pytest.importorskip("matplotlib")
    vae = BinaryVAE(latent_dims=6, epochs=1, binarize="threshold", random_state=0).fit(GREY.x)
    (figure,) = vae.pictures(plots, GREY).values()
    panels = [ax for ax in figure.axes if ax.patches]
    assert len(panels) == len(np.unique(GREY.labels))
    of_class = vae.transform(GREY.x[GREY.labels == 3]).mean(axis=0)
    np.testing.assert_allclose([bar.get_height() for bar in panels[3].patches], of_class, rtol=1e-5)
