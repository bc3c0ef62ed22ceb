"""``npvae gradcheck``: the checker as a command.

Exit status: 0 all right, 1 a gradient is wrong, 2 it cannot be told, 3 the command itself was used wrongly (an
unknown factory, a factory that raises, a number that is none).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from npvae.gradcheck.report import FAIL, PASS, GradientCheckError, Report
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
    parser.add_argument("--curve", metavar="FILE.png", help="draw error against step size, method by method")
    parser.add_argument("--mutate", action="store_true", help="break the backward in many ways: is each break seen?")


def run(args: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    try:
        return _run(args)
    except (TargetError, ImportError, ValueError, OSError) as error:
        print(f"npvae gradcheck: {error}", file=sys.stderr)
        return USAGE


def _run(args: argparse.Namespace) -> int:
    if (args.target is not None and args.all) or (args.target is None and not (args.all or args.mutate)):
        raise TargetError("name one package.module:factory, or say --all")
    if args.curve is not None and (args.mutate or args.target is None):
        raise TargetError("--curve belongs to the check of one package.module:factory")
    if args.mutate:
        return _mutate(args)
    settings = Settings(
        seed=args.seed,
        probes=args.probes,
        full=True if args.full else None,
        only=None if args.all else args.only,
        method=args.method,
        step=args.step,
        target="--all" if args.all else args.target,
    )
    if args.all:
        return _check_all(args, settings)
    made = make(args.target)
    report = check_made(made, settings, args.target.rpartition(":")[2])
    if args.only is not None and not report.entries and not report.findings:
        raise TargetError(f"no tensor is called {args.only!r}")
    print(report)
    _write(args.json, report.to_json())
    if args.curve is not None:
        _draw(made, args)
    return exit_status([report])


def _draw(made: object, args: argparse.Namespace) -> None:
    from npvae import plots
    from npvae.gradcheck.curves import step_curve

    plots.save(plots.step_curve(step_curve(made, only=args.only, seed=args.seed)), args.curve)
    print(f"wrote {args.curve}")


def _check_all(args: argparse.Namespace, settings: Settings) -> int:
    from npvae.gradcheck.cases import all_cases, table

    chosen = [case for case in all_cases() if args.only is None or fnmatch(case.name, f"*{args.only}*")]
    if not chosen:
        raise TargetError(f"no part is called {args.only!r}")
    options = asdict(settings) | {"float32": True}
    reports = [case.run(**options) for case in chosen]
    print(table(reports))
    _write(args.json, json.dumps([json.loads(report.to_json()) for report in reports], indent=2))
    return exit_status(reports)


def _mutate(args: argparse.Namespace) -> int:
    from npvae.gradcheck.mutants import NoSource
    from npvae.gradcheck.mutation import HEAD, mutate, mutate_package

    made = None if args.target is None else make(args.target)
    print(HEAD, flush=True)
    options = {"seed": args.seed, "only": args.only, "on_tally": partial(print, flush=True)}
    try:
        report = mutate_package(**options) if args.target is None else mutate(made, **options)
    except NoSource as error:
        raise TargetError(str(error)) from error
    except GradientCheckError as error:
        print(f"before anything is broken, the check has to pass:\n{error}")
        return exit_status([error.report])
    print(report.summary())
    _write(args.json, report.to_json())
    return 0 if report.passed else 1


def exit_status(reports: list[Report]) -> int:
    """0 if all passed, 1 if any failed, else 2."""
    states = {report.status for report in reports}
    return 1 if FAIL in states else 0 if states == {PASS} else 2


def _write(path: str | None, text: str) -> None:
    if path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")
