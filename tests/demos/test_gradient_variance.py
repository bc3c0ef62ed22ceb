"""The order in which theory puts the gradient estimates."""

import runpy
from pathlib import Path

DEMO = runpy.run_path(str(Path(__file__).parents[2] / "demos" / "gradient_variance.py"))


def test_the_estimates_are_as_quiet_as_theory_has_them(capsys):
    DEMO["main"](["--epochs", "2", "--draws", "60", "--samples", "5"])
    title, header, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("signal-to-noise ratio")
    assert header.split() == ["k", "=", "5"]
    *rows, worth = rows
    ratio = {name: float(value) for name, value in (row.split() for row in rows)}
    assert 1 <= float(worth.split()[-1]) <= 5
    assert ratio["score-function"] < ratio["monte-carlo"] < ratio["stl"]
    assert ratio["iwae"] < ratio["dreg"]
    assert ratio["score-function"] > 0.1  # the baseline leaves a signal
