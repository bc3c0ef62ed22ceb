"""One case: a part of the package, and what to check of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.check import check_made
from npvae.gradcheck.report import Report
from npvae.gradcheck.verdict import Settings

N = 4
"""Rows, features and widths alike: with square matrices a forgotten transpose is a wrong number, not a wrong shape."""


@dataclass(frozen=True)
class Case:
    """One part of the package, and ``make(rng)``: what a factory for ``npvae gradcheck`` would return for it.

    It proves the backwards of what it `covers`, exported classes and functions, and `backwards` that are functions of
    their own.
    """

    name: str
    make: Callable[[np.random.Generator], object]
    covers: tuple[object, ...]
    backwards: tuple[Callable, ...] = ()

    def made(self, seed: int = 0) -> object:
        """What is checked, its inputs drawn with `seed`."""
        return self.make(np.random.default_rng([seed, 3]))

    def run(self, seed: int = 0, **settings: object) -> Report:
        """Check it, in float32 as well; `settings` are those of `npvae.gradcheck.Settings`."""
        report = check_made(self.made(seed), Settings(seed=seed, **{"float32": True, **settings}), self.name)
        report.again = f"npvae gradcheck --all --seed {seed} --only {shlex.quote(self.name)}"
        return report


def table(reports: list[Report]) -> str:
    """One row per report: part, tensors, worst error, resolution, time; what failed is explained below."""
    width = max(len(report.name) for report in reports)
    head = f"{'part':<{width}}  tensors  worst error  resolution    time"
    rule = "-" * len(head)
    rows = [
        f"{report.name:<{width}}  {len(report.entries):>7}  {report.worst_error:>11.1e}  "
        f"{report.resolution:>10.0e}  {report.seconds:>5.2f}s" + ("" if report.passed else f"  {report.status}")
        for report in reports
    ]
    tensors, seconds = sum(len(report.entries) for report in reports), sum(report.seconds for report in reports)
    bad = [f"\n{report}" for report in reports if not report.passed]
    verdict = f"{len(bad)} did not pass" if bad else "every gradient is right"
    total = f"{len(reports)} part{'s' if len(reports) > 1 else ''}, {tensors} tensors in {seconds:.1f} s: {verdict}"
    return "\n".join([head, rule, *rows, rule, total, *bad])
