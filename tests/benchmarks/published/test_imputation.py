import json
from pathlib import Path

import pytest

from benchmarks.published.imputation import DATA, IMPUTERS, main


def test_every_method_is_measured_on_every_table(tmp_path):
    pytest.importorskip("sklearn")
    assert main(["--quick", "--output", str(tmp_path / "r.json")]) == 0
    results = json.loads((tmp_path / "r.json").read_text())["results"]
    assert set(results) == set(DATA)
    for name, found in results.items():
        assert set(found) == {*IMPUTERS, "npvae", "defaults"}
        for measures in found.values():
            assert set(measures) == {"rmse", "accuracy"} - ({"accuracy"} if name == "diabetes" else set())


def test_the_result_is_better_than_mean_and_neighbours():
    path = Path(__file__).parents[3] / "benchmarks" / "results" / "imputation.json"
    for found in json.loads(path.read_text())["results"].values():
        for ours in ("npvae", "defaults"):
            assert found[ours]["rmse"][0] < found["kNN"]["rmse"][0] < found["mean"]["rmse"][0]
