"""A quick run of the binary nets, from training to the rows of the table."""

import json

import pytest

from benchmarks.published import main


@pytest.mark.parametrize("options", [["--layers", "6"], ["--layers", "6", "4", "--estimator", "nvil"]])
def test_a_quick_run_trains_goes_on_where_it_stopped_and_reports_bound_and_likelihood(options, tmp_path, capsys):
    output = tmp_path / "result.json"
    argv = ["binary", "--quick", "--work", str(tmp_path / "work"), "--output", str(output), *options]
    assert main(argv) == 0
    result = json.loads(output.read_text())
    bound, likelihood = result["rows"]
    assert float(likelihood["here"]) < float(bound["here"]) < 784 * 0.7
    assert "prior learned" in bound["notes"]
    assert main(argv) == 0
    assert "goes on after epoch 5" in capsys.readouterr().out
    assert json.loads(output.read_text())["rows"][0]["here"] == bound["here"]
