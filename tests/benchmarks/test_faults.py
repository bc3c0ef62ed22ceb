"""The campaign in its short form: each part does what it says, and finds what is wrong."""

import json
import os
from random import Random

import numpy as np
import pytest

from benchmarks import faults, files
from benchmarks.__main__ import main
from benchmarks.faults import damage, kills, mutations, originals
from benchmarks.faults.outcome import Outcome, Watch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the signals and processes of POSIX")

SHORT = {"models": 60, "checkpoints": 40, "data": 200, "kills": 2, "starts": 1, "full": 2, "read-only": 2}
SHORT |= {"folders": 4, "threads": 30, "soak": 1}


@pytest.mark.parametrize("part", SHORT)
def test_a_part_finds_nothing_wrong(part, tmp_path, capfd):
    page = tmp_path / "page.md"
    page.write_text("<!-- faults: begin -->\n<!-- faults: end -->\n")
    result = tmp_path / "result.json"
    words = ["faults", "--only", part, "--cases", str(SHORT[part]), "--minutes", "0.2"]
    assert main([*words, "--output", str(result), "--into", str(page)]) == 0, capfd.readouterr()
    (row,) = json.loads(result.read_text())["rows"]
    assert 1 <= row["cases"] <= SHORT[part]
    assert row["failures"] == []
    assert f"| {row['what']} | {row['cases']} | 0 |" in page.read_text()


def test_a_load_that_is_silent_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(damage, "_load", lambda original, path: None)
    outcome = damage.run("models", tmp_path, Watch(0, 20, None))
    assert len(outcome.failures) > 10


def test_loads_that_take_long_or_much_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(damage, "SECONDS", 0.05)

    def slow(original, path):
        while True:
            pass

    monkeypatch.setattr(damage, "_load", slow)
    for name in ("slow", "large"):
        (tmp_path / name).mkdir()
    outcome = damage.run("data", tmp_path / "slow", Watch(0, 2, None))
    assert [text.partition(": ")[2] for _, text in outcome.failures] == ["longer than 0.05 s"] * 2
    monkeypatch.setattr(damage, "_load", lambda original, path: np.ones(10**8))
    outcome = damage.run("data", tmp_path / "large", Watch(0, 2, None))
    assert all("MemoryError" in text for _, text in outcome.failures)
    assert len(outcome.failures) == 2


def test_another_training_has_other_bits():
    a = {"header": {}, "W": np.zeros(3)}
    assert kills.same(a, {"header": {}, "W": np.zeros(3)})
    for other in ({"header": {}, "W": np.ones(3)}, {"header": {"a": 1}, "W": np.zeros(3)}, {"header": {}}):
        assert not kills.same(a, other)


def test_a_case_follows_from_its_number():
    assert mutations.damaged(b"x" * 100, Random(3)) == mutations.damaged(b"x" * 100, Random(3))
    assert [case for case, _ in Watch(7, 3, None)] == [7, 8, 9]
    assert [case for case, _ in Watch(0, 9, -1.0)] == [0]


def test_every_model_is_among_the_files_and_the_trainings():
    from benchmarks.faults.processes import CONFIGURATIONS
    from npvae.estimators import registry

    trained = {words.split()[1] if words.startswith("--model") else "vae" for words in CONFIGURATIONS.values()}
    assert trained == set(registry.names())
    assert set(originals.fitted()) == {*registry.names(), "table"}


def test_failures_make_the_exit_status(monkeypatch, capsys):
    for name in faults.ONE_THREAD:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(faults, "_outcomes", lambda args: [Outcome("kills", "a", 3, [(1, "wrong")], "b")])
    assert faults.main([]) == 1
    assert "| a | 3 | 1 | b |" in capsys.readouterr().out
    monkeypatch.setattr(faults, "_outcomes", lambda args: [Outcome("kills", "a", 3)])
    assert faults.main([]) == 0


def test_results_of_several_parts_make_one_table(tmp_path, capsys):
    for part, failures in (("soak", []), ("models", [(7, "wrong")])):
        files.write(tmp_path / f"{part}.json", "faults", {}, rows=[Outcome(part, f"of {part}", 3, failures).plain()])
    capsys.readouterr()
    assert main(["faults", "--results", str(tmp_path / "soak.json"), str(tmp_path / "models.json")]) == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| of")]
    assert rows == ["| of models | 3 | 1 |  |", "| of soak | 3 | 0 |  |"]
