"""``python -m benchmarks scaling``: a training step by workers and by the ranks of an MPI, against one process.

Every process has one BLAS thread, so that what is compared is the sharing of rows alone. The ways take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

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
    ways = {"1 process": [], f"{n} workers": ["--jobs", str(n)]}
    if mpiexec is None:
        print("mpiexec is not installed: pip install 'npvae[scale]'")
    else:
        ways[f"{n} MPI ranks"] = [mpiexec, "-n", str(n)]
    seconds: dict[str, dict[str, list[float]]] = {name: {way: [] for way in ways} for name in args.workload}
    for _ in range(args.rounds):
        for name in args.workload:
            for way, how in ways.items():
                seconds[name][way].append(_time(name, how, args.steps))
    for name, times in seconds.items():
        print(f"{WORKLOADS[name]}")
        for way, each in times.items():
            gain = ratio(times["1 process"], each)
            print(f"  {way:12} {1000 * median(each):8.2f} ms a step   {gain} times as fast as one process")
    settings = {"rounds": args.rounds, "steps": args.steps}
    results = {name: {"title": str(WORKLOADS[name]), "seconds_per_step": times} for name, times in seconds.items()}
    files.write(args.output, "scaling", settings, workloads=results)
    return 0


def _time(name: str, how: list[str], steps: int) -> float:
    """Seconds a step of a fresh training in that way."""
    launcher, options = (how, []) if how and how[0] != "--jobs" else ([], how)
    command = [*launcher, sys.executable, "-m", "benchmarks.scaling", name, str(steps), *options]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


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
