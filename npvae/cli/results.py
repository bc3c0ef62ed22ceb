"""Results into files, by the ending of the name, and the commands that make nothing but one such result."""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import npvae
from npvae.cli.arguments import add_command
from npvae.cli.pictures import title
from npvae.cli.run_folder import MODEL
from npvae.datasets import Table
from npvae.datasets.coding import Coding
from npvae.estimators import Estimator, registry
from npvae.files import replacing
from npvae.validation import ArgumentError, FolderError, MissingFileError, NotWritableError

PICTURES = (".png", ".svg", ".pdf")
TABLES = (".npy", ".npz", ".csv")
ENDINGS = "\n\nResults go to .npy, .npz, .csv or a picture (.png, .svg, .pdf), by the output's ending."

SHOWN = 12
"""Rows in a picture of data beside what was made of them, unless --rows says otherwise."""

Commands = argparse._SubParsersAction

Made = tuple[dict[str, NDArray], Callable[[ModuleType], Any]]
"""Arrays, the first of which is the result, and what draws them with `npvae.plots`."""


def check_output(
    output: str | Path,
    endings: Sequence[str] = TABLES + PICTURES,
    inputs: Sequence[str | None] = (),
    argument: str = "output",
) -> Path:
    """`output` as a Path, if it has one of the endings and can be made, and is none of `inputs` (``file.npz:key`` too).

    To be called before any work is done.
    """
    path = Path(output)
    read = [name for i in inputs if i for name in (i, i.rpartition(":")[0]) if os.path.exists(name)]
    if path.exists() and any(os.path.samefile(name, path) for name in read):
        raise ArgumentError(argument, "be another file than the inputs", repr(str(output)))
    if path.suffix.lower() not in endings:
        raise ArgumentError(argument, f"end in {', '.join(endings)}", repr(str(output)))
    for wrong, error, rule in (
        (path.is_dir(), FolderError, "be a file"),
        (not path.parent.is_dir(), MissingFileError, "lie in a folder that exists"),
        (not os.access(path.parent, os.W_OK), NotWritableError, "lie in a folder that can be written"),
    ):
        if wrong:
            raise error(argument, rule, repr(str(path)))
    if path.suffix.lower() in PICTURES:
        from npvae import plots

        plots.require_matplotlib()
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
    if (ending == ".csv" and isinstance(first, Table)) or hasattr(first, "columns"):
        table = Table.of("the result", first)
        if ending != ".csv" and not table.is_numeric():
            raise ArgumentError("output", "end in .csv, since the result has text", repr(str(path)))
        if ending == ".csv":
            _write_table(path, table)
            return
        arrays = {name: _plain(values) for name, values in arrays.items()}
        first = next(iter(arrays.values()))
    with replacing(path) as temporary:
        if ending == ".csv":
            with open(temporary, "w", newline="", encoding="utf-8") as table:
                writer = csv.writer(table)
                writer.writerow(columns)
                writer.writerows(first.reshape(-1, len(columns)).astype(str).tolist())  # the shortest that reads back
            return
        with open(temporary, "wb") as file:  # to a mere name NumPy would add an ending that it does not know, as .NPY
            if ending == ".npy":
                np.save(file, first)
            else:
                np.savez(file, **arrays)


def _write_table(path: Path, table: Table) -> None:
    """A table as .csv: whole numbers without a point, nothing where nothing is known."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        columns = [[_field(value) for value in values.tolist()] for values in table.values()]
        writer.writerows(zip(*columns, strict=True))


def _field(value: Any) -> Any:
    if value is None or value != value:
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _plain(values: Any) -> NDArray:
    """Tables as arrays."""
    if isinstance(values, list):
        return np.stack(list(map(_plain, values)))
    return values if isinstance(values, np.ndarray) else Table.of("the result", values).matrix()


def add_maker(
    commands: Commands,
    make: Callable[[argparse.Namespace, Any], Made],
    summary: str,
    output: str,
    description: str,
    example: str,
    column: str = "x",
    needs: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add the command that `make` is named after: it makes of a model what goes to the `output`, with its columns.

    `needs` are the methods of the estimator of which the command needs one, unless it is that of its own name.
    """
    name = make.__name__
    run = partial(_write_made, make, column, needs or (name,), output)
    parser = add_command(commands, name, run, summary, description + ENDINGS, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    where = f"where to (default: {output}{'; .csv where rows are no pictures' if output.endswith('.png') else ''})"
    parser.add_argument("-o", "--output", metavar="FILE", help=where)
    return parser


def load(path: str) -> Any:
    """The model in a file; an error about the file names MODEL, and for a folder the model that lies in it."""
    try:
        return npvae.load(path)
    except FolderError as error:
        inside = Path(path) / MODEL
        advice = f"did you mean {inside}?" if inside.is_file() else ""
        raise FolderError("MODEL", error.rule, error.got, advice) from None
    except ArgumentError as error:
        raise error.about("MODEL") if error.argument == "path" else error from None


def load_with(path: str, command: str, *methods: str) -> Any:
    """The model in a file, if its estimator has a method that a command needs, one of `methods`.

    A ValueError names the models that have one.
    """
    model = load(path)
    if any(hasattr(model, method) for method in methods):
        return model
    classes = {name: registry.estimator_class(name) for name in registry.names()}
    able = [name for name, cls in classes.items() if any(hasattr(cls, method) for method in methods)]
    needed = " or ".join(part for part in (", ".join(able[:-1]), able[-1]) if part)
    raise ValueError(f"npvae {command} needs a model of {needed}; {path} is one of {registry.model_name(type(model))}")


def require_plain_rows(path: str, model: Any, command: str) -> None:
    """A ValueError for a model of a table with a likelihood for every column, where a command wants plain numbers."""
    if isinstance(model.scaling_, Coding):
        raise ValueError(f"npvae {command} is for pictures and plain numbers; {path} has columns of several kinds")


def _write_made(
    make: Callable[[argparse.Namespace, Any], Made],
    column: str,
    needs: Sequence[str],
    output: str,
    args: argparse.Namespace,
) -> int:
    if args.output is not None:
        check_output(args.output, inputs=inputs(args))
    model = load_with(args.model, make.__name__, *needs)
    args.output = check_output(args.output or _default_output(output, model), inputs=inputs(args))
    if column == "x" and args.output.suffix.lower() in PICTURES:
        image_shape(model)  # rows that are no pictures cannot be drawn
    arrays, draw = make(args, model)
    first = next(iter(arrays.values()))
    about = Path(args.data).name if getattr(args, "data", None) else "/".join(Path(args.model).parts[-2:])
    what = f"{title(model, about)}: {make.__name__}"
    columns = [f"{column}{i + 1}" for i in range(first.shape[-1])]
    if column == "x":
        columns = column_names(model, len(columns))
    write(args.output, arrays, columns, draw and (lambda plots: plots.titled(draw(plots), what)))
    print(f"wrote {args.output}")
    return 0


def column_names(model: Any, n_columns: int) -> list[str]:
    """The names of so many columns of data that come from a model: those of its training, or x1, x2, …"""
    known = getattr(model, "feature_names_in_", None)
    return [f"x{i + 1}" for i in range(n_columns)] if known is None or len(known) != n_columns else list(known)


def _default_output(output: str, model: Any) -> str:
    """The default, in a table where the model's rows are no pictures."""
    pictures = is_picture(model) or not output.endswith(PICTURES)
    return output if pictures else str(Path(output).with_suffix(".csv"))


def is_picture(model: Any) -> bool:
    """Whether the model's rows are pictures."""
    return getattr(model, "image_shape_", None) is not None and (
        len(model.image_shape_) == 2 or tuple(model.image_shape_[2:]) in ((1,), (3,))
    )


def inputs(args: argparse.Namespace) -> list[str | None]:
    """The files that a command reads, which it must not write over."""
    return [getattr(args, name, None) for name in ("model", "data", "latents", "labels", "seen")]


def image_shape(model: Estimator) -> tuple[int, ...]:
    """Height and width of the model's images; a ValueError if its rows are none."""
    if not is_picture(model):
        raise ValueError(f"the model's rows of {model.n_features_in_} features are no pictures; use .npy, .npz or .csv")
    return model.image_shape_


def shown_rows(args: argparse.Namespace) -> slice | None:
    """--rows, or for a picture the first few."""
    return slice(0, SHOWN) if args.rows is None and args.output.suffix.lower() in PICTURES else args.rows
