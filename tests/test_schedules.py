"""Schedules of learning rate and β by hand, at their boundaries."""

import pytest

from npvae.schedules import BETA_SCHEDULES, SCHEDULES, Constant, Cosine, Cyclical, StepList, WarmUp


def test_constant():
    assert [Constant(0.3)(t) for t in (0, 1, 10**9)] == [0.3, 0.3, 0.3]


def test_warm_up_rises_in_equal_steps_and_stays():
    assert [WarmUp(0.4, 4)(t) for t in (0, 1, 2, 3, 4, 100)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_warm_up_never_starts_at_zero():
    assert WarmUp(0.4, 1)(0) == 0.4


def test_step_list_falls_at_each_boundary():
    schedule = StepList(1.0, (10, 20), factor=0.5)
    assert [schedule(t) for t in (0, 9, 10, 19, 20, 1000)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_cosine_ends_and_middle():
    schedule = Cosine(2.0, 100, final=0.1)
    assert schedule(0) == pytest.approx(2.0)
    assert schedule(50) == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert schedule(25) == pytest.approx(2.0 * (0.1 + 0.9 * 0.853553390593), rel=1e-9)
    assert schedule(100) == pytest.approx(0.2)
    assert schedule(10_000) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", {0: 1.0, 99: 1.0}),
        ("warm-up", {0: 0.1, 4: 0.5, 9: 1.0, 99: 1.0}),
        ("steps", {0: 1.0, 49: 1.0, 50: 0.1, 74: 0.1, 75: 0.01, 99: 0.01}),
        ("cosine", {0: 1.0, 50: 0.505, 100: 0.01}),
    ],
)
def test_named_schedules_span_the_whole_run(name, expected):
    schedule = SCHEDULES[name](1.0, 100)
    assert {t: schedule(t) for t in expected} == pytest.approx(expected)


@pytest.mark.parametrize("name", ["constant", "warm-up", "steps", "cosine"])
def test_a_run_of_one_step_has_the_full_rate(name):
    assert SCHEDULES[name](0.5, 1)(0) == 0.5


def test_steps_of_an_odd_run_fall_after_the_half_not_before():
    assert [SCHEDULES["steps"](1.0, 3)(t) for t in range(3)] == pytest.approx([1.0, 1.0, 0.1])


def test_cycles_rise_stay_and_begin_again():
    expected = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert [Cyclical(1.0, 24, cycles=3)(t) for t in range(24)] == pytest.approx(3 * expected)
    assert [Cyclical(2.0, 5, cycles=2)(t) for t in range(5)] == pytest.approx([4 / 3, 2, 2, 4 / 3, 2])
    assert [Cyclical(2.0, 5, cycles=2)(t) for t in (5, 6, 100)] == [2, 2, 2]  # no cycle more


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", {0: 4.0, 99: 4.0}),
        ("warm-up", {0: 0.16, 12: 2.08, 24: 4.0, 99: 4.0}),
        ("cyclical", {0: 0.32, 11: 3.84, 12: 4.0, 24: 4.0, 25: 0.32, 99: 4.0}),
    ],
)
def test_named_schedules_of_beta_span_the_whole_run(name, expected):
    schedule = BETA_SCHEDULES[name](4.0, 100)
    assert {t: schedule(t) for t in expected} == pytest.approx(expected)


@pytest.mark.parametrize("name", BETA_SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
def test_beta_ends_at_its_full_value(name, steps):
    assert BETA_SCHEDULES[name](4.0, steps)(steps - 1) == 4.0


def test_schedules_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        WarmUp(0.1, 0)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        Cosine(0.1, 0)
    with pytest.raises(ValueError, match=r"boundaries must be in rising order, got \(5, 2\)"):
        StepList(0.1, (5, 2))
    with pytest.raises(ValueError, match="cycles must be at least 1, got 0"):
        Cyclical(0.1, 10, 0)
