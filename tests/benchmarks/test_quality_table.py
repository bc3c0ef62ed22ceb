import json
from itertools import pairwise

import pytest

from benchmarks.quality.result import row, thinned, write
from benchmarks.quality.table import quality_table
from benchmarks.table import QUALITY_BEGIN, QUALITY_END, main

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
    return {"command": "quality", "machine": MACHINE | machine, "rows": list(rows)}


def test_a_row_has_the_figure_beside_the_published_one_and_minutes():
    table = quality_table([result(ROW)]).splitlines()
    assert table[2] == "| VAE | MNIST, dynamic | −L5000 | 86.40 (20 active) | 86.76 (19 active) | 1 epoch | 86 |"


def test_every_machine_is_named_once():
    caption = quality_table([result(ROW), result(ROW, ROW), result(ROW, processor="Quipu")]).splitlines()[-1]
    assert caption.count("Abacus") == caption.count("Quipu") == 1
    assert caption.count("1 BLAS thread") == 2


@pytest.mark.parametrize(
    ("threads", "said"),
    [({}, "BLAS threads as it chooses"), ({"A": "2", "B": "2"}, "2 BLAS threads"), ({"A": "1"}, "1 BLAS thread.")],
)
def test_the_threads_are_those_of_the_environment(threads, said):
    assert said in quality_table([result(ROW, threads=threads)])


def test_what_was_written_goes_between_the_markers(tmp_path):
    path, readme = tmp_path / "quality-a.json", tmp_path / "README.md"
    write(path, "a", {"seed": 3}, [ROW], {"nll": 86.4})
    readme.write_text(f"before\n{QUALITY_BEGIN}\n{QUALITY_END}\nafter\n", encoding="utf-8")
    none = str(tmp_path / "none.json")
    assert main(["--speed", none, "--checker", none, "--quality", str(path), "--insert", str(readme)]) == 0
    text = readme.read_text(encoding="utf-8")
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
