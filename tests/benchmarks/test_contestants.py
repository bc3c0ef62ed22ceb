import io
import json
import mmap
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks.contestants import Pace, Skipped, alone, family, lined_up, memory, take_turns, work
from benchmarks.implementations import IMPLEMENTATIONS, Implementation, Workload
from benchmarks.speed import race, report
from npvae.training.jobs import cores

WORKLOAD = Workload((8,), 3, 16, "relu", n_features=12)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((70, 12), dtype=np.float32))
    return str(tmp_path / "x.npy")


def test_a_pace_answers_after_as_many_steps_as_were_asked_for():
    answers = io.StringIO()
    pace = Pace(io.StringIO("2\n3\n"), answers)
    pace.wait()
    for value in (1.0, 2.0, 10.0, 20.0):
        pace(value)
    with pytest.raises(SystemExit):
        pace(60.0)
    first, second = map(json.loads, answers.getvalue().splitlines())
    assert (first["steps"], first["mean"]) == (2, 1.5)
    assert (second["steps"], second["mean"]) == (3, 30.0)
    assert first["seconds"] >= 0


def test_memory_is_at_least_what_was_allocated():
    before = memory()
    if not before:
        pytest.skip("the system does not tell its processes' memory")
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with mmap.mmap(-1, 40_000_000, private) as block:  # fresh from the system, whatever was freed before
        block.write(b"1" * len(block))
        after = memory()
    assert after["own_mb"] - before["own_mb"] >= 39
    assert after["peak_mb"] >= after["own_mb"] + after["mapped_mb"] - 1


def test_a_worker_uses_whole_batches_of_the_images(path):
    with alone("npvae", WORKLOAD, path) as contestant:
        assert contestant.ready() == 64
        assert contestant.run(5)["steps"] == 5


def test_a_memory_limit_refuses_loaded_data_and_admits_mapped_data(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.float32, (20_000_000, 12))  # 960 MB, never written
    del x
    path, limit = str(tmp_path / "big.npy"), 700 * 10**6
    with alone("products", WORKLOAD, path, data_limit=limit) as contestant, pytest.raises(Skipped, match="Memory"):
        contestant.ready()
    with alone("products", WORKLOAD, path, data_limit=limit, mapped=True) as contestant:
        assert contestant.ready() == 20_000_000


def test_contestants_take_turns_and_report_every_round(path):
    with lined_up(["npvae", "products"], WORKLOAD, path, warm_up=2) as (contestants, skipped):
        answers = take_turns(contestants, steps=4, rounds=3)
    assert skipped == {}
    assert {name: [a["steps"] for a in blocks] for name, blocks in answers.items()} == {
        "npvae": [4, 4, 4],
        "products": [4, 4, 4],
    }


def test_a_race_is_written_with_times_of_every_round(path):
    result = race(WORKLOAD, ["npvae", "products"], path, rounds=3, seconds=0.01)
    assert {name: len(row["seconds_per_step"]) for name, row in result["measured"].items()} == {
        "npvae": 3,
        "products": 3,
    }
    assert "matrix products alone" in report(result)


def test_a_peer_that_is_not_installed_is_skipped_with_a_word(path, monkeypatch):
    monkeypatch.setitem(IMPLEMENTATIONS, "absent", Implementation("absent", "", "Absent"))
    answers = io.StringIO()
    job = {"implementation": "absent", "workload": asdict(WORKLOAD), "images": path, "seed": 0}
    work(job, io.StringIO(), answers)
    assert json.loads(answers.getvalue()) == {"skipped": "benchmarks.implementations.absent is not installed"}


def test_a_contestant_that_fails_does_not_stop_the_others(tmp_path):
    np.save(tmp_path / "narrow.npy", np.zeros((32, 5), np.float32))  # 12 features are wanted
    with lined_up(["npvae", "products"], WORKLOAD, str(tmp_path / "narrow.npy"), 1) as (contestants, skipped):
        assert list(contestants) == ["products"]
        assert "ArgumentError" in skipped["npvae"]


def state_of(pid):
    """The state of a process: "T" while it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_pause_stops_the_workers_too_and_their_memory_is_counted(path):
    with alone("npvae", WORKLOAD, path) as contestant:
        contestant.ready()
        answer = contestant.run(8)
        pids = family(contestant._process.pid)
        contestant.pause()
        deadline = time.monotonic() + 10
        while {state_of(pid) for pid in pids} != {"T"} and time.monotonic() < deadline:
            time.sleep(0.01)
        states = {state_of(pid) for pid in pids}
        contestant.go_on()
    assert len(pids) == (1 + cores() if cores() > 1 else 1)
    assert states == {"T"}
    assert answer["peak_mb"] > 10
