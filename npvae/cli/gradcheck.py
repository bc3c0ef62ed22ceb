"""``npvae gradcheck``: the gradient checker as a command."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NoReturn

from npvae.cli.arguments import add_command
from npvae.cli.factory import make
from npvae.cli.results import PICTURES
from npvae.files import replacing
from npvae.gradcheck.check import TargetError, check_made
from npvae.gradcheck.report import FAIL, PASS, GradientCheckError, Report
from npvae.gradcheck.verdict import METHODS, Settings

PROBES = 2
"""Random directions per tensor."""

USAGE = 3
"""Exit status for wrong arguments: 2 is that of a check that could not tell."""

DESCRIPTION = """\
Check gradients that were written by hand, yours or those of this package, against numeric ones.

A factory is a function without arguments that returns what to check:

  a layer                                  with shapes, init(rng), forward(params, x) -> (y, cache) and
                                           backward(params, cache, dy, grads, need_dx) -> dx;
                                           or with params, grads, forward(x) -> y and backward(dy) -> dx
  (layer, x) or (layer, x, params)         at this input
  (forward, backward, inputs[, params])    any pair of functions
  (value_and_grad, theta)                  what an optimiser takes
  (model, x[, theta[, noise]])             with init, loss and loss_and_grad
  a distribution                           every method that has a backward

Where a gradient is wrong, the report says which element, by how much, what kind of mistake it looks like, and how to
repeat the check. --mutate asks the opposite: it breaks the backward in hundreds of ways, one at a time, and sees
whether the check notices each.

exit status: 0 every gradient is right, 1 one is wrong or a mutant survived, 2 it cannot be told, 3 wrong arguments."""

EXAMPLE = """\
npvae gradcheck --all
npvae gradcheck mypackage.layers:make_layer
npvae gradcheck my_layer.py:factory --only W --full
npvae gradcheck my_layer.py:factory --method central --step 1e-5 --curve steps.png
npvae gradcheck my_layer.py:factory --mutate"""

TARGET = """\
a function without arguments that returns what to check: a layer, (forward, backward, inputs[, params]), (model, x),
...; file.py:factory will do as well. The module or the file is run: give none that you would not run"""


ONLY = """\
check one tensor (with --all: one part; with --mutate: break the functions with this in their name); patterns with *"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``npvae gradcheck``."""
    parser = add_command(commands, "gradcheck", run, "check hand-written gradients", DESCRIPTION, EXAMPLE)
    add = parser.add_argument
    add("target", nargs="?", metavar="package.module:factory", help=TARGET)
    add("--all", action="store_true", help="check everything this package exports")
    add("--full", action="store_true", help="check every single element, however many there are")
    add("--only", metavar="NAME", help=ONLY)
    add("--probes", type=int, default=PROBES, metavar="K", help="random directions per tensor")
    add("--seed", type=int, default=0, metavar="S", help="of everything random")
    add("--method", choices=METHODS, default="complex", help="how the numeric side is computed")
    add("--step", type=float, metavar="H", help="step of --method central or forward")
    add("--json", metavar="FILE", help="write the report there as well")
    add("--curve", metavar="FILE.png", help="draw error against step size, method by method")
    add("--mutate", action="store_true", help="break the backward in many ways: is each break seen?")
    _exit_with_usage(parser)


def _exit_with_usage(parser: argparse.ArgumentParser) -> None:
    """Leave with `USAGE` for arguments of the wrong kind and for unknown ones."""
    parse = parser.parse_known_args

    def error(message: str) -> NoReturn:
        parser.exit(USAGE, f"{parser.prog}: error: {message} (see {parser.prog} --help)\n")

    def parse_all(*given: object) -> tuple:
        namespace, unknown = parse(*given)
        if unknown:
            error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    parser.error, parser.parse_known_args = error, parse_all


def run(args: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    try:
        if (args.target is not None) == args.all:
            raise TargetError("name one package.module:factory, or say --all")
        if args.mutate and (args.full or args.probes != PROBES or args.method != "complex" or args.step is not None):
            raise TargetError("--mutate has a check of its own: of the options it takes --only, --seed and --json")
        if args.curve is not None and (args.mutate or args.target is None):
            raise TargetError("--curve belongs to the check of one package.module:factory")
        _check_outputs(args)
        return (_mutate if args.mutate else _check_all if args.all else _check)(args)
    except BrokenPipeError:
        raise
    except (ImportError, OSError, ValueError) as error:
        print(f"npvae gradcheck: {error}", file=sys.stderr)
        return USAGE


def _check_outputs(args: argparse.Namespace) -> None:
    """Whatever would keep a result from being written is said before any work is done."""
    for option, path, endings in (("--json", args.json, None), ("--curve", args.curve, PICTURES)):
        if path is not None and not Path(path).parent.is_dir():
            raise TargetError(f"{option} must lie in a folder that exists, got {path!r}")
        if path is not None and endings is not None and Path(path).suffix.lower() not in endings:
            raise TargetError(f"{option} must end in {', '.join(endings)}, got {path!r}")
    if args.curve is not None:
        from npvae.plots import require_matplotlib

        require_matplotlib()


def _settings(args: argparse.Namespace, **other: object) -> Settings:
    return Settings(args.seed, args.probes, args.full or None, method=args.method, step=args.step, **other)


def _check(args: argparse.Namespace) -> int:
    made = make(args.target)
    report = check_made(made, _settings(args, only=args.only, target=args.target), args.target.rpartition(":")[2])
    if args.only is not None and not report.entries and not report.findings:
        raise TargetError(f"no tensor is called {args.only!r}")
    print(report)
    _write(args.json, report.to_json())
    if args.curve is not None and report.entries:
        from npvae import plots
        from npvae.diagnosis.steps import step_curve

        figure = plots.step_curve(step_curve(made, only=args.only, seed=args.seed))
        plots.save(plots.titled(figure, f"{args.target}: {args.only or 'all tensors'}"), args.curve)
        print(f"wrote {args.curve}")
        first = report.entries[0]
        if args.method == "complex" and first.method != "complex step":
            print(f"in it the line of the complex step means nothing: {'; '.join(first.notes) or first.method}")
    return _exit_status([report])


def _check_all(args: argparse.Namespace) -> int:
    from npvae.proofs import all_cases, table

    chosen = [case for case in all_cases() if args.only is None or fnmatch(case.name, f"*{args.only}*")]
    if not chosen:
        raise TargetError(f"no part is called {args.only!r}")
    options = asdict(_settings(args, float32=True))
    reports = [case.run(**options) for case in chosen]
    print(table(reports))
    _write(args.json, json.dumps([json.loads(report.to_json()) for report in reports], indent=2))
    return _exit_status(reports)


def _mutate(args: argparse.Namespace) -> int:
    from npvae.mutation.search import HEAD, mutate, mutate_package

    search = mutate_package if args.target is None else partial(mutate, make(args.target))
    print(HEAD, flush=True)
    try:
        report = search(seed=args.seed, only=args.only, on_tally=partial(print, flush=True))
    except GradientCheckError as error:
        print(f"before anything is broken, the check has to pass:\n{error}")
        return _exit_status([error.report])
    print(report.summary())
    _write(args.json, report.to_json())
    return 0 if report.passed else 1


def _exit_status(reports: list[Report]) -> int:
    states = {report.status for report in reports}
    return 1 if FAIL in states else 0 if states == {PASS} else 2


def _write(path: str | None, text: str) -> None:
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
