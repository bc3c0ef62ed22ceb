import json

import pytest

from benchmarks import files


def test_a_written_result_is_read_back_with_the_machine_described(tmp_path):
    path = tmp_path / "new" / "speed.json"
    files.write(path, "speed", {"rounds": 3}, workloads={"usual": [0.25, 0.5]})
    document = files.read(path, "speed")
    assert document["workloads"] == {"usual": [0.25, 0.5]}
    assert document["settings"] == {"rounds": 3}
    assert {"date", "processor", "cores", "python", "blas", "threads", "versions"} <= document["machine"].keys()


def test_the_machine_is_described_but_not_named(tmp_path):
    import platform

    files.write(tmp_path / "speed.json", "speed", {})
    assert platform.node() not in json.dumps(list(files.read(tmp_path / "speed.json", "speed")["machine"].values()))


def test_a_list_of_numbers_takes_one_line(tmp_path):
    files.write(tmp_path / "speed.json", "speed", {}, times=[1.5, 2.5, 3.5])
    assert '"times": [ 1.5, 2.5, 3.5 ]' in (tmp_path / "speed.json").read_text()


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write(None, "speed", {})
    assert list(tmp_path.iterdir()) == []


def test_the_result_of_another_command_is_refused(tmp_path):
    files.write(tmp_path / "a.json", "startup", {})
    with pytest.raises(ValueError, match=r"a\.json must be a result of `python -m benchmarks speed`"):
        files.read(tmp_path / "a.json", "speed")
