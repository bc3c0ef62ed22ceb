"""Processes that take turns: each implementation in one of its own, stopped while another one runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.workloads import Workload

__all__ = ["Contestant", "Skipped", "alone", "lined_up", "take_turns"]

ROOT = Path(__file__).parents[1]
PATIENCE = 10
"""Seconds that a process has to end by itself."""


class Skipped(Exception):
    """An implementation cannot take part; the message is the reason, for readers."""


class Contestant:
    """The parent's end of a worker.

    Parameters
    ----------
    implementation : str
        A name of `benchmarks.implementations.IMPLEMENTATIONS`.
    workload : Workload
    images : str
        Path of a .npy file.
    **reading
        `mapped` (bool) reads the images through `numpy.memmap`; `data_limit` (bytes) is what the process may allocate.
    """

    def __init__(self, implementation: str, workload: Workload, images: str, **reading: int | bool) -> None:
        job = {"implementation": implementation, "workload": asdict(workload), "images": images, "seed": 0, **reading}
        self.started = perf_counter()
        self.seconds_per_step = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )

    def ready(self) -> int:
        """Wait until implementation and data are loaded; returns the number of images."""
        return self._answer()["rows"]

    def run(self, steps: int) -> dict:
        """Let it run `steps` steps; returns what the worker says of them.

        Raises
        ------
        Skipped
            If it cannot.
        """
        with suppress(BrokenPipeError):  # the answer says why
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        return self._answer()

    def warm_up(self, steps: int) -> None:
        """Run `steps` steps twice; the second time, when all is compiled and cached, gives `seconds_per_step`."""
        self.run(steps)
        self.seconds_per_step = self.run(steps)["seconds"] / steps

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise Skipped(f"its process ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "skipped" in answer:
            raise Skipped(answer["skipped"])
        return answer

    def pause(self) -> None:
        """Stop all its threads, those that spin while they wait for work included."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo `pause`."""
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Close its input, which ends it, and with it the compilers that it may have started."""
        self.go_on()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def alone(implementation: str, workload: Workload, images: str, **reading: int | bool) -> Iterator[Contestant]:
    """One contestant, ended with the block."""
    contestant = Contestant(implementation, workload, images, **reading)
    try:
        yield contestant
    finally:
        contestant.close()


@contextmanager
def lined_up(
    names: Sequence[str], workload: Workload, images: str, warm_up: int
) -> Iterator[tuple[dict[str, Contestant], dict[str, str]]]:
    """Contestants that have loaded and warmed up, all paused; and who is skipped, with the reason."""
    contestants: dict[str, Contestant] = {}
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        for name in names:
            contestant = stack.enter_context(alone(name, workload, images))
            try:
                contestant.ready()
                contestant.warm_up(warm_up)
            except Skipped as reason:
                skipped[name] = str(reason)
                continue
            contestant.pause()
            contestants[name] = contestant
        yield contestants, skipped


def take_turns(contestants: dict[str, Contestant], steps: int, rounds: int) -> dict[str, list[dict]]:
    """A B C A B C …: in every round each runs `steps` steps while the others are stopped."""
    answers: dict[str, list[dict]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            contestant.go_on()
            answers[name].append(contestant.run(steps))
            contestant.pause()
    return answers
