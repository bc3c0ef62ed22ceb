import json
from itertools import pairwise

import pytest

from benchmarks.density_tables import restoration_table
from benchmarks.estimates import row, thinned, write
from benchmarks.table import (
    checker_table,
    insert,
    main,
    published_table,
    scaling_table,
    short_published_table,
    short_speed_table,
    speed_table,
    startup_table,
)
from tests.benchmarks.results import speed_result

SPEED = speed_result((4e-3, 4e-3, 4e-3), (2e-3, 2e-3, 2e-3), torch=(8e-3, 8e-3, 8e-3), jax=(5e-3, 4e-3, 5e-3))
SHARED = speed_result((4e-3, 4e-3), (2e-3, 2e-3), **{"npvae-one": (6e-3, 6e-3)})
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


def test_the_gain_of_several_processes_has_a_column_and_a_word_in_the_caption():
    assert cells(speed_table(SHARED), 2)[5] == "0.67 [0.67–0.67]"
    for table in (speed_table, short_speed_table):
        assert "npvae trains by 2 processes, one a core" in table(SHARED)
        assert "processes, one a core" not in table(SPEED)


def test_the_row_of_a_workload_holds_times_ratios_and_memory():
    assert cells(speed_table(SPEED), 2) == [
        "784-400-20 relu, batch 128",
        "4.00",
        "1,234",
        "0.80 [0.80–0.90] (JAX, jit and optax)",
        "0.50 [0.50–0.50]",
        "–",
        "2.00 [2.00–2.00]",
        "0.25",
    ]


def test_scaling_is_how_many_times_as_fast_each_way_is():
    times = {"1 process": [4e-3, 6e-3], "2 workers": [2e-3, 3e-3], "2 MPI ranks": [4e-3, 6e-3]}
    settings = {"rounds": 2, "steps": 300}
    document = SPEED | {"settings": settings, "workloads": {"usual": {"title": "it", "seconds_per_step": times}}}
    table = scaling_table(document)
    assert cells(table, 0) == ["workload", "1 process, ms/step", "2 workers", "2 MPI ranks"]
    assert cells(table, 2) == ["it", "5.00", "2.00 [2.00–2.00] times as fast", "1.00 [1.00–1.00] times as fast"]


def test_what_was_not_measured_is_a_dash():
    row = cells(speed_table(speed_result((4e-3,), (2e-3,))), 2)
    assert row[3:] == ["–", "–", "–", "2.00 [2.00–2.00]", "–"]


def test_the_caption_of_speed_has_the_mean_over_the_networks():
    overall = "In short, npvae / fastest peer in training: usual 0.80; geometric mean 0.80. Times of npvae divided"
    assert overall in speed_table(SPEED)


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


BOTH = "<!-- speed: begin -->\nold\n<!-- speed: end -->"


def test_a_table_replaces_what_stood_between_its_markers():
    text = f"before\n{BOTH}\nbetween\n{BOTH.replace('speed', 'checker')}\nafter\n"
    assert insert(text, {"speed": "| a |", "checker": "| b |", "startup": "| c |"}) == (
        "before\n<!-- speed: begin -->\n| a |\n<!-- speed: end -->\nbetween\n"
        "<!-- checker: begin -->\n| b |\n<!-- checker: end -->\nafter\n"
    )


def test_a_page_without_markers_stays_what_it_is():
    assert insert("# Title\n", {"speed": "| a |"}) == "# Title\n"


@pytest.mark.parametrize(
    "text", [BOTH[:24], BOTH[-22:], "\n".join(BOTH.split("\n")[::-1]), BOTH + BOTH, BOTH + BOTH[-22:]]
)
def test_markers_that_are_missing_or_doubled_are_refused(text):
    with pytest.raises(ValueError, match="once each and in this order"):
        insert(text, {"speed": "| new |"})


def test_a_table_that_is_not_made_stays_as_it_is():
    assert insert(f"{BOTH}\n", {"startup": "| new |"}) == f"{BOTH}\n"


def test_the_command_writes_into_the_file_that_it_is_given(tmp_path):
    (tmp_path / "speed.json").write_text(json.dumps(SPEED))
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{BOTH}\n")
    assert main(["--results", str(tmp_path), "--insert", str(page)]) == 0
    assert "| 784-400-20 relu, batch 128 | 4.00 |" in page.read_text()


def test_the_short_table_of_speed_has_a_time_and_three_shares():
    assert cells(short_speed_table(SPEED), 2) == ["784-400-20 relu, batch 128", "4.0", "0.50", "0.80", "0.25"]
    alone = short_speed_table(speed_result((4e-3,), (2e-3,)))
    assert cells(alone, 2) == ["784-400-20 relu, batch 128", "4.0", "–", "–", "–"]


def test_without_results_the_command_says_what_is_missing(tmp_path, capsys):
    assert main(["--results", str(tmp_path)]) == 2
    assert "--results must hold speed.json or another result, got" in capsys.readouterr().err


def test_a_file_that_is_no_result_is_named(tmp_path, capsys):
    (tmp_path / "published-a.json").write_text("{}")
    assert main(["--results", str(tmp_path)]) == 2
    assert "published-a.json must be a result of `python -m benchmarks published`" in capsys.readouterr().err


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


MACHINE = {
    "date": "2025-01-31",
    "processor": "Abacus",
    "cores": 2,
    "python": "3.11",
    "versions": {"numpy": "2"},
    "threads": {"OPENBLAS_NUM_THREADS": "1"},
}
ROW = row("VAE", "MNIST, dynamic", "−L5000", "86.40 (20 active)", "86.76 (19 active)", "1 epoch", 5130.0)


def result(*rows, **machine):
    return {"command": "published", "machine": MACHINE | machine, "rows": list(rows)}


def test_a_row_has_the_figure_beside_the_published_one_and_minutes():
    table = published_table([result(ROW)]).splitlines()
    assert table[2] == "| VAE | MNIST, dynamic | −L5000 | 86.40 (20 active) | 86.76 (19 active) | 1 epoch | 86 |"


def test_every_machine_is_named_once():
    caption = published_table([result(ROW), result(ROW, ROW), result(ROW, processor="Quipu")]).splitlines()[-1]
    assert caption.count("Abacus") == caption.count("Quipu") == 1
    assert caption.count("1 BLAS thread") == 2


@pytest.mark.parametrize(
    ("threads", "said"),
    [({}, "BLAS threads as it chooses"), ({"A": "2", "B": "2"}, "2 BLAS threads"), ({"A": "1"}, "1 BLAS thread.")],
)
def test_the_threads_are_those_of_the_environment(threads, said):
    assert said in published_table([result(ROW, threads=threads)])


def test_the_short_table_has_the_first_figure_of_one_reproduction_a_family():
    chosen, other = ({**result(ROW, row("VAE", "MNIST", "bound", "-1", "-", "", 1.0)), "name": n} for n in ("rbm", "x"))
    table = short_published_table([chosen, other]).splitlines()
    assert table[2:] == ["| VAE | MNIST, dynamic | −L5000 | 86.40 (20 active) | 86.76 (19 active) |"]


def test_what_a_reproduction_writes_is_read_into_the_page(tmp_path):
    path, page = tmp_path / "published-a.json", tmp_path / "page.md"
    write(path, "a", {"seed": 3}, [ROW], {"nll": 86.4})
    page.write_text(f"before\n{BOTH.replace('speed', 'published')}\nafter\n", encoding="utf-8")
    assert main(["--results", str(tmp_path), "--insert", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "86.40 (20 active)" in text
    assert text.startswith("before")
    assert text.endswith("after\n")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["settings"] == {"seed": 3}
    assert written["results"] == {"nll": 86.4}


@pytest.mark.parametrize("n", [1, 7, 100, 101, 250, 1201])
def test_a_thinned_history_is_short_even_and_ends_with_the_last_epoch(n):
    epochs = thinned({"epoch": list(range(1, n + 1)), "loss": [1 / 3] * n})["epoch"]
    assert min(n, 50) <= len(epochs) <= 100
    assert epochs[-1] == n
    assert len({b - a for a, b in pairwise(epochs)}) <= 1
    assert thinned({"loss": [1 / 3]})["loss"] == [0.333]


def test_restored_images_have_a_column_a_way_and_a_dash_where_there_is_none():
    row = {"operator": "noise", "noise": 0.3, "posterior mean": 20.0, "denoising": 19.123, "disagree": 2}
    machine = {"date": "2026-11-27", "processor": "P", "cores": 2, "python": "3.11", "versions": {}}
    table = restoration_table({"settings": {"images": 5}, "rows": [row], "machine": machine})
    assert cells(table, 2) == ["noise", "0.3", "20.00", "–", "19.12", "–", "–", "–"]
    assert "The chains disagree in so many of them: noise 2." in table
