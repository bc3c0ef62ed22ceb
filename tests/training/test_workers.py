"""Training by several processes gives what training by one gives."""

from io import StringIO

import numpy as np
import pytest

from npvae.distributions import Bernoulli
from npvae.models import WakeSleep
from npvae.optimizers import SGD, Adagrad, Adam
from npvae.training import Averaged, Progress, load_checkpoint, save_checkpoint, train
from npvae.validation import ArgumentError
from tests.training.toys import Chain, Mean, Nested, NormalisedSGD, binary_rows, small_vae

X = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)


def close(run, other, tolerance=2e-5):
    np.testing.assert_allclose(run.theta.flat, other.theta.flat, rtol=tolerance, atol=tolerance)
    for name, slot in other.optimizer_state.slots.items():
        np.testing.assert_allclose(run.optimizer_state.slots[name], slot, rtol=1e-3, atol=tolerance)
    assert run.optimizer_state.t == other.optimizer_state.t
    assert list(run.history) == list(other.history)
    for name, column in other.history.items():
        if name != "seconds":
            np.testing.assert_allclose(run.history[name], column, rtol=1e-4, err_msg=name)
    assert run.history.terms == other.history.terms


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_a_vae_learns_the_same_up_to_rounding(n_jobs):
    model, theta = small_vae(n_samples=2)
    settings = {"epochs": 4, "batch_size": 8, "seed": 3, "x_val": binary_rows(9, seed=1), "patience": 3}
    one = train(model, theta, binary_rows(), **settings)
    several = train(model, theta, binary_rows(), n_jobs=n_jobs, **settings)
    close(several, one)
    assert several.theta.flat.base is not one.theta.flat.base


def test_the_same_number_of_processes_gives_the_same_bits_and_goes_on_with_them(tmp_path):
    model, theta = small_vae()
    settings = {"batch_size": 16, "seed": 5, "n_jobs": 2, "optimizer": Averaged(Adam(0.01), begin=3, every=2)}
    straight = train(model, theta, binary_rows(), epochs=4, **settings)
    save_checkpoint(tmp_path / "c.npz", train(model, theta, binary_rows(), epochs=2, **settings))
    resumed = train(model, load_checkpoint(tmp_path / "c.npz"), binary_rows(), epochs=4, **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    np.testing.assert_array_equal(resumed.optimizer_state.slots["mean"], straight.optimizer_state.slots["mean"])
    assert resumed.history["loss"] == straight.history["loss"]


@pytest.mark.parametrize(
    "optimizer", [SGD(0.1), Adagrad(0.1), Adam(0.1), NormalisedSGD()], ids=lambda optimizer: type(optimizer).__name__
)
def test_every_optimiser_moves_theta_as_it_does_alone(optimizer):
    settings = {"optimizer": optimizer, "epochs": 3, "batch_size": 5}
    one, two = (train(Nested(), Mean().init(None), X, n_jobs=n, **settings) for n in (1, 2))
    close(two, one, 1e-4)


def test_rows_a_second_are_those_of_all_steps_of_the_epoch():
    model, told = Nested(), StringIO()
    settings = {"epochs": 2, "batch_size": 23, "optimizer": SGD(0.1), "n_jobs": 2}  # one step, which ends last
    train(model, model.init(None), X, progress=Progress(2, told), **settings)
    assert told.getvalue().count("rows/s") == 2
    assert " 0 rows/s" not in told.getvalue()


def test_a_batch_of_fewer_rows_than_processes():
    model, settings = Nested(), {"epochs": 2, "batch_size": 11, "optimizer": SGD(0.1)}  # 11, 11 and 1
    close(train(model, model.init(None), X, n_jobs=4, **settings), train(model, model.init(None), X, **settings))


def test_noise_of_other_kinds_is_split_by_its_rows():
    vae, theta = small_vae(likelihood=Bernoulli())
    settings = {"epochs": 2, "batch_size": 16}
    one, two = (train(WakeSleep(vae), theta, binary_rows(), n_jobs=n, **settings) for n in (None, 2))
    close(two, one)


def test_data_on_disk_transforms_and_models_that_change_stay_in_this_process(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(np.uint8)
    grey.tofile(tmp_path / "x.bin")
    on_disk = np.memmap(tmp_path / "x.bin", np.uint8, "r", shape=(40, 6))
    model, theta = small_vae()
    settings = {
        "epochs": 2,
        "batch_size": 16,
        "transform": lambda batch, rng: (rng.random(batch.shape) < batch / 255).astype(np.float32),
        "model_at": lambda t: model.with_beta(min(1.0, 0.2 * t)),
    }
    one, two = (train(model, theta, on_disk, n_jobs=n, **settings) for n in (1, 2))
    close(two, one)
    assert two.history["weight_kl"] == pytest.approx([0.16, 0.76])  # steps of 16, 16 and 8 rows


def test_callbacks_and_early_stopping_see_the_run_of_the_moment():
    seen = []

    def look(run):
        seen.append((run.epoch, run.optimizer_state.t, run.theta.flat.copy()))
        return run.epoch == 3

    settings = {"epochs": 9, "batch_size": 8, "callbacks": [look]}
    run = train(Mean(), Mean().init(None), X, n_jobs=2, **settings)
    assert run.stopped == "callback"
    assert [(epoch, t) for epoch, t, _ in seen] == [(1, 3), (2, 6), (3, 9)]
    train(Mean(), Mean().init(None), X, **settings)
    for (_, _, theta), (_, _, alone) in zip(seen[:3], seen[3:], strict=True):
        np.testing.assert_allclose(theta, alone, rtol=1e-4)


def test_float64_stays_float64():
    theta = Mean().init(None, np.float64)
    one, two = (train(Mean(), theta, X, epochs=2, batch_size=8, n_jobs=n) for n in (1, 2))
    assert two.theta.dtype == np.float64
    np.testing.assert_allclose(two.theta.flat, one.theta.flat, rtol=1e-13)


def test_what_cannot_be_split_by_rows_is_refused_with_the_reason():
    with pytest.raises(ArgumentError, match="n_jobs must be 1 with this model; it hands a state from step to step"):
        train(Chain(), Chain().init(None), X, n_jobs=2)
    model, theta = small_vae(free_bits=0.5)
    with pytest.raises(ArgumentError, match=r"n_jobs must be 1 with this model; .*no mean over rows"):
        train(model, theta, binary_rows(), n_jobs=2)


def test_what_cannot_be_pickled_is_refused_by_name():
    model = Mean()
    model.function = lambda: 1
    with pytest.raises(ArgumentError, match="n_jobs must be 1, since the model cannot be handed to another process"):
        train(model, model.init(None), X, n_jobs=2)
    with pytest.raises(ArgumentError, match="since the optimizer cannot be handed"):
        train(Mean(), model.init(None), X, n_jobs=2, optimizer=SGD(lambda t: 0.1))


def test_no_more_processes_than_rows_in_a_batch():
    run = train(Chain(), Chain().init(None), X, epochs=1, batch_size=1, n_jobs=8)  # one: even a state is welcome
    assert run.optimizer_state.t == 23


def test_an_estimator_trains_by_several_processes():
    from npvae import VAE

    options = {"latent_dim": 2, "hidden": 5, "epochs": 2, "batch_size": 16, "random_state": 0}
    one, two = (VAE(**options, n_jobs=n).fit(binary_rows()) for n in (None, 2))
    np.testing.assert_allclose(two.theta_.flat, one.theta_.flat, rtol=1e-4, atol=1e-6)
    assert two.history_["loss"] == pytest.approx(one.history_["loss"])
