from time import sleep

import numpy as np
import pytest

from benchmarks import profile as module
from benchmarks.implementations import Workload
from benchmarks.implementations.by_npvae import train
from benchmarks.profile import Clock, Timed, TimedRows, profile, report

WORKLOAD = Workload((8,), 3, 16, "relu", n_features=12)


def test_every_part_of_a_step_takes_some_time():
    x = np.random.default_rng(0).random((64, 12), dtype=np.float32)
    parts, floor = profile(WORKLOAD, x, steps=45, warm_up=5)
    ways = ("encoder forward", "sampling", "KL", "decoder forward", "likelihood")
    backwards = ("likelihood backward", "decoder backward", "sampling backward", "KL backward", "encoder backward")
    assert {*ways, *backwards, "Adam", "noise", "data copy"} < {group for group, _ in parts}
    assert {detail for group, detail in parts if group == "decoder forward"} == {
        "",
        "0 Dense 3→8",
        "1 ReLU",
        "2 Dense 8→12",
    }
    assert min(parts.values()) > 0
    assert floor > 0


def test_the_report_sums_details_into_groups_and_groups_into_the_step():
    parts = {("forward", ""): 1e-3, ("forward", "0 Dense"): 2e-3, ("Adam", ""): 1e-3}
    lines = report(parts, floor=2e-3).splitlines()
    assert lines[0].split() == ["forward", "3.000", "ms", "75.0%"]
    assert [line.split()[-1] for line in lines[1:3]] == ["25.0%", "50.0%"]
    assert "4.000 ms" in lines[-2]
    assert lines[-1].endswith("sum / products = 2.00")


def test_training_under_the_clock_is_training(monkeypatch):
    x = np.random.default_rng(0).random((64, 12), dtype=np.float32)
    plain, timed = [], []

    def stop_after(values):
        def pace(value):
            values.append(value)
            if len(values) == 25:
                raise StopIteration

        return pace

    with pytest.raises(StopIteration):
        train(WORKLOAD, x, 0, "", stop_after(plain))
    paced = module.Paced
    monkeypatch.setattr(module, "Paced", lambda pace: paced(lambda loss: (timed.append(loss), pace(loss))))
    profile(WORKLOAD, x, steps=20, warm_up=5)
    assert timed == plain


def test_the_products_that_run_in_between_are_no_part_of_a_step(monkeypatch):
    def slow_products(products):
        sleep(0.02)
        return 0.02

    monkeypatch.setattr(module, "_seconds_of", slow_products)
    monkeypatch.setattr(module, "FLOOR_EVERY", 1)
    x = np.random.default_rng(0).random((64, 12), dtype=np.float32)
    parts, floor = profile(WORKLOAD, x, steps=5, warm_up=1)
    assert floor == 0.02
    assert parts[module.LOOP] < 0.01


REST, OUTER, INNER = ("rest", ""), ("outer", ""), ("outer", "inner")


@pytest.fixture
def now(monkeypatch):
    """A hand-wound clock: now(seconds) lets them pass."""
    time = [0.0]
    monkeypatch.setattr(module, "perf_counter", lambda: time[0])

    def wind(seconds: float) -> None:
        time[0] += seconds

    return wind


class Subject:
    colour = "green"

    def __init__(self, now):
        self.now = now

    def work(self, seconds):
        self.now(seconds)
        return seconds


def test_time_belongs_to_the_innermost_part(now):
    clock = Clock(REST)
    inner = clock.timed(lambda: now(2.0), INNER)

    def outer():
        now(1.0)
        inner()
        now(0.5)

    now(4.0)
    clock.timed(outer, OUTER)()
    now(0.25)
    clock.end_step()
    assert clock.steps == [{REST: 4.25, OUTER: 1.5, INNER: 2.0}]


def test_every_step_begins_at_zero(now):
    clock = Clock(REST)
    for seconds in (1.0, 3.0):
        now(seconds)
        clock.end_step()
    assert clock.steps == [{REST: 1.0}, {REST: 3.0}]


def test_time_before_a_resumption_belongs_to_nobody(now):
    clock = Clock(REST)
    now(1.0)
    clock.end_step()
    now(50.0)
    clock.resume()
    now(2.0)
    clock.end_step()
    assert clock.steps[1] == {REST: 2.0}


def test_an_error_gives_the_time_back(now):
    clock = Clock(REST)

    def fail():
        now(1.0)
        raise KeyError

    with pytest.raises(KeyError):
        clock.timed(fail, OUTER)()
    now(2.0)
    clock.end_step()
    assert clock.steps == [{OUTER: 1.0, REST: 2.0}]


def test_a_stand_in_answers_for_its_subject(now):
    clock = Clock(REST)
    stand_in = Timed(Subject(now), clock, {"work": OUTER})
    assert stand_in.work(1.5) == 1.5
    assert stand_in.colour == "green"
    clock.end_step()
    assert clock.steps[0][OUTER] == 1.5


def test_rows_are_those_of_the_array(now):
    rows = TimedRows([10, 20, 30], Clock(REST), OUTER)
    assert (len(rows), rows[1]) == (3, 20)
