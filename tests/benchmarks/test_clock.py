import pytest

from benchmarks import clock as module
from benchmarks.clock import Clock, Timed, TimedRows

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
