import json

import pytest

from benchmarks.table import (
    BEGIN,
    CHECKER_BEGIN,
    CHECKER_END,
    END,
    checker_table,
    insert,
    main,
    speed_table,
    startup_table,
)
from tests.benchmarks.results import speed_result

SPEED = speed_result((4e-3, 4e-3, 4e-3), (2e-3, 2e-3, 2e-3), torch=(8e-3, 8e-3, 8e-3), jax=(5e-3, 4e-3, 5e-3))
STARTUP = {
    "command": "startup",
    "settings": {"epochs": 10},
    "epochs": {
        "npvae": {"first": [2.0, 2.0], "last": [20.0, 22.0], "loss": [107.0, 107.2]},
        "torch": {"first": [4.0, 8.0], "last": [40.0, 41.0], "loss": [107.1, 107.1]},
    },
    "import_seconds": {"numpy": [0.100, 0.120], "npvae": [0.130, 0.160]},
    "installed_mb": {"npvae": {"own": 0.4, "with_requirements": 58.0}, "JAX with optax": None},
}


def cells(table: str, row: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[row].strip("|").split("|")]


def test_the_row_of_a_workload_holds_times_ratios_and_memory():
    assert cells(speed_table(SPEED), 2) == [
        "784-400-20 relu, batch 128",
        "4.00",
        "1,234",
        "0.80 [0.80–0.90] (JAX, jit and optax)",
        "0.50 [0.50–0.50]",
        "2.00 [2.00–2.00]",
        "0.25",
    ]


def test_what_was_not_measured_is_a_dash():
    row = cells(speed_table(speed_result((4e-3,), (2e-3,))), 2)
    assert row[3:] == ["–", "–", "2.00 [2.00–2.00]", "–"]


def test_the_caption_describes_the_machine():
    assert "2025-01-31; Abacus, 2 cores; Python 3.11, numpy 2" in speed_table(SPEED)


def test_the_caption_says_how_it_was_measured():
    assert "of 3 rounds, in which each ran for 0.6 s in turn. PyTorch" in speed_table(SPEED)
    busy = {**SPEED, "settings": {**SPEED["settings"], "load_before": 2.28}}
    assert "0.6 s in turn; the machine was not idle, load 2.28, so they are rough. PyTorch" in speed_table(busy)


def test_startup_is_seconds_ratio_and_loss_by_implementation():
    table = startup_table(STARTUP)
    assert cells(table, 0)[2] == "10 epochs, s"
    assert cells(table, 2) == ["npvae", "2.0", "21.0", "–", "107.10"]
    assert cells(table, 3) == ["PyTorch, default Adam", "6.0", "40.5", "0.38 [0.31–0.44]", "107.10"]
    assert "35 ms over NumPy's own 110 ms" in table
    assert "npvae 58 MB." in table
    assert "Medians [quartiles] of 2 processes each" in table


def test_a_table_replaces_what_stood_between_the_markers():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert insert(text, "| new |") == f"before\n{BEGIN}\n| new |\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_markers_that_are_missing_or_doubled_are_refused(text):
    with pytest.raises(ValueError, match="once each and in this order"):
        insert(text, "| new |")


def test_the_command_writes_into_the_file_that_it_is_given(tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(SPEED))
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n{BEGIN}\n{END}\n")
    none = str(tmp_path / "none.json")
    options = ["--speed", str(tmp_path / "speed.json"), "--startup", none, "--checker", none, "--quality"]
    assert main([*options, "--insert", str(readme)]) == 0
    assert "| 784-400-20 relu, batch 128 | 4.00 |" in readme.read_text()


def test_without_results_the_command_says_which_file_is_missing(tmp_path, capsys):
    none = str(tmp_path / "none.json")
    assert main(["--speed", none, "--checker", none, "--quality"]) == 2
    assert "none.json" in capsys.readouterr().err


CHECKER = {
    "command": "gradcheck",
    "machine": SPEED["machine"],
    "settings": {"seeds": 1000},
    "planted": {
        "a sign": {"found": True, "named": True, "seconds": 0.25},
        "a factor": {"found": True, "named": False, "seconds": 0.5},
    },
    "correct": {
        "Dense": {"PASS": 999, "FAIL": 1, "INCONCLUSIVE": 0, "worst": 1e-16},
        "ReLU": {"PASS": 1000, "FAIL": 0, "INCONCLUSIVE": 0, "worst": 3e-15},
    },
    "seconds": {"everything": 2.0},
}


def test_the_checker_is_told_by_its_hits_its_alarms_and_its_times():
    table = checker_table(CHECKER)
    assert "| planted mistakes found and called by their names | 1 of 2 |" in table
    assert "| false alarms: 2 correct parts, 1,000 seeds each | 1 |" in table
    assert "| worst error among them, relative to the gradient | 3e-15 |" in table
    assert "| slowest of them, 326,824 parameters | 0.50 s |" in table
    assert "| time: everything | 2.00 s |" in table


def test_both_tables_go_between_their_own_markers(tmp_path):
    readme, speed, checker = tmp_path / "README.md", tmp_path / "speed.json", tmp_path / "gradcheck.json"
    readme.write_text(f"a\n{BEGIN}\n{END}\nb\n{CHECKER_BEGIN}\nold\n{CHECKER_END}\nc\n", encoding="utf-8")
    speed.write_text(json.dumps(SPEED), encoding="utf-8")
    checker.write_text(json.dumps(CHECKER), encoding="utf-8")
    places = ["--speed", str(speed), "--startup", str(tmp_path / "none.json"), "--checker", str(checker), "--quality"]
    assert main([*places, "--insert", str(readme)]) == 0
    text = readme.read_text(encoding="utf-8")
    assert (
        text
        == f"a\n{BEGIN}\n{speed_table(SPEED)}\n{END}\nb\n{CHECKER_BEGIN}\n{checker_table(CHECKER)}\n{CHECKER_END}\nc\n"
    )
