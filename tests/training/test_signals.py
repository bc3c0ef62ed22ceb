"""Ctrl-C ends a run between two steps and keeps what was trained."""

import os
import signal
import threading

import numpy as np
import pytest

from npvae.optimizers import SGD
from npvae.training import like_ctrl_c, train
from npvae.training.signals import deferred_interrupt
from tests.training.toys import Mean, binary_rows, small_vae

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals to itself")


def press():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def handler():
    """Every test starts with Python's own handler, and has to leave it in place."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_a_first_press_is_remembered_a_second_one_raises():
    with deferred_interrupt() as interrupted:
        assert not interrupted()
        press()
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_handler_is_restored_after_an_error():
    model, handlers = Mean(), []

    def fail(run):
        handlers.append(signal.getsignal(signal.SIGINT))
        raise LookupError

    with pytest.raises(LookupError):
        train(model, model.init(None), np.ones((4, 3)), callbacks=[fail])
    assert handlers[0] is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_ctrl_c_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_interrupt() as interrupted:
            press()
            assert not interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_press_after_an_epoch_keeps_the_whole_epoch_and_no_more():
    model, theta = small_vae()
    x, settings = binary_rows(), {"batch_size": 16, "seed": 3}
    run = train(model, theta, x, epochs=9, callbacks=[lambda run: press() if run.epoch == 2 else None], **settings)
    assert (run.stopped, run.epoch, run.history["epoch"]) == ("interrupted", 2, [1, 2])
    np.testing.assert_array_equal(run.theta.flat, train(model, theta, x, epochs=2, **settings).theta.flat)
    straight = train(model, theta, x, epochs=4, **settings)
    np.testing.assert_array_equal(train(model, run, x, epochs=4, **settings).theta.flat, straight.theta.flat)


class PressedAt(Mean):
    """Ctrl-C comes in the middle of a step."""

    def __init__(self, step, times=1):
        super().__init__()
        self.step, self.times = step, times

    def loss_and_grad(self, theta, x, noise):
        answer = super().loss_and_grad(theta, x, noise)
        if len(self.seen) == self.step:
            for _ in range(self.times):
                press()
        return answer


def test_a_press_within_an_epoch_finishes_the_step_and_keeps_it():
    model = PressedAt(step=5)
    run = train(model, model.init(None), np.ones((6, 3)), optimizer=SGD(0.1, 0.0), batch_size=2, epochs=9)
    assert (run.stopped, run.epoch, run.optimizer_state.t, run.history["epoch"]) == ("interrupted", 1, 5, [1])
    # Each step takes 0.1 of what is left to 1.
    np.testing.assert_allclose(run.theta.flat, 1 - 0.9**5, rtol=1e-6)


def test_a_press_in_the_last_step_of_an_epoch_counts_the_epoch():
    model, saved = PressedAt(step=3), []
    x = np.ones((6, 3))
    run = train(model, model.init(None), x, batch_size=2, epochs=9, callbacks=[lambda run: saved.append(run.epoch)])
    assert (run.stopped, run.epoch, saved) == ("interrupted", 1, [1])


def test_a_press_in_the_last_step_of_all_finds_the_run_finished():
    model = PressedAt(step=6)
    run = train(model, model.init(None), np.ones((6, 3)), batch_size=2, epochs=2)
    assert (run.stopped, run.epoch) == ("finished", 2)


def test_a_second_press_ends_the_run_at_once():
    model = PressedAt(step=2, times=2)
    with pytest.raises(KeyboardInterrupt):
        train(model, model.init(None), np.ones((6, 3)), batch_size=2)
    assert len(model.seen) == 2


def test_interruption_keeps_the_latest_parameters_not_the_best():
    x, thetas, model = np.ones((4, 3)), [], Mean()

    def third(run):
        thetas.append(run.theta.flat.copy())
        if run.epoch == 3:
            press()

    # Steps that are too long: what is left to 1 grows by 1.1 in every epoch.
    run = train(model, model.init(None), x, optimizer=SGD(2.1, 0.0), x_val=x, patience=9, epochs=9, callbacks=[third])
    assert (run.stopped, run.best_epoch) == ("interrupted", 1)
    np.testing.assert_array_equal(run.chosen.flat, thetas[2])
    assert not np.array_equal(thetas[0], thetas[2])


def test_trains_outside_the_main_thread():
    model, theta = small_vae()
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train(model, theta, binary_rows(), epochs=2)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(runs[0].theta.flat, train(model, theta, binary_rows(), epochs=2).theta.flat)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGHUP])
def test_in_a_program_the_signals_that_end_it_keep_what_was_trained(which):
    model, theta = small_vae()
    inherited = signal.signal(which, signal.SIG_DFL)  # whoever runs the tests may ignore one of them, as nohup does
    try:
        with like_ctrl_c():
            run = train(model, theta, binary_rows(), epochs=9, callbacks=[lambda run: signal.raise_signal(which)])
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(which)
        assert (run.stopped, run.epoch) == ("interrupted", 1)
        assert signal.getsignal(which) is signal.SIG_DFL
    finally:
        signal.signal(which, inherited)


def test_in_a_library_they_are_left_alone():
    seen = []
    model, theta = small_vae()
    train(model, theta, binary_rows(), epochs=1, callbacks=[lambda run: seen.append(signal.getsignal(signal.SIGTERM))])
    assert seen == [signal.SIG_DFL]
