"""Arguments that several commands share, the reading of data, and results into files by the ending of the name."""

from __future__ import annotations

import argparse
import csv
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from npvae import VAE, datasets
from npvae.datasets import Dataset
from npvae.files import replacing

DIGITS = 50_000
"""How many embedded digits the word "digits" stands for."""

SCATTERED = 5000
"""Rows in a picture of latents, at the most."""

PICTURES = (".png", ".svg", ".pdf")
TABLES = (".npy", ".npz", ".csv")

OPTIONS = {name: name for name in VAE().get_params() if name != "verbose"} | {
    "latent_dim": "latent",
    "n_samples": "samples",
    "batch_size": "batch",
    "init_weights": "init",
    "random_state": "seed",
}
"""The estimator's hyper-parameters, and what they are called on the command line."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions and examples, and shows defaults."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=118)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if any(action.default is none for none in (None, False, argparse.SUPPRESS)) or not action.option_strings:
            return action.help
        return f"{action.help} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def add_command(
    commands: argparse._SubParsersAction, name: str, run: object, summary: str, description: str, example: str
) -> argparse.ArgumentParser:
    """Add a command whose help is its description, its arguments and an example."""
    epilog = "example" + ("s" if "\n" in example else "") + ":\n  " + example.replace("\n", "\n  ")
    parser = commands.add_parser(
        name, help=summary, description=description, epilog=epilog, formatter_class=HelpFormatter
    )
    parser.set_defaults(run=run)
    return parser


def integers(text: str) -> tuple[int, ...]:
    """``"500,200"`` as (500, 200)."""
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


def is_embedded(path: str) -> bool:
    """Whether a DATA argument stands for the embedded digits: a file of that name goes first."""
    return path == "digits" and not Path(path).exists()


def read_data(
    path: str,
    labels: str | None = None,
    rows: slice | None = None,
    digits_seed: int = 1,
    argument: str = "DATA",
) -> Dataset:
    """The data set behind an argument.

    By default the embedded digits are drawn with another seed than those that ``npvae train`` learns: held-out data.
    """
    if not path:
        raise ValueError(f"{argument} must name a file, got ''")
    embedded = is_embedded(path)
    if embedded and labels is not None:
        raise ValueError("--labels: the embedded digits have labels of their own")
    try:
        data = None if embedded else datasets.load(path, labels)
    except (OSError, ValueError) as error:
        if str(error).startswith("path "):
            raise type(error)(argument + str(error)[len("path") :]) from None
        raise
    everything = range(DIGITS if data is None else len(data))
    chosen = everything if rows is None else everything[rows]
    if not chosen:
        raise ValueError(f"--rows selects nothing: {path} has {len(everything)} rows")
    if data is None:
        data = datasets.digits(max(chosen) + 1, seed=digits_seed)
    return data if len(chosen) == len(data) else data.take(list(chosen))


def check_output(
    output: str | Path, picture: bool = True, inputs: Sequence[str | None] = (), argument: str = "output"
) -> Path:
    """`output` as a Path, if its ending is known, it can be written, and it is none of `inputs`.

    To be called before any work is done.
    """
    path = Path(output)
    if path.exists() and any(i and os.path.exists(i) and os.path.samefile(i, path) for i in inputs):
        raise ValueError(f"{argument} must be another file than the inputs, got {str(output)!r}")
    endings = TABLES + (PICTURES if picture else ())
    if path.suffix.lower() not in endings:
        raise ValueError(f"{argument} must end in {', '.join(endings)}, got {str(output)!r}")
    for wrong, error, rule in (
        (path.is_dir(), IsADirectoryError, "be a file"),
        (not path.parent.is_dir(), FileNotFoundError, "lie in a folder that exists"),
        (not os.access(path.parent, os.W_OK), PermissionError, "lie in a folder that can be written"),
    ):
        if wrong:
            raise error(f"{argument} must {rule}, got {str(path)!r}")
    return path


def write(
    path: Path,
    arrays: Mapping[str, NDArray],
    columns: Sequence[str],
    draw: Callable[[ModuleType], Any] | None = None,
) -> None:
    """Write a result as the ending says: .npy the first array, .npz all of them, .csv the first under `columns`.

    Anything else is the picture, which `draw` makes with the module `npvae.plots`.
    """
    ending = path.suffix.lower()
    if ending in PICTURES:
        from npvae import plots

        plots.save(draw(plots), path)
        return
    first = next(iter(arrays.values()))
    with replacing(path) as temporary:
        if ending == ".npy":
            np.save(temporary, first)
        elif ending == ".npz":
            np.savez(temporary, **arrays)
        else:
            with open(temporary, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows(first.reshape(len(first), -1).tolist())


def reconstruction_note(grey: bool) -> str:
    """What the reconstruction term of data is that are grey under a Bernoulli likelihood, or are not."""
    return "cross-entropy of grey pixels, not a likelihood" if grey else "−log p(x|z)"


def as_typed(message: str) -> str:
    """An error message of the Python functions, with the arguments that it names called as they were typed."""
    names = {name: f"--{option.replace('_', '-')}" for name, option in OPTIONS.items()}
    message = re.sub(r"\b(\w+)='([\w-]+)'", lambda m: f"{names.get(m[1], m[1])} {m[2]}", message)
    names |= {"X_val": "--test", "X": "DATA", "Z": "LATENTS", "n": "-n", "n_side": "--side", "steps": "--steps"}
    names |= {
        "labels": "--labels",
        "output": "--output",
        "factors": "--factors",
        "rows": "the number of rows (DATA, --limit)",
    }
    first = re.match(r"\w+", message)
    return names.get(first[0], first[0]) + message[first.end() :] if first else message
