import numpy as np
import pytest

from benchmarks.ratios import fastest, geometric_mean, ratio, spread


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
