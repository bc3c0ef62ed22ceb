"""The checker is proved by mistakes: each must be found, called by its name, and blamed on the right tensors alone."""

import numpy as np
import pytest

from benchmarks.gradcheck import is_named, report_on
from benchmarks.planted import mistakes
from benchmarks.planted_vae import backward, forward, inputs, parameters
from npvae.gradcheck import FAIL, PASS, check_function

NAMES = [mistake.name for mistake in mistakes()]


def test_there_are_thirty_one():
    assert len(set(NAMES)) == 31


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_mistake_is_found_and_named(name):
    mistake = next(mistake for mistake in mistakes() if mistake.name == name)
    report = report_on(mistake, features=310, hidden=30)
    assert report.status == FAIL
    assert is_named(mistake, report), str(report)


def test_one_wrong_weight_of_156_800_is_found():
    mistake = next(mistake for mistake in mistakes() if "156,800" in mistake.name)
    report = report_on(mistake)
    assert "W1[300, 17]  numeric" in str(report)
    assert "numeric = 0.5 × analytic there" in str(report)
    assert "1 of 156,800 elements wrong." in str(report)


def test_the_ground_they_are_planted_in_is_right():
    report = check_function(forward, backward, inputs(), parameters())
    assert report.status == PASS
    assert report.worst_error < 1e-13
    assert {entry.name for entry in report.entries} == {"x", *parameters()}


@pytest.mark.parametrize("relative", [1e-3, 1e-6, 1e-9])
def test_an_error_in_a_single_element_is_seen_down_to_the_resolution(relative):
    def wrong(cache, dy):
        grads = backward(cache, dy)
        grads["W1"][300, 17] += relative * np.linalg.norm(grads["W1"])
        return grads

    report = check_function(forward, wrong, inputs(), parameters(), only="W1", explain=False)
    assert report.status == FAIL
    assert report.entries[0].resolution < relative
