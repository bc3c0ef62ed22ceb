"""The options: the model that they describe, what they refuse and why, and what training makes of them."""

import numpy as np
import pytest

import npvae
from npvae import VAE, memory, storage, training
from npvae.bounds import BOUNDS
from npvae.distributions import (
    LIKELIHOODS,
    POSTERIORS,
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    FixedGaussian,
    FullGaussian,
)
from npvae.distributions import LearnedGaussian as Learned
from npvae.models import VAE as Model
from npvae.validation import DataWarning

GREY = np.random.default_rng(0).random((40, 9)).astype(np.float32)
BINARY = (GREY > 0.5).astype(np.float32)
LEVELS = (np.round(255 * GREY) / 255).astype(np.float32)


def tiny(**params):
    return VAE(
        **{
            "likelihood": "bernoulli",
            "latent_dim": 2,
            "hidden": 4,
            "epochs": 2,
            "batch_size": 16,
            "random_state": 0,
            **params,
        }
    )


@pytest.mark.parametrize(
    ("params", "likelihood"),
    [
        ({}, Bernoulli()),
        ({"likelihood": "continuous-bernoulli"}, ContinuousBernoulli()),
        ({"likelihood": "gaussian"}, FixedGaussian(1.0)),
        ({"likelihood": "gaussian", "sigma": 0.3, "mean_link": "sigmoid"}, FixedGaussian(0.3, "sigmoid")),
        ({"likelihood": "gaussian-shared"}, Learned(shared=True)),
        ({"likelihood": "gaussian-shared", "mean_link": "sigmoid"}, Learned(shared=True, link="sigmoid")),
        ({"likelihood": "gaussian-pixel", "mean_link": "sigmoid"}, Learned(link="sigmoid")),
    ],
)
def test_likelihoods(params, likelihood):
    assert tiny(**params)._build(9).likelihood == likelihood


def test_the_other_options_reach_the_model():
    model = tiny(posterior="full", bound="dreg", n_samples=5, weight_prior=2.0)._build(9, n_rows=40)
    assert (model.posterior, model.bound, model.n_samples) == (FullGaussian(), "dreg", 5)
    assert model.weight_precision == 2 / 40
    model = tiny(free_bits=0.1, beta=2.0)._build(9)
    assert (model.posterior, model.free_bits, model.beta) == (DiagonalGaussian(), 0.1, 2.0)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_everything_that_is_not_refused_trains_is_stored_and_comes_back(tmp_path, likelihood, posterior, bound):
    vae = tiny(likelihood=likelihood, posterior=posterior, bound=bound, n_samples=2).fit(LEVELS, X_val=LEVELS)
    vae.save(tmp_path / "m.npz")
    back = npvae.load(tmp_path / "m.npz")
    assert repr(back.model_) == repr(vae.model_)
    scores = back.score_samples(LEVELS)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, vae.score_samples(LEVELS))
    assert back.sample(3, random_state=0).shape == (3, 9)


REFUSED = [
    ({"likelihood": "gausian-pixel"}, "likelihood must be one of .* did you mean 'gaussian-pixel'"),
    ({"mean_link": "logit", "likelihood": "gaussian"}, "mean_link must be one of 'identity', 'sigmoid', got 'logit'"),
    (
        {"mean_link": "sigmoid"},
        r"mean_link must be 'identity' with likelihood='bernoulli': it takes none",
    ),
    ({"sigma": 0, "likelihood": "gaussian"}, "sigma must be greater than 0, got 0"),
    ({"sigma": 2}, "sigma must be 1.0 with likelihood='bernoulli': it takes none; got 2.0"),
    ({"sigma": 2, "likelihood": "gaussian-pixel"}, "sigma must be 1.0 with .* it takes none; got 2.0"),
    (
        {"binarize": "fixed", "likelihood": "continuous-bernoulli"},
        "binarize must be 'none' with likelihood='continuous-bernoulli': only a Bernoulli",
    ),
    ({"posterior": "ful"}, "posterior must be one of 'diagonal', 'full', got 'ful'; did you mean 'full'"),
    ({"bound": "iwea"}, "bound must be one of .* did you mean 'iwae'"),
    ({"bound": "iwae", "n_samples": 0}, "n_samples must be at least 1, got 0"),
    ({"bound": "iwae"}, "n_samples must be at least 2 with bound='iwae': L_1 is the ELBO; got 1"),
    ({"bound": "score-function"}, "n_samples must be at least 2 with bound='score-function': the others are what"),
    ({"bound": "iwae", "beta": 2}, "beta must be 1 with bound='iwae': inside the logarithm of L_k no KL stands alone"),
    ({"bound": "dreg", "beta_schedule": "warm-up"}, "beta_schedule must be 'constant' with bound='dreg': .* no KL"),
    ({"beta_schedule": "warmup"}, "beta_schedule must be one of .* did you mean 'warm-up'"),
    ({"free_bits": -1}, "free_bits must be at least 0, got -1"),
    ({"free_bits": 0.1, "bound": "iwae"}, "free_bits must be 0 with bound='iwae': inside L_k there is no analytic KL"),
    ({"free_bits": 0.1, "bound": "stl"}, "free_bits must be 0 with bound='stl': it has no analytic KL"),
    ({"free_bits": 0.1, "posterior": "full"}, "free_bits must be 0 with posterior='full': .* no sum over the latents"),
    ({"weight_prior": -1}, "weight_prior must be at least 0, got -1"),
    ({"weight_prior": "1"}, "weight_prior must be a number, got '1'"),
]


@pytest.mark.parametrize(("params", "text"), REFUSED)
def test_what_cannot_be_is_refused_with_the_reason(params, text):
    vae = tiny(**params)
    with pytest.raises((TypeError, ValueError), match=text):
        vae.fit(GREY)
    assert not hasattr(vae, "theta_")


def test_data_that_the_likelihood_cannot_have():
    with pytest.raises(ValueError, match=r"X must lie in \[0, 1\] under likelihood='continuous-bernoulli'"):
        tiny(likelihood="continuous-bernoulli").fit(255 * GREY)
    with pytest.raises(ValueError, match=r"X_val must lie in \[0, 1\] under likelihood='continuous-bernoulli'"):
        tiny(likelihood="continuous-bernoulli").fit(GREY, X_val=-GREY)
    with pytest.raises(ValueError, match=r"X must have means in \[0, 1\] under mean_link='sigmoid', got means from 1"):
        tiny(likelihood="gaussian", mean_link="sigmoid").fit(255 * GREY)
    tiny(likelihood="gaussian", mean_link="sigmoid").fit(GREY + np.float32(0.2) * (2 * BINARY - 1))  # noise beyond 1


@pytest.mark.parametrize("posterior", ["full", "diagonal"])
def test_more_than_the_memory_holds_is_refused_before_anything_is_made(monkeypatch, posterior):
    monkeypatch.setattr(memory, "available", lambda: (2 * 10**9, "this machine has"))
    monkeypatch.setattr(Model, "init", None)
    settings = {"hidden": 10} if posterior == "full" else {"hidden": 60_000}
    with pytest.raises(ValueError, match="must be smaller") as caught:
        tiny(latent_dim=3000, posterior=posterior, **settings).fit(GREY)
    words = str(caught.value)
    if posterior == "full":
        assert words.startswith("latent_dim must be smaller, got 3000 latents, 4,504,500 numbers from the encoder")
        assert "posterior='diagonal' needs 2 numbers a latent" in words
        # The encoder (9 + 1)·10 + (10 + 1)·4,504,500, the decoder (3000 + 1)·10 + (10 + 1)·9; eight times in float32.
        assert "that takes 108.1 GB of 109.7 GB, this machine has 2.0 GB" in words
    else:
        assert words.startswith("hidden or latent_dim must be smaller, got 60000 and 3000: that takes 17.3 GB")


def test_many_draws_need_memory_too(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: (8 * 10**9, "this machine has"))
    many = tiny(bound="iwae", n_samples=1000, hidden=400, batch_size=1000)
    # 10⁶ draws of 5 · 784 + 2 · 400 float32 numbers
    with pytest.raises(ValueError, match=r"n_samples or .* got 1,000 draws .* 1,000 rows: that takes 18\.9 GB"):
        many._require_memory(many._build(784))
    many.set_params(batch_size=100)._require_memory(many._build(784))


def test_what_the_memory_holds_is_not_refused():
    assert memory.available()[0] > 10**8
    vae = tiny(posterior="full", latent_dim=20, hidden=400)
    vae._require_memory(vae._build(784))


def beta_of_each_step(monkeypatch, **params):
    betas, original = [], Model.loss_and_grad

    def spy(model, theta, x, noise):
        betas.append(model.beta)
        return original(model, theta, x, noise)

    monkeypatch.setattr(Model, "loss_and_grad", spy)
    vae = tiny(**params).fit(BINARY, X_val=BINARY)
    return vae, betas


def test_beta_rises_over_the_whole_run_and_held_out_data_have_the_last(monkeypatch):
    vae, betas = beta_of_each_step(monkeypatch, epochs=8, batch_size=10, beta=2.0, beta_schedule="warm-up")
    assert vae.history_["weight_kl"] == pytest.approx(np.reshape(betas, (8, 4)).mean(axis=1))
    assert betas == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, *[2.0] * 24])
    h = vae.history_
    np.testing.assert_allclose(h["val_loss"], np.add(h["val_reconstruction"], np.multiply(2, h["val_kl"])), rtol=1e-5)
    assert vae.model_.beta == 2.0


def test_cyclical_beta(monkeypatch):
    _, betas = beta_of_each_step(monkeypatch, epochs=4, batch_size=10, beta_schedule="cyclical")
    assert betas == pytest.approx(4 * [0.5, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("beta_schedule", ["warm-up", "cyclical"])
def test_going_on_with_an_annealed_beta_is_bit_identical(beta_schedule):
    straight = tiny(epochs=6, beta_schedule=beta_schedule).fit(GREY)
    half = tiny(epochs=6, beta_schedule=beta_schedule).fit(GREY, callbacks=[lambda run: run.epoch == 2]).run_
    resumed = tiny(epochs=6, beta_schedule=beta_schedule).fit(GREY, resume_from=half)
    np.testing.assert_array_equal(resumed.theta_.flat, straight.theta_.flat)
    with pytest.raises(ValueError, match="epochs must be 6, as it was when the run began, got 7"):
        tiny(epochs=7, beta_schedule=beta_schedule).fit(GREY, resume_from=half)


def test_a_prior_on_the_weights_makes_them_smaller():
    free, bound = (
        tiny(epochs=30, learning_rate=0.03, weight_prior=tau).fit(BINARY).theta_.flat for tau in (0.0, 100.0)
    )
    assert (bound @ bound) < 0.5 * (free @ free)


NEW = ["mean_link", "sigma", "posterior", "bound", "beta_schedule", "free_bits", "weight_prior"]


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-shared"])
def test_data_far_from_the_size_of_one_are_warned_of(likelihood):
    with pytest.warns(DataWarning, match="X has values of about 156, where .*: divide 8-bit images by 255") as caught:
        tiny(likelihood=likelihood, epochs=1, scale="none").fit(255 * GREY)
    assert caught[0].filename == __file__
    tiny(likelihood=likelihood, epochs=1, scale="none").fit(9 * GREY)
    tiny(likelihood=likelihood, epochs=1).fit(255 * GREY)  # scaled: nothing to warn of


def test_a_file_from_before_the_options_has_their_defaults(tmp_path):
    vae = tiny().fit(BINARY)
    vae.save(tmp_path / "m.npz")
    header, arrays = storage.load(tmp_path / "m.npz")
    for name in NEW:
        del header["params"][name]
    storage.save(tmp_path / "m.npz", header, arrays)
    back = npvae.load(tmp_path / "m.npz")
    assert back.get_params() == vae.get_params()
    np.testing.assert_array_equal(back.score_samples(BINARY), vae.score_samples(BINARY))


def test_a_file_of_a_model_that_is_not_trained_like_that_any_more_is_still_read(tmp_path):
    vae = tiny(bound="monte-carlo").fit(BINARY)
    vae.bound = "iwae"
    vae.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(npvae.load(tmp_path / "m.npz").transform(BINARY), vae.transform(BINARY))


def test_a_checkpoint_from_before_the_options_goes_on(tmp_path):
    run = tiny(epochs=1).fit(BINARY).run_
    run.settings = {name: value for name, value in run.settings.items() if name not in NEW}
    training.save_checkpoint(tmp_path / "c.npz", run)
    resumed = tiny().fit(BINARY, resume_from=training.load_checkpoint(tmp_path / "c.npz"))
    np.testing.assert_array_equal(resumed.theta_.flat, tiny().fit(BINARY).theta_.flat)
    with pytest.raises(ValueError, match="bound must be 'elbo', as it was when the run began, got 'stl'"):
        tiny(bound="stl").fit(BINARY, resume_from=run)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_collapsed_latents_are_told_in_the_end(capsys, posterior):
    settings = {"epochs": 30, "verbose": True, "learning_rate": 0.05, "posterior": posterior}
    tiny(beta=100.0, **settings).fit(BINARY)
    assert "2 of 2 latents collapsed" in capsys.readouterr().err.splitlines()[-1]
    x = np.repeat(BINARY[:4], 10, axis=0)
    tiny(beta=0.01, **settings).fit(x)
    assert "collapsed" not in capsys.readouterr().err
    tiny(beta=100.0, **{**settings, "verbose": False}).fit(BINARY)
    assert capsys.readouterr() == ("", "")


def test_a_run_goes_on_with_the_processes_that_it_began_with(monkeypatch):
    asked = []
    monkeypatch.setattr(
        training, "train", lambda model, start, *rest, **settings: asked.append(settings["n_jobs"]) or start
    )
    monkeypatch.setattr(training, "fastest_jobs", lambda *arguments: 3)
    vae = tiny(n_jobs="auto", epochs=2).fit(BINARY)
    monkeypatch.setattr(training, "fastest_jobs", lambda *arguments: 1)
    tiny(n_jobs="auto", epochs=2).fit(BINARY, resume_from=vae.run_)
    vae.run_.settings["processes"] = 10**9
    tiny(n_jobs="auto", epochs=2).fit(BINARY, resume_from=vae.run_)
    assert asked == [3, 3, 1]


def test_the_number_of_processes_is_told_where_it_was_left_open_or_is_not_one(capsys):
    for rows, n_jobs in ((2, 7), (40, 2)):  # no more processes than rows
        tiny(n_jobs=n_jobs, epochs=1, verbose=True).fit(BINARY[:rows])
        assert capsys.readouterr().err.startswith("2 processes share every batch\n")
    tiny(n_jobs="auto", epochs=1, verbose=True).fit(BINARY)
    assert capsys.readouterr().err.startswith("1 process computes every batch\n")
    tiny(n_jobs=1, epochs=1, verbose=True).fit(BINARY)
    assert "process" not in capsys.readouterr().err


def test_a_word_in_the_place_of_a_number_is_refused_with_the_words_that_can_be():
    with pytest.raises(TypeError, match="n_jobs must be an integer or 'auto', got 'two'"):
        tiny(n_jobs="two").fit(BINARY)
