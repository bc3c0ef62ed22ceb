"""Columns of tables on the command line: which are used, which is the label, of what kind they are, in which order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from npvae.datasets import Dataset
from npvae.datasets.columns import KINDS
from npvae.validation import existing_file, printable

__all__ = ["Selection", "add_selection", "read_kinds", "selected", "selection"]


class Selection(NamedTuple):
    """What of a table is used."""

    columns: Sequence[str] = ()
    """Only these, unless there are none."""
    drop: Sequence[str] = ()
    """All but these."""
    label: str | None = None
    """The column of classes, which is left out of the rows."""


def names(text: str) -> list[str]:
    """``"a,b"`` as ["a", "b"]."""
    return [name.strip() for name in text.split(",") if name.strip()]


def add_selection(parser: Any) -> None:
    """Add --columns, --drop and --label-column."""
    parser.add_argument("--columns", metavar="NAME[,NAME…]", type=names, default=[], help="of a table only these")
    parser.add_argument("--drop", metavar="NAME[,NAME…]", type=names, default=[], help="of a table all but these")
    help = "column of a table that holds the classes, which are not learnt"
    parser.add_argument("--label-column", metavar="NAME", help=help)


def selection(args: argparse.Namespace) -> Selection:
    """What the arguments of a command say."""
    return Selection(args.columns, args.drop, args.label_column)


def selected(data: Dataset, choice: Selection, path: str, model: Any = None) -> Dataset:
    """The chosen columns of a data set; where a model is given, in the order of those that it was trained on.

    A ValueError names a column that the table has not, or that it has and the model knows nothing of.
    """
    table = data.table
    if table is None:
        if any(choice):
            raise ValueError(f"--columns, --drop and --label-column need a table with names of columns, {path} is none")
        return data
    labels, notes = data.labels, list(table.notes)
    if choice.label is not None:
        table.require([choice.label], "--label-column")
        labels = np.unique(table[choice.label].astype(str), return_inverse=True)[1].astype(np.int64)
        table = table.without([choice.label])
    if choice.drop:
        table = table.without(choice.drop, "--drop")
    if choice.columns:
        table = table.select(choice.columns, "--columns")
    known = getattr(model, "feature_names_in_", None)
    if known is not None and table.columns != (known := list(known)):
        _require_all(path, table.columns, known)
        table = table.select(known)
        notes.append("the columns are put in the order of the training")
    for note in notes:
        with suppress(OSError):
            print(printable(f"npvae: {path}: {note}"), file=sys.stderr)
    return Dataset.from_table(table, labels, data.name)


def _require_all(path: str, got: list[str], known: list[str]) -> None:
    missing, others = [n for n in known if n not in got], [n for n in got if n not in known]
    if missing:
        more = ", …" if len(missing) > 5 else ""
        raise ValueError(f"{path} must have the columns of the training, it lacks {', '.join(missing[:5])}{more}")
    if others:
        told = ",".join(others)
        raise ValueError(f"{path} has columns that the model was not trained on; leave them out with --drop {told!r}")


def read_kinds(path: str) -> dict[str, str]:
    """The kinds of columns from a file with lines such as ``age: positive``; # begins a remark."""
    kinds: dict[str, str] = {}
    for number, line in enumerate(existing_file(path, "--types").read_text(encoding="utf-8-sig").splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        mark = next((mark for mark in (":", "=", "\t", ",") if mark in line), None)
        name, _, kind = line.rpartition(mark) if mark else ("", "", line)
        name, kind = name.strip().strip("\"'"), kind.strip().strip("\"'")
        if not name or kind not in KINDS:
            known = ", ".join(KINDS)
            raise ValueError(f"{path}: line {number} must be NAME: KIND with a kind of {known}, got {line!r}")
        kinds[name] = kind
    return kinds
