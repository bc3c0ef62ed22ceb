import subprocess
import sys

import numpy as np
import pytest

from benchmarks.implementations import Workload
from benchmarks.startup import import_times, installed_mb, report, start_to_epochs


def test_the_last_epoch_ends_after_the_first(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((64, 12), dtype=np.float32))
    workload = Workload((8,), 3, 16, "relu", n_features=12)
    taken, skipped = start_to_epochs(["npvae"], workload, str(tmp_path / "x.npy"), rounds=1, epochs=20)
    assert skipped == {}
    assert 0 < taken["npvae"]["first"][0] < taken["npvae"]["last"][0]
    assert "npvae" in report(taken, {}, {"numpy": [0.1], "npvae": [0.2]}, {"npvae": None})


def test_imports_are_timed_in_processes_of_their_own():
    times = import_times(["json"], rounds=2)
    assert len(times["json"]) == 2
    assert all(0 < t < 5 for t in times["json"])


def test_the_import_of_npvae_is_that_of_a_model():
    times = import_times(["json", "npvae"], rounds=1)
    assert times["npvae"][0] > 10 * times["json"][0]


def test_numpy_is_the_greater_part_of_an_installation():
    size = installed_mb("npvae")
    assert 0 < size["own"] < 5
    assert size["with_requirements"] - installed_mb("numpy")["with_requirements"] == pytest.approx(
        size["own"], abs=0.11
    )


def test_what_is_not_installed_has_no_size():
    assert installed_mb("no-such-distribution") is None


def test_no_worker_imports_more_than_it_races():
    code = "import sys, benchmarks.contestants; print('npvae' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
