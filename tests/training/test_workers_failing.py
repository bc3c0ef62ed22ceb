"""Processes that train together fail in good order: a clear error, the last good parameters, and nothing left."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from npvae.optimizers import SGD
from npvae.training import (
    NonFiniteLossError,
    TrainingRun,
    WorkerError,
    load_checkpoint,
    save_checkpoint,
    shared_memory,
    train,
)
from npvae.training.workers import WorkerSteps
from tests.training.toys import Fails, Mean

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


def children(of=None):
    """Processes that this one has started, and that are alive."""
    pid = os.getpid() if of is None else of
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return [child for child in found if b"npvae.training.worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.fixture(autouse=True)
def nothing_is_left():
    descriptors = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()  # a caught error has held the frames that saw the shared memory
    assert children() == []
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert "memfd:npvae" not in Path("/proc/self/maps").read_text()


def failing(model, x=X, **settings):
    settings = {"epochs": 50, "batch_size": 4, "n_jobs": 2, "optimizer": SGD(0.01)} | settings
    with pytest.raises((WorkerError, NonFiniteLossError)) as caught:
        train(model, model.init(None), x, **settings)
    assert np.isfinite(caught.value.run.theta.flat).all()
    return caught.value


def with_99(row):
    x = X.copy()
    x[row] = 99
    return x


def test_an_error_in_a_worker_is_shown_with_its_trace():
    error = failing(Fails(KeyError("mine")), with_99(7))
    assert isinstance(error, WorkerError)
    assert "of 2 failed: KeyError: 'mine', at step " in str(error)
    assert "the last good parameters are kept" in str(error)
    assert "In the worker:\nTraceback" in str(error)
    assert error.run.stopped == "failed worker"
    with pytest.raises(ValueError, match="start must not be a run that broke down"):
        train(Mean(), error.run, X)


def test_a_loss_that_is_not_finite_is_explained_as_by_one_process():
    errors = [failing(Fails(), with_99(7), n_jobs=n) for n in (1, 2)]
    assert [type(error) for error in errors] == [NonFiniteLossError] * 2
    assert str(errors[0]) == str(errors[1])
    assert "in distance; the last good parameters are kept" in str(errors[1])
    np.testing.assert_allclose(errors[1].run.theta.flat, errors[0].run.theta.flat)
    assert errors[1].run.optimizer_state.t == errors[0].run.optimizer_state.t


def test_data_that_are_not_finite_are_blamed():
    x = X.copy()
    x[11, 1] = np.inf
    assert str(failing(Fails(), x)).endswith("in x itself, which has NaN or infinity")


def test_last_good_parameters_are_at_most_a_hundred_steps_old():
    error, alone = (failing(Fails(), transform=at_visit(251, 99.0), n_jobs=n) for n in (2, 1))
    np.testing.assert_allclose(error.run.theta.flat, alone.run.theta.flat, rtol=1e-5)
    assert not np.allclose(
        error.run.theta.flat, failing(Fails(), transform=at_visit(199, 99.0), n_jobs=1).run.theta.flat
    )


def test_a_run_that_fails_soon_after_it_goes_on_keeps_the_parameters_with_which_it_went_on():
    begun = train(Mean(), Mean().init(None), X, epochs=10, batch_size=4, optimizer=SGD(0.01))
    assert begun.optimizer_state.t == 150  # between two snapshots
    with pytest.raises(NonFiniteLossError) as caught:
        train(Fails(), begun, with_99(7), epochs=12, batch_size=4, n_jobs=2, optimizer=SGD(0.01))
    np.testing.assert_array_equal(caught.value.run.theta.flat, begun.theta.flat)


def at_visit(visit, value):
    """A transform that makes one batch a constant."""
    visits = []

    def transform(batch, rng):
        visits.append(1)
        return np.full_like(batch, value) if len(visits) == visit else batch

    return transform


def kill_after(seconds, number, which=signal.SIGKILL, begun=None):
    """Kill one of the workers some time after all of them run, and after the event `begun` if there is one."""

    def kill():
        if begun is not None:
            begun.wait(30)
        deadline = time.monotonic() + 30
        while len(running := children()) < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(seconds)
        os.kill(running[number], which)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize("seed", range(6))
def test_chaos_a_worker_killed_at_any_moment_leaves_good_parameters_and_a_checkpoint(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path, begun = tmp_path / "c.npz", threading.Event()
    amid = seed >= 2  # else while the workers start, as a rule
    x = np.random.default_rng(0).normal(size=(40, 90)).astype(np.float32)
    model = Mean(90)  # each worker moves a part of it
    snapshots = [model.init(None).flat]
    thread = kill_after(rng.uniform(0, 0.6), int(rng.integers(2)), begun=begun if amid else None)

    def keep(run):
        save_checkpoint(path, run)
        begun.set()
        if run.optimizer_state.t % 100 == 0:
            snapshots.append(run.theta.flat.copy())

    error = failing(model, x, epochs=10**6, callbacks=[keep], seed=seed)
    thread.join()
    assert "was killed by signal 9" in str(error)
    assert error.run.history.n_rows == error.run.epoch
    assert error.run.epoch > 0 or not amid
    assert any(np.array_equal(error.run.theta.flat, theta) for theta in snapshots[-2:])
    if error.run.epoch:
        kept = load_checkpoint(path)
        settings = {"epochs": kept.epoch + 1, "batch_size": 4, "n_jobs": 2, "optimizer": SGD(0.01)}
        resumed = train(model, kept, x, **settings)
        straight = train(model, model.init(None), x, seed=seed, **settings)
        np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)


def test_a_part_that_a_worker_had_no_time_to_copy_is_that_of_theta_itself():
    steps = WorkerSteps(TrainingRun.begin(Mean(40).init(None), SGD(), 0), Mean(40), SGD(), 2)
    copying, copied = np.zeros((2, 2, 8), int)
    theta, good = np.arange(40.0), -np.arange(40.0)
    steps._shared = {"copying": copying, "copied": copied, "good": good}
    steps._run.theta.flat[:] = theta
    np.testing.assert_array_equal(steps.good.flat, good)
    copying[1, 0] = 100  # the second is at it: what it has written is not whole, and the first is still where it was
    np.testing.assert_array_equal(steps.good.flat, theta)
    copied[1, 0] = 100  # and now it may move
    np.testing.assert_array_equal(steps.good.flat, [*theta[:16], *good[16:]])
    copying[0, 0] = copied[0, 0] = 100
    np.testing.assert_array_equal(steps.good.flat, good)


def test_a_stopped_worker_does_not_keep_the_others_from_ending():
    thread = kill_after(0.1, 0, signal.SIGSTOP)
    killer = kill_after(0.3, 1)
    error = failing(Mean(), epochs=10**6)
    thread.join()
    killer.join()
    assert "worker 2 of 2 was killed" in str(error)


def test_ctrl_c_ends_after_the_current_step_and_keeps_what_was_trained():
    def press(run):
        if run.epoch == 3:
            signal.raise_signal(signal.SIGINT)

    run = train(Mean(), Mean().init(None), X, epochs=50, batch_size=4, n_jobs=2, callbacks=[press])
    assert (run.stopped, run.epoch, run.history.n_rows) == ("interrupted", 3, 3)

    visits = []

    def press_at_visit(batch, rng):
        visits.append(1)
        if len(visits) == 20:
            signal.raise_signal(signal.SIGINT)
        return batch

    run = train(Mean(), Mean().init(None), X, epochs=50, batch_size=4, n_jobs=2, transform=press_at_visit)
    assert (run.stopped, run.epoch) == ("interrupted", 1)
    assert 15 <= run.optimizer_state.t <= 20


def test_an_error_in_a_callback_or_a_transform_ends_the_workers():
    def fail(*arguments):
        raise LookupError("mine")

    for settings in ({"callbacks": [fail]}, {"transform": fail}):
        with pytest.raises(LookupError, match="mine"):
            train(Mean(), Mean().init(None), X, n_jobs=2, **settings)


def test_too_little_memory_is_said_before_anything_starts(monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_memory.os, "posix_fallocate", full)
    with pytest.raises(MemoryError, match="MB of shared memory: No space left on device"):
        train(Mean(), Mean().init(None), X, n_jobs=2)


def test_an_interpreter_that_does_not_start_is_named(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "worker 1 of 2 cannot start" in str(failing(Mean()))


SCRIPT = """\
import numpy as np
from npvae.models import VAE
from npvae.training import train
{own}
x = (np.random.default_rng(0).random((64, 6)) < 0.5).astype(np.float32)
model = {model}
print(train(model, model.init(np.random.default_rng(0)), x, epochs={epochs}, batch_size=16, n_jobs=2).stopped)
"""
OWN = "class Mine(VAE):\n    pass\nMine.mlp = classmethod(VAE.mlp.__func__)\n"


def script(tmp_path, **parts):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(**{"own": "", "model": "VAE.mlp(6, 2, (5,))", "epochs": 2} | parts))
    return [sys.executable, str(path)]


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_a_script_needs_no_guard(tmp_path):
    done = subprocess.run(script(tmp_path), capture_output=True, text=True, env=environment(), timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "finished\n", "")


def test_a_class_of_the_script_itself_is_refused_with_advice(tmp_path):
    parts = {"own": OWN, "model": "Mine.mlp(6, 2, (5,))"}
    done = subprocess.run(script(tmp_path, **parts), capture_output=True, text=True, env=environment(), timeout=120)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "n_jobs must be 1 unless a new process can load model and optimiser" in last
    assert "'Mine'" in last
    assert last.endswith("have to move into a module that it imports")


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(tmp_path, which):
    parent = subprocess.Popen(script(tmp_path, epochs=10**6), stdout=subprocess.DEVNULL, env=environment())
    deadline = time.monotonic() + 60
    while len(workers := children(parent.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    parent.send_signal(which)
    parent.wait(timeout=30)
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
