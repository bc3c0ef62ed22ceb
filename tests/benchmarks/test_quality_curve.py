import numpy as np
import pytest

from benchmarks.quality import curve as module
from benchmarks.quality.curve import ALGORITHMS, BATCH, curve, points, scene
from npvae.models import GaussianVAE
from npvae.optimizers import OptimizerState
from npvae.training import TrainingRun


class Killed(Exception):
    pass


def test_points_are_eight_a_decade_in_whole_batches_and_end_with_the_last_sample():
    found = points(10_000_000)
    assert found[:4] == [1000, 1300, 1800, 2400]
    assert all(point % BATCH == 0 for point in found)
    assert len(found) == 4 * 8 + 1
    assert found[-1] == 10_000_000
    assert points(2000) == [1000, 1300, 1800, 2000]
    assert found[:24] == points(10**6)[:24]  # a longer run goes on from a shorter one


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_curve_that_was_killed_ends_with_the_numbers_of_one_that_was_not(algorithm, tmp_path, monkeypatch):
    whole = curve("frey-2", algorithm, 3000, tmp_path / "whole", quick=True)
    monkeypatch.setattr(module, "SAVE_EVERY", 0)
    real, calls = module.save_checkpoint, []

    def save(path, run):
        real(path, run)
        calls.append(1)
        if len(calls) == 20:
            raise Killed

    monkeypatch.setattr(module, "save_checkpoint", save)
    with pytest.raises(Killed):
        curve("frey-2", algorithm, 3000, tmp_path / "cut", quick=True)
    monkeypatch.setattr(module, "save_checkpoint", real)
    resumed = curve("frey-2", algorithm, 3000, tmp_path / "cut", quick=True)
    for name in ("rate", "samples", "train", "test"):
        assert resumed[name] == whole[name]


def test_a_curve_rises_and_a_longer_one_begins_with_it(tmp_path):
    short = curve("mnist-3", "aevb", 1800, tmp_path, quick=True)
    assert short["samples"] == [1000, 1300, 1800]
    assert short["train"][-1] > short["train"][0] + 5
    longer = curve("mnist-3", "aevb", 2400, tmp_path, quick=True)
    assert longer["test"][:3] == short["test"]
    assert longer["samples"][3:] == [2400]


def test_the_prior_pulls_the_weights_by_theta_over_n(monkeypatch):
    class Indifferent(GaussianVAE):
        def loss_and_grad(self, theta, x, noise):
            loss, dtheta = super().loss_and_grad(theta, x, noise)
            dtheta.flat[:] = 0
            return loss, dtheta

    class Plain:
        def __init__(self, rate):
            pass

        def step(self, theta, dtheta, state):
            state.t += 1
            theta -= dtheta

    monkeypatch.setattr(module, "Adagrad", Plain)
    shown = scene("mnist", quick=True)
    model = Indifferent(784, 2, (3,), "tanh")
    theta = model.init(np.random.default_rng(0), np.float64)
    run = TrainingRun(theta.copy(), OptimizerState(), settings={"rate": 1, "spent": 0.0})
    module._advance(run, model, shown, 3 * BATCH)
    np.testing.assert_allclose(run.theta.flat, theta.flat * (1 - 1 / 2000) ** 3, rtol=1e-12)


def test_faces_are_split_by_time_and_digits_drawn_once_for_the_bounds():
    digits = scene("mnist", quick=True)
    assert set(np.unique(digits.x_train)) == set(np.unique(digits.x_test)) == {0, 1}
    faces = scene("frey", quick=True)
    assert faces.x_test.shape == (200, 560)
    assert faces.model("aevb", 2).shapes["decoder.2.W"] == (200, 2 * 560)
    assert digits.model("aevb", 2).shapes["decoder.2.W"] == (500, 784)
