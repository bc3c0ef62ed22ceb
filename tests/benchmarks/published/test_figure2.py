import json

import numpy as np
import pytest

from benchmarks.published import figure2 as module
from benchmarks.published.figure2 import ALGORITHMS, BATCH, NAMES, curve, draw, main, points, scene
from npvae.models import VAE
from npvae.optimizers import OptimizerState
from npvae.training import TrainingRun

pytest.importorskip("matplotlib")


def columns(*test):
    return {"rate": 0.01, "samples": [1000, 10_000], "seconds": [1.0, 2.0], "train": list(test), "test": list(test)}


def test_the_panels_are_those_of_the_paper():
    assert [f"mnist-{n}" for n in (3, 5, 10, 20, 200)] + [f"frey-{n}" for n in (2, 5, 10, 20)] == NAMES


def test_every_panel_has_four_curves_and_each_row_one_axis():
    numbers = {"mnist": (3, 5), "frey": (2,)}
    curves = {
        f"{data}-{n} {a}": columns(-150, -100)
        for data in numbers
        for n in numbers[data]
        for a in ("aevb", "wake-sleep")
    }
    figure = draw(curves)
    assert [len(strip.axes) for strip in figure.subfigs] == [2, 1]
    panels = [ax for strip in figure.subfigs for ax in strip.axes]
    assert [ax.get_title() for ax in panels] == ["MNIST, $N_z$ = 3", "MNIST, $N_z$ = 5", "Frey Face, $N_z$ = 2"]
    assert all(len(ax.lines) == 4 and ax.get_xscale() == "log" for ax in panels)


def test_a_quick_run_trains_in_processes_draws_and_goes_on_from_what_is_there(tmp_path, capfd):
    work = tmp_path / "work"
    options = ["--quick", "--algorithms", "aevb", "--panels", "mnist-3", "frey-2", "--jobs", "2", "--work", str(work)]
    assert main([*options, "--output", str(tmp_path / "a.json")]) == 0
    assert "frey-2 aevb: 4,000 samples" in capfd.readouterr().out
    assert main([*options, "--output", str(tmp_path / "b.json")]) == 0
    assert "4,000 samples" not in capfd.readouterr().out
    a, b = (json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("a.json", "b.json"))
    assert a == b
    assert list(a["results"]["curves"]) == ["mnist-3 aevb", "frey-2 aevb"]
    assert (work / "figure2.png").stat().st_size > 1000


def test_panels_that_are_not_trained_come_from_the_result_that_is_kept(tmp_path):
    curves = {name: columns(-150, -100) for name in ("mnist-3 aevb", "mnist-3 wake-sleep", "frey-2 aevb")}
    earlier = {"command": "published", "name": "figure2", "machine": {"cores": 7}, "settings": {"batch": 100}}
    (tmp_path / "earlier.json").write_text(json.dumps(earlier | {"results": {"curves": curves}}), encoding="utf-8")
    options = ["--quick", "--algorithms", "aevb", "--panels", "frey-2", "--work", str(tmp_path / "work")]
    files = ["--keep", str(tmp_path / "earlier.json"), "--output", str(tmp_path / "joined.json")]
    assert main([*options, *files]) == 0
    joined = json.loads((tmp_path / "joined.json").read_text(encoding="utf-8"))
    found = joined["results"]["curves"]
    assert list(found) == ["mnist-3 aevb", "mnist-3 wake-sleep", "frey-2 aevb"]
    assert all(found[name] == curves[name] for name in found if name.startswith("mnist"))
    assert found["frey-2 aevb"]["samples"][-1] == 4000
    assert [row["estimate"] for row in joined["rows"]] == ["bound, one draw, test, 10,000 samples"]
    assert joined["settings"]["kept"] == {"machine": {"cores": 7}, "settings": {"batch": 100}}


def test_what_is_kept_must_be_of_this_figure(tmp_path):
    (tmp_path / "other.json").write_text('{"command": "published", "name": "static"}', encoding="utf-8")
    with pytest.raises(ValueError, match="--keep must be a result of `python -m benchmarks published figure2`"):
        main(["--quick", "--panels", "frey-2", "--work", str(tmp_path), "--keep", str(tmp_path / "other.json")])


def test_the_rows_tell_the_last_bounds_and_who_is_above():
    from benchmarks.published.figure2 import _rows

    curves = {
        "mnist-3 aevb": columns(-150, -130),
        "mnist-3 wake-sleep": columns(-150, -140),
        "mnist-5 aevb": columns(-110, -125.04),
        "mnist-5 wake-sleep": columns(-150, -120),
        "frey-2 aevb": columns(0, 900),
    }
    (row,) = _rows(curves)
    assert row["here"] == "aevb -130.0, -125.0; wake-sleep -140.0, -120.0"
    told = "of 2 panels AEVB ends above in 1 in training, in 1 in test, where its highest bound is above in 2;"
    assert row["notes"].startswith(told)
    assert row["estimate"].endswith("10,000 samples")
    assert row["model"] == "AEVB figure 2, 3, 5 latents"
    assert row["seconds"] == 8


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
    class Indifferent(VAE):
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
    model = Indifferent.mlp(784, 2, (3,), "tanh")
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
