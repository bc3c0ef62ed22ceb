from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks import long_run as module
from benchmarks.data import binarize
from benchmarks.long_run import Allowance, Recipe, begin, legs, long_run, told
from npvae.models import VAE
from npvae.parameters import Parameters
from npvae.training import load_checkpoint

X = np.random.default_rng(0).integers(0, 256, (400, 12)).astype(np.uint8)
MODEL = VAE.mlp(12, 2, (8,), "tanh")
START = MODEL.init(np.random.default_rng(1))
BY_EPOCHS = Recipe(epochs=20, minutes=None, batch_size=40)


def run(work, recipe=BY_EPOCHS, model=MODEL, **more):
    return long_run(model, X, recipe, work, asdict(recipe), START, binarize, **more)


class Killed(Exception):
    pass


class Mortal(VAE):
    """Dies in the middle of an epoch."""

    steps = 0

    def loss_and_grad(self, theta, x, noise):
        Mortal.steps += 1
        if Mortal.steps == 137:
            raise Killed
        return super().loss_and_grad(theta, x, noise)


@pytest.fixture
def now(monkeypatch):
    """A hand-wound clock."""
    time = [0.0]
    monkeypatch.setattr(module, "perf_counter", lambda: time[0])
    return time


def test_a_run_that_was_killed_ends_with_the_bits_of_one_that_was_not(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole")
    monkeypatch.setattr(module, "SAVE_EVERY", 0)
    with pytest.raises(Killed):
        run(tmp_path / "killed", model=Mortal.mlp(12, 2, (8,), "tanh"))
    assert load_checkpoint(tmp_path / "killed" / "training.npz").epoch == 13
    resumed = run(tmp_path / "killed")
    assert resumed.mean == whole.mean
    assert resumed.run.theta == whole.run.theta
    assert resumed.run.history["loss"] == whole.run.history["loss"]


def test_a_run_that_has_ended_is_not_trained_again(tmp_path):
    first = run(tmp_path)
    again = run(tmp_path)
    assert again.run.optimizer_state.t == first.run.optimizer_state.t == 200
    assert again.mean == first.mean
    assert again.seconds == first.seconds


def test_the_mean_is_over_the_last_quarter(tmp_path):
    passed = []

    class Watched(VAE):
        def loss_and_grad(self, theta, x, noise):
            passed.append(theta.flat.astype(np.float64))
            return super().loss_and_grad(theta, x, noise)

    trained = run(tmp_path, model=Watched.mlp(12, 2, (8,), "tanh"))
    passed.append(trained.run.theta.flat)
    counted = passed[170:201:20]  # the parameters after steps 170 and 190
    np.testing.assert_allclose(trained.mean.flat, np.mean(counted, axis=0), rtol=1e-4, atol=1e-6)


def test_a_folder_with_another_run_is_refused(tmp_path):
    run(tmp_path, replace(BY_EPOCHS, epochs=10))
    with pytest.raises(ValueError, match="--work holds a run with other settings"):
        run(tmp_path, replace(BY_EPOCHS, epochs=10, rate=1e-3))


def test_by_minutes_the_rate_falls_with_the_time_and_the_run_ends_with_it(tmp_path, now):
    rates = []

    class Slow(VAE):
        def loss_and_grad(self, theta, x, noise):
            now[0] += 0.5
            return super().loss_and_grad(theta, x, noise)

    recipe = Recipe(epochs=None, minutes=2, batch_size=40)
    watch = Allowance.__call__

    def watched(self, t):
        rates.append(watch(self, t))
        return rates[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Allowance, "__call__", watched)
        trained = run(tmp_path, recipe, Slow.mlp(12, 2, (8,), "tanh"))
    assert trained.seconds == pytest.approx(120, abs=5.5)  # up to the end of an epoch of 10 steps
    assert trained.run.settings["averaged_from"] == pytest.approx(180, abs=10)
    assert rates[0] == pytest.approx(2e-3, rel=0.01)
    assert rates[len(rates) // 2] == pytest.approx(1.01e-3, rel=0.02)
    assert rates[-1] == pytest.approx(2e-5, rel=0.05)


def test_processes_that_share_the_rows_leave_the_same_mean_and_tell_the_time(tmp_path):
    alone = run(tmp_path / "alone")
    shared = run(tmp_path / "shared", replace(BY_EPOCHS, jobs=2))
    np.testing.assert_allclose(shared.mean.flat, alone.mean.flat, rtol=1e-3, atol=1e-5)
    assert shared.run.history["loss"] == pytest.approx(alone.run.history["loss"], rel=1e-5)
    assert shared.seconds > 0


def test_a_run_may_go_on_with_another_number_of_processes(tmp_path):
    alone = run(tmp_path)
    assert run(tmp_path, replace(BY_EPOCHS, jobs=2)).mean == alone.mean


def test_processes_that_share_the_rows_keep_to_the_minutes(tmp_path):
    shared = run(tmp_path, replace(BY_EPOCHS, epochs=None, minutes=0.05, jobs=2))
    assert shared.seconds >= 3
    assert 0 < shared.run.settings["averaged_from"] < shared.run.optimizer_state.t


def test_a_pause_is_no_time_spent(now):
    allowance = Allowance(Recipe(None, minutes=10), None)
    for seconds in (1, 1, 3600, 1):
        now[0] += seconds
        allowance(0)
    assert allowance.spent == 3 + module.LONGEST_STEP


def test_ctrl_c_ends_the_command_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    import signal

    class Pressed(VAE):
        steps = 0

        def loss_and_grad(self, theta, x, noise):
            Pressed.steps += 1
            if Pressed.steps == 35:
                signal.raise_signal(signal.SIGINT)
            return super().loss_and_grad(theta, x, noise)

    monkeypatch.setattr(module, "SAVE_EVERY", 0)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, model=Pressed.mlp(12, 2, (8,), "tanh"))
    assert load_checkpoint(tmp_path / "training.npz").epoch == 3


SMALL = VAE.mlp(6, 2, (5,), "tanh")
BITS = (np.random.default_rng(0).random((200, 6)) < 0.5).astype(np.float32)


@pytest.fixture
def drawn():
    return SMALL.init(np.random.default_rng(1))


def test_a_run_without_an_earlier_one_begins_where_it_was_drawn(drawn):
    start, settings = begin(drawn, None, {"k": 1})
    assert start is drawn
    assert settings == {"k": 1}


def test_a_leg_begins_with_the_mean_of_the_one_before_and_keeps_its_settings(drawn, tmp_path):
    first = long_run(SMALL, BITS, Recipe(epochs=80, minutes=None), tmp_path / "a", {"k": 1, "bound": "stl"}, drawn)
    start, settings = begin(drawn, tmp_path / "a" / "training.npz", {"k": 5, "bound": "dreg"})
    np.testing.assert_array_equal(start.flat, first.mean.flat)
    assert not np.array_equal(start.flat, drawn.flat)
    second = long_run(SMALL, BITS, Recipe(epochs=40, minutes=None), tmp_path / "b", settings, start)
    parts = legs(settings, second)
    assert [(part["k"], part["epochs"]) for part in parts] == [(1, 80), (5, 40)]
    assert parts[0]["seconds"] == pytest.approx(first.seconds, abs=0.1)
    assert parts[1]["seconds"] == second.seconds


def test_a_leg_of_a_model_with_further_parameters_draws_those(drawn, tmp_path):
    first = long_run(SMALL, BITS, Recipe(epochs=80, minutes=None), tmp_path / "a", {"k": 1}, drawn)
    more = {name: drawn[name] for name in drawn.shapes} | {"baseline.W": np.full((6, 1), 0.5)}
    start, _ = begin(Parameters.from_arrays(more), tmp_path / "a" / "training.npz", {"k": 1})
    assert list(start.shapes) == list(more)
    np.testing.assert_array_equal(start["baseline.W"], more["baseline.W"])
    np.testing.assert_array_equal(start.flat[: drawn.flat.size], first.mean.flat)


def test_legs_of_one_kind_are_told_as_one():
    parts = [{"k": 1, "bound": "stl", "epochs": 7}, {"k": 1, "bound": "stl", "epochs": 3}]
    assert told(parts) == "10 epochs by the path gradient"
    parts += [{"k": 5, "bound": "dreg", "epochs": 2}, {"k": 5, "bound": "dreg", "epochs": 2}]
    assert told(parts) == "10 epochs by the path gradient with k = 1, then 4 epochs by the DReG gradient with k = 5"
