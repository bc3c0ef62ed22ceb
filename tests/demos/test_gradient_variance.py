"""The order in which theory puts the gradient estimates."""

import pytest

pytest.importorskip("matplotlib")

from demos.gradient_variance import measure


def test_the_estimates_are_as_quiet_as_theory_has_them():
    found = measure(epochs=2, draws=60, samples=(5,))
    ratio = {name: numbers[0] for name, numbers in found.items()}
    assert 1 <= ratio["worth of k draws"] <= 5
    assert ratio["score-function"] < ratio["monte-carlo"] < ratio["stl"]
    assert ratio["iwae"] < ratio["dreg"]
    assert ratio["score-function"] > 0.1  # the baseline leaves a signal
