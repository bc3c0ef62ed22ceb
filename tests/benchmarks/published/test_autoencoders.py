"""Quick runs of the autoencoders and of denoising, from training to the rows of the table."""

import json

import numpy as np
import pytest

from benchmarks.published import main
from benchmarks.published.denoising import psnr


@pytest.mark.parametrize(("name", "n_rows"), [("autoencoders", 2), ("denoising", 2)])
def test_a_quick_run_trains_goes_on_where_it_stopped_and_reports(name, n_rows, tmp_path, capsys):
    output = tmp_path / "result.json"
    argv = [name, "--quick", "--work", str(tmp_path / "work"), "--output", str(output)]
    assert main(argv) == 0
    result = json.loads(output.read_text())
    assert len(result["rows"]) == n_rows
    assert "epoch 2" in capsys.readouterr().out
    assert main(argv) == 0
    assert "epoch" not in capsys.readouterr().out.partition("model:")[0]
    assert json.loads(output.read_text())["rows"][0]["here"] == result["rows"][0]["here"]


def test_the_psnr_by_hand():
    assert psnr(np.zeros((2, 2)), np.full((2, 2), 0.1)) == pytest.approx(20)
