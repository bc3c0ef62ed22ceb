"""A quick run of the Boltzmann machine, from training to the row of the table."""

import json

from benchmarks.published import main


def test_a_quick_run_trains_goes_on_where_it_stopped_and_reports_both_ways(tmp_path, capsys):
    output = tmp_path / "result.json"
    argv = ["rbm", "--quick", "--work", str(tmp_path / "work"), "--output", str(output)]
    assert main(argv) == 0
    result = json.loads(output.read_text())
    (row,) = result["rows"]
    nll = result["results"]["nll"]["test"]
    assert 100 < nll["forward"] < 784 * 0.7
    assert row["here"] == f"{nll['forward']:.2f}"
    assert f"reverse AIS {nll['reverse']:.2f}" in row["notes"]
    assert main(argv) == 0
    assert "goes on after epoch 5" in capsys.readouterr().out
    assert json.loads(output.read_text())["rows"][0]["here"] == row["here"]


def test_a_leg_begins_with_the_mean_and_the_chains_of_an_ended_run(tmp_path, capsys):
    first, second = (["rbm", "--quick", "--work", str(tmp_path / name)] for name in ("first", "second"))
    assert main(first) == 0
    alone = capsys.readouterr().out
    assert main([*second, "--rate", "0.01", "--start", str(tmp_path / "first" / "training.npz")]) == 0
    told = capsys.readouterr().out
    notes = "5 epochs from rate 0.05 with weight decay 0.0003"
    assert f"{notes}, mean" in alone
    assert f"{notes}, then 5 epochs from rate 0.01 with weight decay 0.0003, mean" in told
