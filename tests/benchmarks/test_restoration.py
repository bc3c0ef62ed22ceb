"""The comparison of restorations: every way that there is, on a few images."""

import json

from benchmarks.__main__ import main


def test_all_ways_are_told_and_written(tmp_path, capsys):
    words = ["--images", "3", "--training", "200", "--epochs", "1", "--steps", "4"]
    assert main(["restoration", *words, "--output", str(tmp_path / "result.json")]) == 0
    assert "| operator | noise | posterior mean |" in capsys.readouterr().out
    rows = {row["operator"]: row for row in json.loads((tmp_path / "result.json").read_text())["rows"]}
    assert len(rows) == 5
    assert {"denoising", "Wiener"} <= set(rows["noise"])
    assert all(row["total variation"] > row["pseudo-inverse"] for row in rows.values())
    assert "Wiener" not in rows["upper half"]
    # Without anything between but noise the shortest x is y itself, whose error is that of the noise.
    assert 9 < rows["noise"]["pseudo-inverse"] < 14
