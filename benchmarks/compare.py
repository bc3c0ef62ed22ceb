"""``python -m benchmarks compare OLD.json NEW.json``: did the loop become slower?

Two results of `speed` may come from machines or hours of different speed, so times are compared through the control
that ran in the same rounds, the matrix products alone: a workload became slower when npvae / products grew by more than
the tolerance. Exit status 1 then, 0 otherwise, 2 when the two cannot be compared.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median

from benchmarks import files
from benchmarks.implementations import IMPLEMENTATIONS
from benchmarks.ratios import ratio

__all__ = ["CONTROL", "compare", "main"]

CONTROL = "products"


def main(argv: list[str]) -> int:
    """Compare two files and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare", description="did the loop become slower?")
    parser.add_argument("old", help="a result of `speed`")
    parser.add_argument("new", help="another one")
    parser.add_argument("--tolerance", type=float, default=0.05, help="growth that is still the same speed (0.05)")
    args = parser.parse_args(argv)
    try:
        lines, slower = compare(files.read(args.old, "speed"), files.read(args.new, "speed"), args.tolerance)
    except (OSError, ValueError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 1 if slower else 0


def compare(old: dict, new: dict, tolerance: float) -> tuple[list[str], list[str]]:
    """The table as lines, and the names of the workloads that became slower.

    Raises
    ------
    ValueError
        If the two have no workload in common that ran beside the control.
    """
    shared = [name for name in old["workloads"] if name in new["workloads"] and _comparable(name, old, new)]
    if not shared:
        raise ValueError(f"old and new must share a workload in which npvae and {CONTROL} ran")
    lines = [f"{'':36}{'old':>20}{'new':>20}{'new / old':>11}"]
    slower = []
    for name in shared:
        before, after = _times(old, name), _times(new, name)
        lines.append(f"{name}: {new['workloads'][name]['title']}")
        for what in ("npvae", CONTROL):
            was, now = (1000 * median(times[what]) for times in (before, after))
            lines.append(f"  {IMPLEMENTATIONS[what].title + ', ms':34}{was:20.3f}{now:20.3f}{now / was:11.3f}")
        for other in [other for other in before if other in after and other != "npvae"]:
            was, now = (ratio(times["npvae"], times[other]) for times in (before, after))
            growth = now.median / was.median
            verdict = ""
            if other == CONTROL and growth > 1 + tolerance:
                slower.append(name)
                verdict = "  SLOWER"
            title = f"npvae / {IMPLEMENTATIONS[other].title}"
            lines.append(f"  {title:34}{was!s:>20}{now!s:>20}{growth:11.3f}{verdict}")
    lines.append(
        f"slower by more than {tolerance:.0%} against the control: {', '.join(slower)}"
        if slower
        else f"no workload is slower by more than {tolerance:.0%} against the control"
    )
    return lines, slower


def _times(document: dict, name: str) -> dict[str, list[float]]:
    return {who: row["seconds_per_step"] for who, row in document["workloads"][name]["measured"].items()}


def _comparable(name: str, *documents: dict) -> bool:
    return all({"npvae", CONTROL} <= _times(document, name).keys() for document in documents)
