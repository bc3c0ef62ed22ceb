"""Trainings killed at random moments by every signal, until they are done: the same bits, and nothing left over."""

from __future__ import annotations

import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.faults.outcome import Outcome, Watch
from benchmarks.faults.processes import CONFIGURATIONS, ENDING, Process, data_files, finished, words_of
from npvae import storage

SIGNALS = [signal.SIGKILL, *ENDING, signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1, signal.SIGALRM, signal.SIGSEGV]
INTERVALS = ["5s", "1", "3 epochs", "1 steps", "17 steps", "0.02s"]
EXPECTED = {"model.npz", "history.csv", "checkpoint.npz", "checkpoint-previous.npz"}


class References:
    """What uninterrupted trainings end with, made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._known = folder, {}
        data_files(folder)

    def __call__(self, name: str) -> tuple[float, dict[str, Any]]:
        """Seconds of the training of a configuration, and what its model holds."""
        if name not in self._known:
            began, run = time.monotonic(), self._folder / "reference"
            ended = finished([*words_of(name), "-o", "reference"], self._folder)
            if ended.status != 0:
                raise RuntimeError(f"an uninterrupted {name} ends with {ended}")
            self._known[name] = time.monotonic() - began, learnt(run)
            shutil.rmtree(run)
        return self._known[name]


def learnt(run: Path) -> dict[str, Any]:
    """What a training leaves, but for its identity and its seconds."""
    header, arrays = storage.load(run / "model.npz")
    header.pop("run", None)
    return {"header": header, **{name: array for name, array in arrays.items() if not name.endswith("history.seconds")}}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two trainings ended with the same bits."""
    if a["header"] != b["header"] or a.keys() != b.keys():
        return False
    arrays = a.keys() - {"header"}
    return all(a[name].dtype == b[name].dtype and np.array_equal(a[name], b[name]) for name in arrays)


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """Each case is a training, killed and resumed until it ends by itself."""
    outcome = Outcome(part, "trainings of every model, killed at random moments by every signal and resumed")
    references, kills = References(folder), Counter()
    for case, draw in watch:
        name = list(CONFIGURATIONS)[case % len(CONFIGURATIONS)]
        try:
            _case(name, references, folder, draw, kills)
        except Exception as error:
            outcome.failures.append((case, f"{name}: {type(error).__name__}: {str(error)[:300]}"))
        shutil.rmtree(folder / "run", ignore_errors=True)
        outcome.cases += 1
    total = sum(kills.values())
    right = outcome.cases - len(outcome.failures)
    outcome.note = f"{total:,} kills; {right:,} of {outcome.cases:,} ended with the bits of the uninterrupted run"
    return outcome


def _case(name: str, references: References, folder: Path, draw: Random, kills: Counter) -> None:
    seconds, expected = references(name)
    run, budget = folder / "run", draw.choice([1, 1, 1, 2, 4])
    words = [*words_of(name), "-o", "run", "--checkpoint-every", draw.choice(INTERVALS)]
    while True:
        resumed = ["--resume"] if any((run / f"checkpoint{old}.npz").exists() for old in ("", "-previous")) else []
        process = Process([*words, *resumed], folder)
        if budget:
            time.sleep(draw.uniform(0, 1.1 * seconds))
        number, budget = draw.choice(SIGNALS) if budget else 0, budget - 1
        if number and not process.ended():
            process.send(number)
            kills[number] += 1
        status, text = process.wait()
        if "Traceback" in text:
            raise RuntimeError(f"a traceback after signal {number}: {text[-200:]}")
        if status == 0:
            break
        if not number or status not in (-number, 130 if number in ENDING else -number):
            raise RuntimeError(f"signal {number} ends with status {status}: {text[:200]}")
        if (run / "model.npz").exists() and not resumed and not (run / "checkpoint.npz").exists():
            break  # a model without checkpoints, whose training had ended
    if not same(learnt(run), expected):
        raise RuntimeError("the resumed training ends with other bits")
    if left := {path.name for path in run.iterdir()} - EXPECTED:
        raise RuntimeError(f"left over: {', '.join(sorted(left))}")
