"""The state of a run."""

import pickle

import numpy as np

from npvae.optimizers import Adam
from npvae.training import NonFiniteLossError, TrainingRun
from tests.training.toys import small_vae


def test_begin_copies_theta():
    _, theta = small_vae()
    run = TrainingRun.begin(theta, Adam(), seed=4)
    run.theta.flat[:] = 0
    assert theta.flat.any()
    assert (run.seed, run.epoch, run.optimizer_state.t, run.history.n_rows) == (4, 0, 0, 0)


def test_copy_shares_no_memory():
    _, theta = small_vae()
    run = TrainingRun.begin(theta, Adam(), seed=4)
    run.best, run.best_epoch, run.epoch, run.stopped = theta.copy(), 2, 3, "finished"
    run.history.append({"loss": 1.0})
    copy = run.copy()
    assert (copy.best_epoch, copy.epoch, copy.stopped, copy.seed) == (2, 3, "finished", 4)
    copy.theta.flat[:] = copy.best.flat[:] = copy.optimizer_state.slots["M"][:] = 7
    copy.history.append({"loss": 2.0})
    np.testing.assert_array_equal(run.theta.flat, theta.flat)
    np.testing.assert_array_equal(run.best.flat, theta.flat)
    assert not run.optimizer_state.slots["M"].any()
    assert run.history["loss"] == [1.0]


def test_non_finite_loss_comes_back_from_another_process():
    run = TrainingRun.begin(small_vae()[1], Adam(), 0)
    error = pickle.loads(pickle.dumps(NonFiniteLossError("the loss", run)))
    assert str(error) == "the loss"
    np.testing.assert_array_equal(error.run.theta.flat, run.theta.flat)


def test_non_finite_loss_is_an_arithmetic_error_that_carries_the_run():
    error = NonFiniteLossError("text", "run")
    assert isinstance(error, ArithmeticError)
    assert (str(error), error.run) == ("text", "run")
