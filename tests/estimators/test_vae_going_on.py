"""Runs of the estimator that go on, and runs that broke down."""

import numpy as np
import pytest

from npvae import VAE, training
from npvae.training import NonFiniteLossError

GREY = np.random.default_rng(0).random((40, 9)).astype(np.float32)


def tiny(**params):
    return VAE(**{"latent_dim": 2, "hidden": 4, "epochs": 2, "batch_size": 16, "random_state": 0, **params})


def test_going_on_is_bit_identical(tmp_path):
    path = tmp_path / "c.npz"
    settings = {"binarize": "fixed", "schedule": "cosine"}
    straight = tiny(epochs=5, **settings).fit(GREY, X_val=GREY)

    def keep(run):
        training.save_checkpoint(path, run)
        return run.epoch == 2

    tiny(epochs=5, **settings).fit(GREY, X_val=GREY, callbacks=[keep])
    with pytest.raises(ValueError, match="random_state must be 0, as it was when the run began, got 99"):
        tiny(epochs=5, **settings, random_state=99).fit(GREY, X_val=GREY, resume_from=training.load_checkpoint(path))
    resumed = tiny(epochs=5, **settings, random_state=None).fit(
        GREY, X_val=GREY, resume_from=training.load_checkpoint(path)
    )
    np.testing.assert_array_equal(resumed.theta_.flat, straight.theta_.flat)
    assert resumed.seed_ == 0


def test_going_on_with_other_data_is_refused():
    run = tiny(epochs=1).fit(GREY).run_
    with pytest.raises(ValueError, match=r"X must be the data that the run began with, got others$"):
        tiny(epochs=2).fit(GREY[::-1], resume_from=run)


def test_going_on_with_a_run_of_the_plain_loop():
    vae = tiny(epochs=1, latent_dim=3, optimizer="adam").fit(GREY)
    run = training.train(vae.model_, vae.theta_, GREY, epochs=1)
    resumed = tiny(epochs=2, latent_dim=3, optimizer="adam").fit(GREY, resume_from=run).run_
    assert resumed.epoch == 2
    with pytest.raises(ValueError, match=r"beta must be 1\.0, as it was when the run began, got 2"):
        tiny(epochs=3, latent_dim=3, optimizer="adam", beta=2).fit(GREY, resume_from=resumed)


def test_going_on_with_something_else_is_refused():
    with pytest.raises(TypeError, match=r"resume_from must be a TrainingRun, such as .*load_checkpoint reads, got str"):
        tiny().fit(GREY, resume_from="checkpoint.npz")


def test_going_on_with_another_model_or_precision_is_refused():
    run = tiny().fit(GREY).run_
    with pytest.raises(ValueError, match=r"hidden must be \[4\], as it was when the run began, got \[7\]"):
        tiny(hidden=7).fit(GREY, resume_from=run)
    with pytest.raises(ValueError, match="dtype must be 'float32', as it was"):
        tiny(dtype="float64").fit(GREY, resume_from=run)
    with pytest.raises(ValueError, match="optimizer must be 'adam', as it was"):
        tiny(optimizer="sgd").fit(GREY, resume_from=run)


def test_a_broken_run_keeps_the_last_good_parameters():
    vae = tiny(learning_rate=1e6, epochs=50)
    with pytest.raises(NonFiniteLossError, match="stopped being finite at step"):
        vae.fit(GREY)
    assert np.isfinite(vae.theta_.flat).all()
    assert vae.run_.stopped == "non-finite loss"
    assert np.isfinite(vae.sample(3, random_state=0)).all()


def test_a_broken_run_is_not_resumed():
    vae = tiny(learning_rate=1e6, epochs=50)
    with pytest.raises(NonFiniteLossError):
        vae.fit(GREY)
    with pytest.raises(ValueError, match="resume_from must not be a run that broke down: resume from a checkpoint"):
        tiny().fit(GREY, resume_from=vae.run_)


def test_a_loss_that_never_was_finite_leaves_the_estimator_as_it_was():
    vae = tiny(likelihood="gaussian", sigma=1e-30)
    with pytest.raises(NonFiniteLossError, match=r"before any training: .* a given sigma to that of their noise"):
        vae.fit(GREY)
    assert not vae.__sklearn_is_fitted__()
    assert not hasattr(vae, "run_")


def test_a_schedule_spans_the_whole_run_so_its_length_is_fixed():
    run = tiny(epochs=2, schedule="cosine").fit(GREY).run_
    with pytest.raises(ValueError, match="epochs must be 2, as it was when the run began, got 4: a schedule spans"):
        tiny(epochs=4, schedule="cosine").fit(GREY, resume_from=run)


def test_numpy_numbers_as_settings_are_kept_in_checkpoints_and_compared(tmp_path):
    path = tmp_path / "c.npz"
    vae = tiny(latent_dim=np.int64(2), random_state=np.int64(0))
    vae.fit(GREY, callbacks=[lambda run: training.save_checkpoint(path, run)])
    run = training.load_checkpoint(path)
    with pytest.raises(ValueError, match="random_state must be 0, as it was when the run began, got 7"):
        tiny(epochs=9, random_state=np.int64(7)).fit(GREY, resume_from=run)


def test_patience_begins_where_a_run_goes_on():
    run = tiny(epochs=3).fit(GREY, X_val=GREY).run_
    vae = tiny(epochs=40, patience=2, random_state=None).fit(GREY, X_val=GREY, resume_from=run)
    assert vae.run_.best_epoch >= 3
    assert vae.run_.epoch >= 5
    assert vae.run_.theta == vae.run_.best
