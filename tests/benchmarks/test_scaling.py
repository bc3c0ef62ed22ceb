"""The scaling benchmark runs every way, and refuses what fails."""

import json

import pytest

from benchmarks import scaling


def test_every_way_takes_its_turns(tmp_path, capsys):
    path = tmp_path / "scaling.json"
    assert scaling.main(["--rounds", "1", "--steps", "4", "--workload", "iwae", "--output", str(path)]) == 0
    times = json.loads(path.read_text())["workloads"]["iwae"]["seconds_per_step"]
    assert next(iter(times)) == "1 process"
    assert all(each[0] > 0 for each in times.values())
    assert "times as fast as one process" in capsys.readouterr().out


def test_a_way_that_fails_is_an_error_with_its_reason():
    with pytest.raises(ValueError, match=r"(?s)ended with status 1.*KeyError: 'absent'"):
        scaling._time("absent", scaling.Way(side_by_side=2), 4)
