"""``python -m benchmarks scaling``: a training step by workers and by the ranks of an MPI, against one process.

Every process has one BLAS thread, so that what is compared is the sharing of rows alone. The ways take turns. What the
machine gives at the most is told by trainings side by side that share nothing: where its processes get in each other's
way, as they use the same memory, they too are slower than one by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks import files
from benchmarks.compare import ratio
from benchmarks.data import images
from benchmarks.implementations import LEARNING_RATE, WORKLOADS
from benchmarks.implementations.by_npvae import build
from npvae.optimizers import Adam
from npvae.training import train
from npvae.training.jobs import cores
from npvae.training.team import ONE_THREAD

ROOT = Path(__file__).parents[1]
TRAINING = [name for name, workload in WORKLOADS.items() if workload.task == "train"]


class Way(NamedTuple):
    """What starts a training, its options, and how many of them run side by side, each for itself."""

    launcher: Sequence[str] = ()
    options: Sequence[str] = ()
    side_by_side: int = 1


def main(argv: list[str]) -> int:
    """Time every way in turns, print the table, write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--rounds", type=files.count, default=5, help="turns of every way (5)")
    parser.add_argument("--steps", type=files.count, default=100, help="steps of a turn (100)")
    parser.add_argument("--workload", nargs="+", choices=TRAINING, default=TRAINING, metavar="NAME")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    args = parser.parse_args(argv)
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    n = cores()
    ways = {
        "1 process": Way(),
        f"{n} that share nothing": Way(side_by_side=n),
        f"{n} workers": Way(options=("--jobs", str(n))),
    }
    if mpiexec is None:
        print("mpiexec is not installed: pip install 'npvae[scale]'")
    else:
        ways[f"{n} MPI ranks"] = Way(launcher=(mpiexec, "-n", str(n)))
    seconds: dict[str, dict[str, list[float]]] = {name: {way: [] for way in ways} for name in args.workload}
    for _ in range(args.rounds):
        for name in args.workload:
            for title, way in ways.items():
                seconds[name][title].append(_time(name, way, args.steps))
    for name, times in seconds.items():
        print(f"{WORKLOADS[name]}")
        for way, each in times.items():
            gain = ratio(times["1 process"], each)
            print(f"  {way:20} {1000 * median(each):8.2f} ms a step   {gain} times as fast as one process")
    settings = {"rounds": args.rounds, "steps": args.steps}
    results = {name: {"title": str(WORKLOADS[name]), "seconds_per_step": times} for name, times in seconds.items()}
    files.write(args.output, "scaling", settings, workloads=results)
    return 0


def _time(name: str, way: Way, steps: int) -> float:
    """Seconds a step of a fresh training in that way; of trainings side by side, their mean divided by their number."""
    command = [*way.launcher, sys.executable, "-m", "benchmarks.scaling", name, str(steps), *way.options]
    settings = {"cwd": ROOT, "env": os.environ | ONE_THREAD, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **settings) for _ in range(way.side_by_side)]
    told = [process.communicate() for process in processes]
    for process, (_, error) in zip(processes, told, strict=True):
        if process.returncode != 0:
            raise ValueError(f"{' '.join(command)} ended with status {process.returncode}: {error.strip()[-500:]}")
    return mean(json.loads(seconds) for seconds, _ in told) / way.side_by_side


def _work(name: str, steps: int, n_jobs: int) -> None:
    """Train, and print the seconds of a step, those of the start left out."""
    workload, comm = WORKLOADS[name], None
    if "PMI_SIZE" in os.environ or "OMPI_COMM_WORLD_SIZE" in os.environ:
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    x = images().x[: max(2, steps // 2) * workload.batch]
    model = build(workload)
    started = []
    train(
        model,
        model.init(np.random.default_rng(0)),
        x,
        optimizer=Adam(LEARNING_RATE),
        epochs=3,
        batch_size=workload.batch,
        callbacks=[lambda run: started.append((perf_counter(), run.optimizer_state.t))],
        n_jobs=n_jobs,
        comm=comm,
    )
    (begin, first), *_, (end, last) = started
    if comm is None or comm.rank == 0:
        print(json.dumps((end - begin) / (last - first)))


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]), int(sys.argv[4]) if len(sys.argv) > 3 else 1)
