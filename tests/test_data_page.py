"""docs/data.md: its blocks run in their order, and what it shows is what is said."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmarks.files import RESULTS
from npvae.cli import main
from npvae.datasets import read_table

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|bash)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    for needed in ("pandas", "PIL.Image", "matplotlib"):
        pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    names, said = {}, ""
    for language, text in BLOCKS:
        if language == "python":
            exec(text, names)
            continue
        for line in text.splitlines():
            program, *words = shlex.split(line)
            assert program == "npvae"
            assert main(words) == 0
        said += capsys.readouterr().err
    shown = re.search(r"```\n(npvae: .*?)```", PAGE, re.DOTALL)[1].splitlines()
    assert [line for line in shown if line not in said.splitlines()] == []
    whole, known = read_table("whole.csv"), read_table("flats.csv").select(["size", "town"])
    assert not whole.without(["bought"]).has_gaps()
    there = ~np.isnan(known["size"])
    np.testing.assert_allclose(whole["size"][there], known["size"][there])
    assert set(read_table("more.csv")["town"]) <= {"Basel", "Bern", "Zürich"}
    losses = names["vae"].history_["val_loss"]
    assert losses[-1] < losses[0]
    assert Path("spots.png").exists()
    assert Path("upper.png").exists()


def test_the_table_of_errors_is_the_recorded_one():
    found = json.loads((RESULTS / "imputation.json").read_text())["results"]
    for name, by_method in found.items():
        errors = [by_method[method]["rmse"][0] for method in ("mean", "kNN", "iterative", "defaults", "npvae")]
        assert f"| {name} | {' | '.join(f'{error:.3f}' for error in errors)} |" in PAGE
        assert errors[3] < min(errors[:2])
