"""``python -m benchmarks memory``: training under a memory limit, on data loaded and data that stay in a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import files
from benchmarks.contestants import Skipped, alone
from benchmarks.data import images
from benchmarks.implementations import WORKLOADS

__all__ = ["main"]

WORKLOAD = WORKLOADS["usual"]


def main(argv: list[str]) -> int:
    """Train on ever more rows, loaded and mapped, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__.split(": ", 1)[1])
    sizes = [60_000, 240_000, 960_000]
    parser.add_argument("--rows", nargs="+", type=files.count, default=sizes, help="data sizes; a row is 3 kB of disk")
    parser.add_argument("--limit-mb", type=files.count, default=600, help="memory a process may allocate (600)")
    parser.add_argument("--steps", type=files.count, default=900, help="steps that are timed (900)")
    parser.add_argument("--quick", action="store_true", help="few steps on little data: does it run?")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    args = parser.parse_args(argv)
    if args.quick:
        args.steps, args.rows, args.limit_mb = 20, [1000, 200_000], 400
    print(f"{WORKLOAD}; no process may allocate more than {args.limit_mb} MB")
    print(f"{'rows':>10}{'data, MB':>10}  {'':8}{'ms/step':>9}{'own MB':>9}{'mapped MB':>11}")
    results = []
    for rows in args.rows:
        with _tiled_file(rows) as path:
            for mapped in (False, True):
                row = {"rows": rows, "data_mb": round(rows * WORKLOAD.n_features * 4e-6), "mapped": mapped}
                results.append(row | _limited(path, mapped, args.limit_mb, args.steps))
                print(_line(results[-1]), flush=True)
    files.write(args.output, "memory", {"limit_mb": args.limit_mb, "steps": args.steps}, rows=results)
    return 0


def _limited(path: str, mapped: bool, limit_mb: int, steps: int) -> dict:
    try:
        with alone("npvae", WORKLOAD, path, mapped=mapped, data_limit=limit_mb * 10**6) as contestant:
            contestant.ready()
            contestant.warm_up(20)
            answer = contestant.run(steps)
    except Skipped as reason:
        return {"failed": str(reason)}
    memory = {name: round(answer[name], 1) for name in ("own_mb", "mapped_mb") if name in answer}
    return {"ms_per_step": round(1000 * answer["seconds"] / steps, 3), **memory}


def _line(row: dict) -> str:
    head = f"{row['rows']:10,}{row['data_mb']:10,}  {'mapped' if row['mapped'] else 'loaded':8}"
    if "failed" in row:
        return head + row["failed"]
    own, mapped = (row.get(name, float("nan")) for name in ("own_mb", "mapped_mb"))
    return head + f"{row['ms_per_step']:9.2f}{own:9.0f}{mapped:11.0f}"


@contextmanager
def _tiled_file(rows: int) -> Iterator[str]:
    """`rows` rows, the images again and again, written piece by piece."""
    tile = images().x
    with TemporaryDirectory(prefix="npvae-benchmarks-") as folder:
        path = Path(folder) / "images.npy"
        x = np.lib.format.open_memmap(path, "w+", np.float32, (rows, tile.shape[1]))
        for start in range(0, rows, len(tile)):
            x[start : start + len(tile)] = tile[: rows - start]
        x.flush()
        del x
        yield str(path)
