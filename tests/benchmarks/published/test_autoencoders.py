"""Quick runs of the autoencoders and of denoising, from training to the rows of the table."""

import json

import numpy as np
import pytest

from benchmarks.published import main
from benchmarks.published.denoising import psnr
from benchmarks.published.linear import largest_angle, principal_subspace


@pytest.mark.parametrize(
    ("name", "n_rows", "pictures"),
    [
        ("autoencoders", 3, {"autoencoders"}),
        ("denoising", 2, {"denoising"}),
        ("generation", 2, {"generation"}),
        ("codes", 2, {"codes", "bits"}),
        ("linear", 2, set()),
        ("anomalies", 1, set()),
    ],
)
def test_a_quick_run_trains_goes_on_where_it_stopped_and_reports(name, n_rows, pictures, tmp_path, capsys):
    if name == "anomalies":
        pytest.importorskip("torch", reason="the other side of the comparison")
    output, folder = tmp_path / "result.json", tmp_path / "pictures"
    argv = [name, "--quick", "--work", str(tmp_path / "work"), "--output", str(output), "--pictures", str(folder)]
    assert main(argv) == 0
    result = json.loads(output.read_text())
    assert len(result["rows"]) == n_rows
    assert ("without 1" if name == "anomalies" else "epoch 2") in capsys.readouterr().out
    assert {path.stem for path in folder.glob("*.png")} == pictures
    assert main(argv) == 0
    assert "epoch" not in capsys.readouterr().out.partition("model:")[0]
    assert json.loads(output.read_text())["rows"][0]["here"] == result["rows"][0]["here"]


def test_the_psnr_by_hand():
    assert psnr(np.zeros((2, 2)), np.full((2, 2), 0.1)) == pytest.approx(20)


def test_angles_between_subspaces_by_hand():
    plane = np.eye(3)[:, :2]
    assert largest_angle(np.array([[1, 0], [0, np.cos(0.1)], [0, np.sin(0.1)]]), plane) == pytest.approx(
        np.degrees(0.1)
    )
    assert largest_angle(plane @ [[2, 1], [0, 1]], plane) == pytest.approx(0, abs=1e-6)


def test_the_principal_subspace_is_that_of_the_largest_variances():
    x = np.random.default_rng(0).standard_normal((500, 4)) * [1, 9, 2, 5] + 3
    assert largest_angle(principal_subspace(x, 2), np.eye(4)[:, [1, 3]]) < 10
