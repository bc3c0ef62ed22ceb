"""The command line: ``npvae train``, ``npvae sample``, …

Exit status: 0 success, 1 the training broke off, 2 something is wrong with the arguments or the data, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import npvae
from npvae import memory
from npvae.cli import compress, detect, evaluate, explore, gradcheck, impute, produce, report, restore, train, traverse
from npvae.cli.arguments import HelpFormatter, Parser, as_typed, silence
from npvae.validation import ArgumentError, DataWarning, printable

__all__ = ["build_parser", "main"]

DESCRIPTION = """\
Latent-variable models in pure NumPy: train one on images or tables, and use it.

  npvae train                                   on digits that npvae draws itself
  npvae train images.npy --latent 10            on your own data
  npvae sample npvae-run/model.npz              new images from the trained model

DATA is an IDX file (plain or .gz), .npy, .npz (or file.npz:name for one of its arrays), .csv, a folder of PNGs, or the
word "digits" for the embedded ones. Eight-bit images are divided by 255."""

EPILOG = """\
exit status: 0 success, 1 the loss stopped being finite (what was trained is kept), 2 wrong arguments or data,
130 interrupted (what was trained is kept); gradcheck has its own, see its help."""


def build_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of all commands; ``train`` has the options of the model that the arguments name."""
    parser = Parser(prog="npvae", description=DESCRIPTION, epilog=EPILOG, formatter_class=HelpFormatter)
    parser.add_argument("--version", action="version", version=f"npvae {npvae.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train.add_commands(commands, train.model_in(argv))
    for module in (produce, traverse, impute, restore, report, detect, compress, evaluate, explore, gradcheck):
        module.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the user are one line on standard error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (open until the process ends)
        if hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="replace")  # a terminal without Greek letters gets question marks
    lost = False
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError as error:  # what is left in the buffer goes nowhere, or Python would complain at its end
                lost = lost or (stream is sys.stdout and not isinstance(error, BrokenPipeError))
                silence(stream)
    return 2 if lost and status == 0 else status


def _run(argv: Sequence[str]) -> int:
    options: Mapping[str, Any] = {}
    try:
        args = build_parser(argv).parse_args(argv)
        options = getattr(args, "options", {})
        with warnings.catch_warnings(), memory.limited(args.max_memory):
            warnings.simplefilter("always", DataWarning)
            warnings.showwarning = _show_warning
            return args.run(args)
    except BrokenPipeError:  # whoever read our output has read enough
        return 0
    except KeyboardInterrupt:
        _complain("npvae: interrupted")
        return 130
    except (ImportError, MemoryError, OSError, OverflowError, TypeError, ValueError) as error:
        _complain(f"npvae: error: {_one_line(error, options)}")
        return 2


def _complain(line: str) -> None:
    """Print a line to standard error, if that can be written."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def _show_warning(message: Warning, *where: Any) -> None:
    _complain(f"npvae: warning: {_one_line(message, {})}")


def _one_line(error: BaseException, options: Mapping[str, Any]) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return printable(" ".join(f"{error.filename}: {error.strerror}".split()))
    words = as_typed(error, options) if isinstance(error, ArgumentError | DataWarning) else str(error)
    return printable(" ".join(words.split())) or type(error).__name__
