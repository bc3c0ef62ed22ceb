import json

import numpy as np
import pytest

from benchmarks.compare import compare, fastest, geometric_mean, main, ratio, spread
from tests.benchmarks.results import speed_result

OLD = speed_result((4e-3, 4e-3, 8e-3), (2e-3, 2e-3, 4e-3))


@pytest.fixture
def files(tmp_path):
    def write(**documents):
        for name, document in documents.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(document))
        return [str(tmp_path / f"{name}.json") for name in documents]

    return write


def test_a_loop_that_lost_ground_to_the_control_is_slower(files, capsys):
    new = speed_result((5e-3, 5e-3, 5e-3), (2e-3, 2e-3, 2e-3))
    assert main(files(old=OLD, new=new)) == 1
    out = capsys.readouterr().out
    assert "1.250  SLOWER" in out
    assert "slower by more than 5% against the control: usual" in out


def test_a_machine_that_became_slower_is_not_a_slower_loop(files, capsys):
    new = speed_result((12e-3, 12e-3, 12e-3), (6e-3, 6e-3, 6e-3))
    assert main(files(old=OLD, new=new)) == 0
    assert "SLOWER" not in capsys.readouterr().out


def test_the_tolerance_decides(files):
    paths = files(old=OLD, new=speed_result((4.4e-3,) * 3, (2e-3,) * 3))
    assert main([*paths, "--tolerance", "0.11"]) == 0
    assert main([*paths, "--tolerance", "0.09"]) == 1


def test_times_control_and_peers_are_all_shown():
    old = speed_result((4e-3,), (2e-3,), torch=(8e-3,))
    new = speed_result((3e-3,), (2e-3,), torch=(8e-3,), jax=(3e-3,))
    lines, slower = compare(old, new, 0.05)
    text = " ".join(" ".join(lines).split())
    assert "npvae, ms 4.000 3.000 0.750" in text
    assert "matrix products alone, ms 2.000 2.000 1.000" in text
    assert "npvae / PyTorch, default Adam 0.50 [0.50–0.50] 0.38 [0.38–0.38] 0.750" in text
    assert "JAX" not in text  # only the new one has it
    assert slower == []


@pytest.mark.parametrize("content", ["{", "[]", '{"command": "startup"}'])
def test_a_file_that_is_no_result_is_named(tmp_path, capsys, content):
    (tmp_path / "x.json").write_text(content)
    assert main([str(tmp_path / "x.json"), str(tmp_path / "x.json")]) == 2
    assert "x.json must be" in capsys.readouterr().err


def test_results_without_a_common_workload_cannot_be_compared(files, capsys):
    new = {**OLD, "workloads": {"wide": OLD["workloads"]["usual"]}}
    assert main(files(old=OLD, new=new)) == 2
    assert "must share a workload" in capsys.readouterr().err


def test_the_drift_of_the_machine_divides_out_of_a_ratio():
    drift = np.array([1.0, 2.0, 1.3, 0.8, 1.7])
    assert ratio(list(3 * drift), list(4 * drift)) == pytest.approx((0.75, 0.75, 0.75), rel=1e-15)


def test_a_ratio_is_taken_round_by_round_not_from_the_medians():
    ours, theirs = [1.0, 2.0, 9.0], [1.0, 4.0, 3.0]  # medians 2 / 3, but the rounds give 1, ½ and 3
    assert ratio(ours, theirs).median == 1.0


def test_quartiles_are_those_of_numpy():
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    assert spread(values) == pytest.approx(np.quantile(values, [0.5, 0.25, 0.75]), rel=1e-15)


def test_one_round_has_no_spread():
    assert spread([2.0]) == (2.0, 2.0, 2.0)


def test_rounds_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="same rounds, got 2 and 1"):
        ratio([1.0, 2.0], [1.0])


def test_the_fastest_peer_is_the_one_to_which_our_ratio_is_highest():
    assert fastest([2.0, 4.0], {"slow": [4.0, 8.0], "quick": [1.0, 2.0], "even": [2.0, 4.0]}) == "quick"
    assert fastest([2.0], {}) is None


def test_the_geometric_mean_of_a_ratio_and_its_inverse_is_one():
    assert geometric_mean([4.0, 0.25]) == pytest.approx(1.0, rel=1e-15)
    assert geometric_mean([1.0, 2.0, 32.0]) == pytest.approx(4.0, rel=1e-15)
