import numpy as np
import pytest

from benchmarks.quality.legs import begin, legs, told
from benchmarks.quality.long_run import Recipe, long_run
from npvae.models import GaussianVAE

MODEL = GaussianVAE(6, 2, (5,), "tanh")
X = (np.random.default_rng(0).random((200, 6)) < 0.5).astype(np.float32)


@pytest.fixture
def drawn():
    return MODEL.init(np.random.default_rng(1))


def test_a_run_without_an_earlier_one_begins_where_it_was_drawn(drawn):
    start, settings = begin(drawn, None, {"k": 1})
    assert start is drawn
    assert settings == {"k": 1}


def test_a_leg_begins_with_the_mean_of_the_one_before_and_keeps_its_settings(drawn, tmp_path):
    first = long_run(MODEL, X, Recipe(epochs=80, minutes=None), tmp_path / "a", {"k": 1, "bound": "stl"}, drawn)
    start, settings = begin(drawn, tmp_path / "a" / "training.npz", {"k": 5, "bound": "dreg"})
    np.testing.assert_array_equal(start.flat, first.mean.flat)
    assert not np.array_equal(start.flat, drawn.flat)
    second = long_run(MODEL, X, Recipe(epochs=40, minutes=None), tmp_path / "b", settings, start)
    parts = legs(settings, second)
    assert [(part["k"], part["epochs"]) for part in parts] == [(1, 80), (5, 40)]
    assert parts[0]["seconds"] == pytest.approx(first.seconds, abs=0.1)
    assert parts[1]["seconds"] == second.seconds


def test_legs_of_one_kind_are_told_as_one():
    parts = [{"k": 1, "bound": "stl", "epochs": 7}, {"k": 1, "bound": "stl", "epochs": 3}]
    assert told(parts) == "10 epochs by the path gradient"
    parts += [{"k": 5, "bound": "dreg", "epochs": 2}, {"k": 5, "bound": "dreg", "epochs": 2}]
    assert told(parts) == "10 epochs by the path gradient with k = 1, then 4 epochs by the DReG gradient with k = 5"
