"""How often kernels disagree: counts and expectations on numbers that are known, and a quick run of one kernel."""

import json

import numpy as np
import pytest

from benchmarks import rounding
from benchmarks.__main__ import main
from benchmarks.density_tables import rounding_table


def test_what_is_expected_is_the_difference_over_the_step():
    first = {"encoder": np.full((4, 2), 0.3), "logits": np.full((4, 3), 0.4999), "packed": np.zeros(2)}
    other = {"encoder": first["encoder"], "logits": first["logits"] + 0.001, "packed": np.ones(2)}
    row = rounding._row("binary", "another", other, first)
    assert row["disagreements"] == 12  # all of them pass one half
    assert row["numbers_apart"] == pytest.approx(12 / 20)
    assert row["largest"] == pytest.approx(0.001 / rounding.LOGIT_GRID)
    assert row["expected"] == pytest.approx(1e6 * 3 * 0.001)
    assert row["expected_unrounded"] == pytest.approx(row["expected"] * rounding.EXACT_GRID / rounding.LOGIT_GRID)
    assert not row["same_file"]


def test_a_run_with_one_kernel_and_two_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(rounding, "KERNELS", ())
    output = tmp_path / "rounding.json"
    assert main(["rounding", "--images", "4", "--training", "200", "--epochs", "1", "--output", str(output)]) == 0
    document = json.loads(output.read_text())
    assert len(document["rows"]) == 6
    assert all(row["same_file"] for row in document["rows"])
    assert rounding_table(document).count("| the same |") == 4
