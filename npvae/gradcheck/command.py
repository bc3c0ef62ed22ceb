"""``npvae gradcheck``: the checker as a command.

Exit status: 0 all right, 1 a gradient is wrong, 2 it cannot be told, 3 the command itself was used wrongly (an
unknown factory, a factory that raises, a number that is none).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from npvae.gradcheck.report import FAIL, PASS, Report
from npvae.gradcheck.settings import METHODS, Settings
from npvae.gradcheck.target import TargetError, check_made, make

__all__ = ["add_arguments", "run"]

USAGE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "target",
        nargs="?",
        metavar="package.module:factory",
        help="a function without arguments that returns what to check: a layer, (forward, backward, inputs[, params]), "
        "(model, x), ...; file.py:factory will do as well",
    )
    parser.add_argument("--all", action="store_true", help="check everything this package exports")
    parser.add_argument("--full", action="store_true", help="check every single element, however many there are")
    parser.add_argument("--only", metavar="NAME", help="check one tensor (with --all: one part); patterns with *")
    parser.add_argument("--probes", type=int, default=2, metavar="K", help="random directions per tensor")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything random")
    parser.add_argument("--method", choices=METHODS, default="complex", help="how the numeric side is computed")
    parser.add_argument("--step", type=float, metavar="H", help="step of --method central or forward")
    parser.add_argument("--json", metavar="FILE", help="write the report there as well")
    parser.add_argument("--mutate", action="store_true", help="break the backward in many ways: is each break seen?")


def run(args: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    try:
        return _run(args)
    except (TargetError, ValueError, OSError) as error:
        print(f"npvae gradcheck: {error}", file=sys.stderr)
        return USAGE


def _run(args: argparse.Namespace) -> int:
    if bool(args.target) == args.all:
        raise TargetError("name one package.module:factory, or say --all")
    settings = Settings(
        seed=args.seed,
        probes=args.probes,
        full=True if args.full else None,
        only=None if args.all else args.only,
        method=args.method,
        step=args.step,
        target="--all" if args.all else args.target,
    )
    if args.mutate:
        from npvae.gradcheck import mutation

        return mutation.run(None if args.all else make(args.target), settings, args.only)
    if args.all:
        return _check_all(args)
    report = check_made(make(args.target), settings, args.target.rpartition(":")[2])
    if args.only is not None and not report.entries and not report.findings:
        raise TargetError(f"no tensor is called {args.only!r}")
    print(report)
    _write(args.json, report.to_json())
    return exit_status([report])


def _check_all(args: argparse.Namespace) -> int:
    from npvae.gradcheck.cases import all_cases, table

    settings = [case for case in all_cases() if args.only is None or args.only in case.name]
    if not settings:
        raise TargetError(f"no part is called {args.only!r}")
    reports = [case.run(args.seed) for case in settings]
    print(table(reports))
    _write(args.json, json.dumps([json.loads(report.to_json()) for report in reports], indent=2))
    return exit_status(reports)


def exit_status(reports: list[Report]) -> int:
    """0 if all passed, 1 if any failed, else 2."""
    states = {report.status for report in reports}
    return 1 if FAIL in states else 0 if states == {PASS} else 2


def _write(path: str | None, text: str) -> None:
    if path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")
