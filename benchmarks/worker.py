"""One implementation in a process of its own: ``python -m benchmarks.worker JOB``, a process that waits to be told.

JOB is JSON: implementation, workload, path of the images, seed, and perhaps how to read them. Every line on standard
input is a number of steps to run; every line on standard output is JSON. The first says "ready" or why not; the others
answer the commands. The process ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from time import perf_counter
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from benchmarks.implementations import IMPLEMENTATIONS
from benchmarks.workloads import Workload

__all__ = ["Pace", "main", "memory"]


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


def memory() -> dict[str, float]:
    """Memory of this process in MB of 10⁶ bytes: the peak, and what now is its own and what is files mapped into it.

    Empty where the system does not tell (it is Linux that does).
    """
    names = {"VmHWM": "peak_mb", "RssAnon": "own_mb", "RssFile": "mapped_mb"}
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
    except OSError:
        return {}
    return {ours: int(fields[its].split()[0]) * 1024 / 1e6 for its, ours in names.items() if its in fields}


def _load(job: dict) -> NDArray:
    if job.get("data_limit"):  # what the process may allocate; mapped files are not counted
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (job["data_limit"], job["data_limit"]))
    return np.load(job["images"], mmap_mode="r" if job.get("mapped") else None)


def main(job: dict, commands: TextIO, answers: TextIO) -> int:
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
    sys.exit(main(json.loads(sys.argv[1]), sys.stdin, channel))
