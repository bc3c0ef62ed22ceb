"""Arguments that several commands share, and the reading of data."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

from npvae import datasets, memory
from npvae.cli.columns import Selection, add_selection, selected
from npvae.datasets import Dataset
from npvae.datasets.parts import NoRowsError
from npvae.estimators import registry
from npvae.estimators.options import options_of
from npvae.validation import ArgumentError, DataWarning, printable

DIGITS = 50_000
"""How many embedded digits the word "digits" stands for."""

SCATTERED = 5000
"""Rows in a picture of latents, at the most."""

SPELLED = {
    "X": "DATA",
    "comm": "mpiexec",
    "X_val": "--test",
    "x_val": "--test",
    "Z": "LATENTS",
    "n": "-n",
    "n_side": "--side",
    "n_samples": "--samples",
    "random_state": "--seed",
    "y": "DATA",
    "rows": "the number of rows (DATA, --limit)",
}
"""What the arguments of the Python functions are called on the command line, where it is not their name with dashes."""

UNSPELLED = ("path", "file", "header")
"""Arguments that stand for a file, whose name the message has."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions and examples, and shows defaults."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=118)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if any(action.default is none for none in (None, False, argparse.SUPPRESS)) or not action.option_strings:
            return action.help
        return f"{action.help} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments, and which option was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: error: {printable(message)} (see {self.prog} --help)\n")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:
        """As usual; for an option that the command has not, say whose it is or which is near."""
        parsed, others = self.parse_known_args(args, namespace)
        command = getattr(parsed, "command", self)
        _require_commas(sys.argv[1:] if args is None else args, command)
        if others:
            first = next((word for word in others if word.startswith("-")), others[0])
            command.error(
                f"unrecognized arguments: {' '.join(others)}{_meant(first.partition('=')[0], parsed, command)}"
            )
        return parsed

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As usual; the error also says which choice is nearest."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            near = get_close_matches(str(value), map(str, action.choices or ()), n=1)
            error.message += f"; did you mean {near[0]!r}?" if near else ""
            raise


def _require_commas(words: Sequence[str], command: argparse.ArgumentParser) -> None:
    """Refuse ``--hidden 20 10``, of which 10 would be taken for DATA, unless there is such a file."""
    lists = {flag for action in command._actions if action.type is integers for flag in action.option_strings}
    for place, flag in enumerate(words):
        typed = list(takewhile(str.isdecimal, words[place + 1 :]))
        if flag in lists and len(typed) > 1 and not Path(typed[1]).exists():
            command.error(f"argument {flag}: expected commas between, such as {','.join(typed)}, got {' '.join(typed)}")


def _meant(word: str, parsed: argparse.Namespace, command: argparse.ArgumentParser) -> str:
    """Which model has an option of this name, or which option of the command is nearest to it."""
    if hasattr(parsed, "options"):
        tables = {name: options_of(registry.estimator_class(name)) for name in registry.names()}
        owners = [name for name, table in tables.items() if word in (f"--{o.flag}" for o in table.values())]
        if owners:
            return f"; {word} is an option of {', '.join(owners)}, not of {parsed.model}"
    flags = [flag for action in command._actions for flag in action.option_strings if flag.startswith("--")]
    near = get_close_matches(word, flags, n=1, cutoff=0.7) if word.startswith("-") else []
    return f"; did you mean {near[0]}?" if near else ""


def add_command(
    commands: argparse._SubParsersAction, name: str, run: object, summary: str, description: str, example: str
) -> argparse.ArgumentParser:
    """Add a command whose help is its description, its arguments and an example."""
    epilog = "example" + ("s" if "\n" in example else "") + ":\n  " + example.replace("\n", "\n  ")
    parser = commands.add_parser(
        name, help=summary, description=description, epilog=epilog, formatter_class=HelpFormatter
    )
    parser.set_defaults(run=run, command=parser)
    most = "take no more memory than that, such as 2G; without it what the machine or its container has"
    parser.add_argument("--max-memory", metavar="SIZE", type=size_of_memory, help=most)
    return parser


def size_of_memory(text: str) -> int:
    """``"2G"`` as bytes."""
    try:
        return memory.parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def silence(stream: Any) -> None:
    """Have what is still to be written to a stream go nowhere: nobody reads it, or its disk is full."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def integers(text: str) -> tuple[int, ...]:
    """``"500,200"`` as (500, 200), ``"none"`` as ()."""
    if text == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        message = f"expected integers with commas between, such as 500,200, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def row_range(text: str) -> slice:
    """``"10:20"`` as the rows 10 to 19; ``"5"`` is row 5 alone."""
    try:
        first, colon, last = text.partition(":")
        if not colon:
            return slice(int(first), int(first) + 1)
        return slice(int(first) if first else None, int(last) if last else None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected rows such as 0:100 or 7, got {text!r}") from None


def add_data(parser: argparse.ArgumentParser, rows: bool = True) -> None:
    """Add DATA, and if it may be a part of it --rows."""
    parser.add_argument("data", metavar="DATA", help='data file, or "digits"')
    add_selection(parser)
    if rows:
        parser.add_argument("--rows", metavar="A:B", type=row_range, help="rows A to B − 1 only")


def is_embedded(path: str) -> bool:
    """Whether a DATA argument stands for the embedded digits: a file of that name goes first."""
    return path == "digits" and not Path(path).exists()


def read_data(
    path: str,
    labels: str | None = None,
    rows: slice | None = None,
    digits_seed: int = 1,
    argument: str = "DATA",
    choice: Selection = Selection(),  # noqa: B008 (a tuple)
    model: Any = None,
    size: tuple[int, ...] | None = None,
) -> Dataset:
    """The data set behind an argument, of a table the chosen columns, in the order of those of `model`.

    NaN and empty fields may stand for what is not known.

    By default the embedded digits are drawn with another seed than those that ``npvae train`` learns: held-out data.
    """
    if not path:
        raise ValueError(f"{argument} must name a file, got ''")
    embedded = is_embedded(path)
    if embedded and labels is not None:
        raise ValueError("--labels: the embedded digits have labels of their own")
    try:
        if not embedded:
            data = datasets.load(path, labels, True, size or _size_of(model), Reading(path), rows)
            return selected(data, choice, path, model)
    except ArgumentError as error:
        raise error.about(argument) if error.argument == "path" else error from None
    except NoRowsError as error:
        raise ValueError(f"--{error}") from None
    chosen = range(DIGITS)[rows or slice(None)]
    if not chosen:
        raise ValueError(f"--{NoRowsError(path, DIGITS)}")
    data = selected(datasets.digits(max(chosen) + 1, digits_seed, Reading(path)), choice, path, model)
    return data if len(chosen) == len(data) else data.take(list(chosen))


def _size_of(model: Any) -> tuple[int, ...] | None:
    """Height and width of a model's images, to which those of a folder are brought."""
    shape = getattr(model, "image_shape_", None)
    return None if shape is None or len(shape) < 2 else tuple(shape[:2])


class Reading:
    """Tells on a terminal how many pictures are read or drawn, in a line that goes when it is done."""

    def __init__(self, path: str) -> None:
        self._path, self._told, self._open = path, perf_counter(), False

    def __call__(self, done: int, total: int) -> None:
        """Say it, once a second at the most."""
        if not sys.stderr.isatty() or (perf_counter() - self._told <= 1 and done < total):
            return
        if done < total:
            line = f"{printable(self._path):.25}: {done:,} of {total:,} pictures"
            self._told, self._open = perf_counter(), True
            print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)
        elif self._open:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def counted(n: int, word: str) -> str:
    """``"1 row"``, ``"2,000 rows"``."""
    return f"{n:,} {word}{'s' * (n != 1)}"


def as_typed(error: ArgumentError | DataWarning, options: Mapping[str, Any]) -> str:
    """An error of the Python functions in one line, with the arguments that it names called as they were typed.

    `options` is the table of the estimator, whose flags may have other names than its parameters.
    """
    flags = {name: f"--{option.flag}" for name, option in options.items() if option.flag is not None}

    def argument(name: str) -> str:
        if " or " in name:
            return " or ".join(map(argument, name.split(" or ")))
        stem, bracket, rest = name.partition("[")
        if not stem.isidentifier() or stem in UNSPELLED or (stem.isupper() and stem not in SPELLED):
            return name
        if stem == "model" and not options:  # every command but train takes one as it is
            return "MODEL"
        return (flags | SPELLED).get(stem, f"--{stem.replace('_', '-')}") + bracket + rest

    if isinstance(error, DataWarning):
        return f"{argument(error.argument)} {error.remark}"
    return error.spelled(argument, lambda name, value: f"{argument(name)} {value}")
