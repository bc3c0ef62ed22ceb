"""``python -m benchmarks faults``: damaged files, kills, full disks, shared folders, threads, a soak, in one table.

Every case has a number from which all that is random in it follows: ``--only kills --first 17 --cases 1`` repeats one.
The exit status is 1 if anything failed. ``--minutes`` bounds the time, which the parts share; without it, each runs at
full length.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks import files
from benchmarks.faults.outcome import Outcome, Watch
from benchmarks.table import insert

PARTS = {
    "models": ("damage", 10_000, 2),
    "checkpoints": ("damage", 10_000, 2),
    "data": ("damage", 10_000, 2),
    "kills": ("kills", 200, 5),
    "starts": ("starts", 100, 1),
    "full": ("disks", 100, 2),
    "read-only": ("disks", 20, 1),
    "folders": ("folders", 53, 2),
    "threads": ("endurance", 24_000, 1),
    "soak": ("endurance", 3_000, 1),
}
"""The module of each part, its cases at full length, and its share of the time."""

MEMORY = "/dev/shm"
"""Where files are written into memory, which saves the wait for a disk at every checkpoint."""

ONE_THREAD = dict.fromkeys(files.THREAD_VARIABLES, "1")


def main(argv: list[str]) -> int:
    """Run the parts, print a table and every failure; the exit status is 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--minutes", type=float, help="of all parts together, about (default: no limit)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--cases", type=files.count, help="cases of each part, at the most")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    earlier = "run nothing: the table is that of results which are written already"
    parser.add_argument("--results", type=files.result_file, nargs="+", metavar="FILE.json", help=earlier)
    parser.add_argument("--into", metavar="FILE.md", help="write the table between the marks 'faults' of this page")
    args = parser.parse_args(argv)
    if os.name != "posix":
        raise ValueError("faults needs the signals and processes of POSIX")
    if args.results is None and any(
        os.environ.get(name) != "1" for name in ONE_THREAD
    ):  # to fork a process with threads is to lose them
        command = [sys.executable, "-m", "benchmarks", "faults", *argv]
        return subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=False).returncode
    outcomes = _read(args.results) if args.results else list(_outcomes(args))
    text = table(outcomes)
    print(f"\n{text}")
    if args.into:
        page = Path(args.into)
        page.write_text(insert(page.read_text(encoding="utf-8"), {"faults": text}), encoding="utf-8")
    settings = {name: value for name, value in vars(args).items() if name not in ("output", "into", "results")}
    files.write(args.output, "faults", settings, rows=[outcome.plain() for outcome in outcomes])
    return 1 if any(outcome.failures or not outcome.cases for outcome in outcomes) else 0


def _outcomes(args: argparse.Namespace) -> Iterator[Outcome]:
    """The outcome of each part, which is printed as it comes."""
    left = None if args.minutes is None else 60 * args.minutes
    for i, part in enumerate(args.only):
        module, cases, share = PARTS[part]
        shares = sum(PARTS[name][2] for name in args.only[i:])
        began = monotonic()
        watch = Watch(args.first, min(cases, args.cases or cases), None if left is None else left * share / shares)
        with TemporaryDirectory(prefix="npvae-faults-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
            outcome = import_module(f"benchmarks.faults.{module}").run(part, Path(folder), watch)
        print(f"{part}: {outcome.cases:,} cases in {monotonic() - began:.0f} s, {len(outcome.failures)} failures")
        for case, text in outcome.failures[:20]:
            print(f"  case {case}: {text}", flush=True)
        left = None if left is None else max(left - (monotonic() - began), 1.0)
        yield outcome


def _read(results: list[Path]) -> list[Outcome]:
    """The outcomes of several results, in the order of the parts."""
    rows = [row for path in results for row in files.read(path, "faults")["rows"]]
    found = [Outcome(**{**row, "failures": list(map(tuple, row["failures"]))}) for row in rows]
    return sorted(found, key=lambda outcome: list(PARTS).index(outcome.part))


def table(outcomes: list[Outcome]) -> str:
    """Markdown: a row for each part."""
    rows = [["what was done", "cases", "failures", "what came of it"]]
    rows += [[o.what, f"{o.cases:,}", str(len(o.failures)), o.note] for o in outcomes]
    lines = files.markdown(rows, right=False)
    return f"{lines}\n\n{files.one_line(files.describe())}."
