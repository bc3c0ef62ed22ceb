"""A quick run of the binary nets, from training to the rows of the table."""

import json

import pytest

from benchmarks.published import main
from benchmarks.published.binary import told


@pytest.mark.parametrize("options", [["--layers", "6"], ["--layers", "6", "4", "--estimator", "nvil"]])
def test_a_quick_run_trains_goes_on_where_it_stopped_and_reports_bound_and_likelihood(options, tmp_path, capsys):
    output = tmp_path / "result.json"
    argv = ["binary", "--quick", "--work", str(tmp_path / "work"), "--output", str(output), *options]
    assert main(argv) == 0
    result = json.loads(output.read_text())
    first, second = result["rows"]
    bound, likelihood = (first, second) if "nvil" in options else (second, first)
    assert float(likelihood["here"]) < float(bound["here"]) < 784 * 0.7
    assert "prior learned" in bound["notes"]
    assert main(argv) == 0
    assert "goes on after epoch 5" in capsys.readouterr().out
    assert json.loads(output.read_text())["rows"][0]["here"] == first["here"]


def test_legs_of_one_kind_that_follow_each_other_are_told_as_one():
    legs = [{"estimator": "vimco", "k": k, "epochs": epochs} for k, epochs in ((5, 60), (5, 40), (10, 7))]
    assert told(legs) == "100 epochs by vimco, K = 5, then 7 epochs by vimco, K = 10"
