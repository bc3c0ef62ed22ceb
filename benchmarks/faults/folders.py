"""Two processes that want one folder at the same time: one has it, the other is refused in a line."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

from benchmarks.faults.outcome import Outcome, Watch
from benchmarks.faults.processes import Process, data_files, finished, words_of
from npvae import storage

LONG = ["--epochs", "100000"]


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """Each case starts two processes with the same words, at once or one after the other."""
    outcome = Outcome(part, "two processes in one folder: new, with --overwrite, with --resume, or without --output")
    data_files(folder)
    refused = 0
    for case, draw in watch:
        try:
            refused += _case(["new", "--overwrite", "--resume", "free"][case % 4], folder, draw)
        except Exception as error:
            outcome.failures.append((case, f"{type(error).__name__}: {str(error)[:300]}"))
        for path in folder.glob("*run*"):
            shutil.rmtree(path)
        outcome.cases += 1
    free = sum(case % 4 == 3 for case in range(watch.first, watch.first + outcome.cases))
    outcome.note = f"{refused} of {outcome.cases - free} second ones refused; {free} pairs took a folder each"
    return outcome


def _case(how: str, folder: Path, draw: Random) -> int:
    words = words_of("autoencoder")
    where = [] if how == "free" else ["-o", "run"]
    if how in ("--overwrite", "--resume"):
        finished([*words, *where], folder)
        where.append(how)
    pair = [Process([*words, *where, *LONG], folder)]
    time.sleep(draw.choice([0, 0, draw.uniform(0, 0.3)]))
    pair.append(Process([*words, *where, *LONG], folder))
    until = time.monotonic() + 20
    wanted = 2 if how == "free" else 1
    while time.monotonic() < until:  # a run that is interrupted before its first step leaves nothing
        trains = len(list(folder.glob("*run*/checkpoint.npz"))) >= wanted
        if trains and (how == "free" or any(process.ended() for process in pair)):
            break
        time.sleep(0.005)
    time.sleep(0.1)
    second = next((process for process in pair if process.ended()), None)
    for process in pair:
        if process is not second:
            process.send(2)
    ends = {process: process.wait() for process in pair}
    if how == "free":
        folders = sorted(path.name for path in folder.glob("npvae-run*"))
        if [ended.status for ended in ends.values()] != [130, 130] or len(folders) != 2:
            raise RuntimeError(f"each should have a folder of its own, got {folders}: {list(ends.values())}")
        return 0
    if second is None:
        raise RuntimeError("both went on")
    first = next(ended for process, ended in ends.items() if process is not second)
    said = ends[second]
    if first.status != 130 or said.status != 2 or said.text.count("\n") != 1 or "another process" not in said.text:
        raise RuntimeError(f"one should train and one be refused, got {first} and {said}")
    runs = {storage.load(folder / "run" / name)[0]["run"] for name in ("model.npz", "checkpoint.npz")}
    if len(runs) != 1:
        raise RuntimeError(f"the folder holds files of {len(runs)} runs")
    return 1
