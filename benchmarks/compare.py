"""``python -m benchmarks compare OLD.json NEW.json``: did the loop become slower?

Two results of `speed` may come from machines or hours of different speed, so times are compared through the control
that ran in the same rounds, the matrix products alone: a workload became slower when npvae / products grew by more than
the tolerance. Exit status 1 then, 0 otherwise, 2 when the two cannot be compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks import files
from benchmarks.implementations import IMPLEMENTATIONS

__all__ = ["CONTROL", "Spread", "compare", "fastest", "geometric_mean", "main", "ratio", "spread"]

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


class Spread(NamedTuple):
    """A median between its quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}–{self.high:.2f}]"


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles (linear between order statistics, as in ``numpy.quantile``)."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Median and quartiles of ours/theirs, round by round.

    Raises
    ------
    ValueError
        If the two did not run in the same rounds.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"ours and theirs must hold the same rounds, got {len(ours)} and {len(theirs)}")
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def fastest(ours: Sequence[float], peers: Mapping[str, Sequence[float]]) -> str | None:
    """The peer to which our ratio is highest; None without peers."""
    return max(peers, key=lambda name: ratio(ours, peers[name]).median, default=None)


def geometric_mean(values: Sequence[float]) -> float:
    """(Π v)^(1/n): the mean for ratios, whichever of the two is on top."""
    return exp(sum(map(log, values)) / len(values))
