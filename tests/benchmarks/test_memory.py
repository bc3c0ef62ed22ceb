import json

from benchmarks.memory import main


def test_loaded_and_mapped_rows_are_each_a_line_and_a_result(tmp_path, capsys):
    rows = ["--rows", "1000", "--limit-mb", "800", "--steps", "2"]
    assert main([*rows, "--output", str(tmp_path / "memory.json")]) == 0
    loaded, mapped = json.loads((tmp_path / "memory.json").read_text())["rows"]
    assert (loaded["mapped"], mapped["mapped"]) == (False, True)
    assert min(loaded["ms_per_step"], mapped["ms_per_step"]) > 0
    assert len(capsys.readouterr().out.splitlines()) == 5  # two of the head, one for each, and where it was written
