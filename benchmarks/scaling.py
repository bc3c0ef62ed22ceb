"""``python -m benchmarks scaling``: time and memory against hidden width, batch and data size."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import files
from benchmarks.contestants import Skipped, alone
from benchmarks.images import image_file, images
from benchmarks.implementations import IMPLEMENTATIONS
from benchmarks.speed import race, report
from benchmarks.workloads import WORKLOADS

__all__ = ["main"]

BASE = WORKLOADS["usual"]
WIDTHS = (100, 200, 400, 800, 1600)
BATCHES = (16, 64, 256, 1024)
DEFAULT = ["npvae", "products", "torch-fused", "jax"]


def main(argv: list[str]) -> int:
    """Run the sweeps that were asked for."""
    args = _parser().parse_args(argv)
    if args.quick:
        args.rounds, args.seconds, args.rows, args.limit_mb = 2, 0.2, [1000, 200_000], 400
    settings = {"rounds": args.rounds, "seconds_per_block": args.seconds, "limit_mb": args.limit_mb}
    results = {sweep: SWEEPS[sweep](args) for sweep in args.sweep}
    files.write(args.output, "scaling", settings, sweeps=results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--sweep", nargs="+", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--implementations", nargs="+", choices=IMPLEMENTATIONS, default=DEFAULT, metavar="NAME")
    parser.add_argument("--rounds", type=files.count, default=9, help="blocks of steps of each implementation (9)")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds of npvae's blocks (0.5)")
    parser.add_argument(
        "--rows", nargs="+", type=int, default=[60_000, 240_000, 960_000], help="data sizes; a row takes 3 kB of disk"
    )
    parser.add_argument(
        "--limit-mb", type=int, default=600, help="memory a process may allocate in the data sweep (600)"
    )
    parser.add_argument("--quick", action="store_true", help="short rounds and little data: does it run?")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    return parser


def _width(args: argparse.Namespace) -> dict:
    return _races(args, {width: replace(BASE, hidden=(width,)) for width in WIDTHS})


def _batch(args: argparse.Namespace) -> dict:
    return _races(args, {batch: replace(BASE, batch=batch) for batch in BATCHES})


def _races(args: argparse.Namespace, workloads: dict) -> dict:
    results = {}
    with image_file(images()) as path:
        for value, workload in workloads.items():
            result = race(workload, args.implementations, path, args.rounds, args.seconds)
            print(f"{result['title']}, {workload.n_parameters:,} parameters\n{report(result)}\n", flush=True)
            results[str(value)] = result
    return results


def _data(args: argparse.Namespace) -> list[dict]:
    """npvae under a memory limit, on data that are loaded and on data that stay in their file."""
    print(f"{BASE}; no process may allocate more than {args.limit_mb} MB")
    print(f"{'rows':>10}{'data, MB':>10}  {'':8}{'ms/step':>9}{'own MB':>9}{'mapped MB':>11}")
    rows_done = []
    steps = max(1, round(args.seconds * args.rounds * 200))
    for rows in args.rows:
        with _tiled_file(rows) as path:
            for mapped in (False, True):
                row = {"rows": rows, "data_mb": round(rows * BASE.n_features * 4e-6), "mapped": mapped}
                row |= _limited(path, mapped, args.limit_mb, steps)
                rows_done.append(row)
                print(_line(row), flush=True)
    return rows_done


def _limited(path: str, mapped: bool, limit_mb: int, steps: int) -> dict:
    try:
        with alone("npvae", BASE, path, mapped=mapped, data_limit=limit_mb * 10**6) as contestant:
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
    return (
        head
        + f"{row['ms_per_step']:9.2f}{row.get('own_mb', float('nan')):9.0f}{row.get('mapped_mb', float('nan')):11.0f}"
    )


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


SWEEPS: dict[str, Callable[[argparse.Namespace], dict | list[dict]]] = {"width": _width, "batch": _batch, "data": _data}
