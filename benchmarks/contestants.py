"""Processes that take turns: each implementation in one of its own, stopped while another one runs.

The parent has a `Contestant` for each. Its process is this module with a JOB in JSON: implementation, workload, path of
the images, seed, and perhaps how to read them. Every line on the standard input of the process is a number of steps to
run; every line on its standard output is JSON: the first says "ready" or why not, the others answer the commands. The
process ends with its input. It imports nothing but NumPy and what it races.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from benchmarks.implementations import IMPLEMENTATIONS, Workload

__all__ = ["Contestant", "Pace", "Skipped", "alone", "lined_up", "memory", "take_turns", "work"]

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
            [sys.executable, "-m", "benchmarks.contestants", json.dumps(job)],
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
        """Stop it and the workers that it started, with all threads that spin while they wait for work."""
        for pid in family(self._process.pid):
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo `pause`."""
        for pid in family(self._process.pid):
            os.kill(pid, signal.SIGCONT)

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


class Pace:
    """Counts steps and seconds of a loop that calls it after every step, and makes it wait between commands."""

    def __init__(self, commands: TextIO, answers: TextIO) -> None:
        self._commands, self._answers = commands, answers
        self._steps = self._left = 0
        self._started = self._sum = 0.0

    def __call__(self, value: float) -> None:
        """A step is done, and `value` was read from it."""
        self._left -= 1
        self._sum += value
        if self._left == 0:
            seconds = perf_counter() - self._started
            self.say({"steps": self._steps, "seconds": seconds, "mean": self._sum / self._steps, **memory()})
            self.wait()

    def wait(self) -> None:
        """Sleep until the next command; SystemExit when there are no more."""
        line = self._commands.readline()
        if not line:
            raise SystemExit
        self._steps = self._left = int(line)
        self._sum = 0.0
        self._started = perf_counter()

    def say(self, answer: dict) -> None:
        """Write one line."""
        print(json.dumps(answer), file=self._answers, flush=True)


def family(pid: int) -> list[int]:
    """The process and all that it has started; itself alone where the system does not tell (it is Linux that does)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def memory() -> dict[str, float]:
    """Memory in MB of 10⁶ bytes: the peak, and what now is this process's own and what is files mapped into it.

    With workers the peak is at least what all processes hold together now, pages that several share counted once.
    Empty where the system does not tell (it is Linux that does).
    """
    names = {"VmHWM": "peak_mb", "RssAnon": "own_mb", "RssFile": "mapped_mb"}
    try:
        fields = _fields("/proc/self/status")
        everybody = family(os.getpid())
        found = {ours: fields[its] / 1e6 for its, ours in names.items() if its in fields}
        if len(everybody) > 1:
            together = sum(_fields(f"/proc/{pid}/smaps_rollup")["Pss"] for pid in everybody) / 1e6
            found["peak_mb"] = max(found["peak_mb"], together)
    except OSError:
        return {}
    return found


def _fields(path: str) -> dict[str, int]:
    """The sizes in a file of /proc, in bytes."""
    with open(path, encoding="ascii") as file:
        lines = (line.split() for line in file)
        return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1] == "kB"}


def _load(job: dict) -> NDArray:
    if job.get("data_limit"):  # what the process may allocate; mapped files are not counted
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (job["data_limit"], job["data_limit"]))
    return np.load(job["images"], mmap_mode="r" if job.get("mapped") else None)


def work(job: dict, commands: TextIO, answers: TextIO) -> int:
    """Load the implementation and the data, then run what is asked for. Returns the exit status."""
    pace = Pace(commands, answers)
    implementation = IMPLEMENTATIONS[job["implementation"]]
    workload = Workload.from_json(job["workload"])
    try:
        x = _load(job)
        module = import_module(f"benchmarks.implementations.{implementation.module}")
        x = x[: len(x) // workload.batch * workload.batch]
        pace.say({"ready": True, "rows": len(x)})
        pace.wait()
        getattr(module, workload.task)(workload, x, job["seed"], implementation.variant, pace)
    except ModuleNotFoundError as error:
        pace.say({"skipped": f"{error.name} is not installed"})
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        pace.say({"skipped": f"{type(error).__name__}: {first_line}"})
        raise
    return 0


if __name__ == "__main__":
    # What libraries print must not get between the answers.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.exit(work(json.loads(sys.argv[1]), sys.stdin, channel))
