"""A run that stands amid an epoch goes on there, to the bits of one that never stopped."""

import signal

import numpy as np
import pytest

from npvae.optimizers import SGD, Adam
from npvae.training import load_checkpoint, save_checkpoint, train
from tests.training.toys import Chain, Mean, binary_rows, small_vae

X = binary_rows(50)


def interrupted_at(visit, **settings):
    """A run that Ctrl-C stops when a batch is made for the `visit`-th time."""
    visits = []

    def press(batch, rng):
        visits.append(1)
        if len(visits) == visit:
            signal.raise_signal(signal.SIGINT)
        return batch + rng.random(batch.shape).astype(batch.dtype) * 0

    return press


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("visit", [1, 3, 4, 6])
def test_an_interrupted_epoch_is_gone_on_with(tmp_path, n_jobs, visit):
    model, theta = small_vae()
    settings = {"epochs": 3, "batch_size": 16, "seed": 2, "n_jobs": n_jobs, "optimizer": Adam(0.01), "x_val": X[:9]}
    settings["model_at"] = lambda t: model.with_beta(0.1 * t)
    straight = train(model, theta, X, transform=interrupted_at(0), **settings)
    part = train(model, theta, X, transform=interrupted_at(visit), **settings)
    assert part.stopped == "interrupted"
    save_checkpoint(tmp_path / "c.npz", part)
    resumed = train(model, load_checkpoint(tmp_path / "c.npz"), X, transform=interrupted_at(0), **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    assert resumed.within is None
    for name in straight.history:
        assert name == "seconds" or resumed.history[name] == straight.history[name]
    assert resumed.history["seconds"][-1] > part.history.last().get("seconds", 0.0)


def test_the_state_of_a_model_is_that_of_the_step():
    settings = {"epochs": 2, "batch_size": 16, "optimizer": SGD(0.1)}
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    straight = train(Chain(), Chain().init(None), x, transform=interrupted_at(0), **settings)
    part = train(Chain(), Chain().init(None), x, transform=interrupted_at(6), **settings)
    assert part.within.batches == 2
    resumed = train(Chain(), part, x, transform=interrupted_at(0), **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    np.testing.assert_array_equal(resumed.state["fantasy"], straight.state["fantasy"])
    assert part.within.sums.n == 32  # the run that goes on has its own


def test_other_batches_cannot_go_on_within_an_epoch():
    x = np.ones((50, 3), np.float32)
    part = train(Mean(), Mean().init(None), x, batch_size=16, transform=interrupted_at(3))
    for other in ({"x": x, "batch_size": 8}, {"x": x[:40], "batch_size": 16}):
        with pytest.raises(ValueError, match="start must go on with batches of 16 from 50 rows, since"):
            train(Mean(), part, **other)
