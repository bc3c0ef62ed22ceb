"""Tables of numbers: comma-separated files with or without a row of names."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import chain
from typing import TextIO

import numpy as np

from npvae.validation import existing_file


def read_csv(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a table of numbers separated by commas.

    The first line is taken as column names, and skipped, if any of its fields is text that is no number. All else has
    to be numbers, as many in each line as in the first; blank lines are skipped.

    Returns
    -------
    (rows, columns) float64 array

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    ValueError
        If the table is empty or not UTF-8 text, or a line has a field too many, too few, empty or not numeric; the
        line's number is named.
    """
    file = existing_file(path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = _parse(text)
            if table is None:
                text.seek(0)
                raise ValueError(f"{file} {_complaint(text)}")
    except UnicodeDecodeError:
        raise ValueError(f"{file} must be a table in UTF-8 text, got other bytes") from None
    except csv.Error as error:
        raise ValueError(f"{file} must be a table of numbers separated by commas: {error}") from None
    return table


def _parse(text: TextIO) -> np.ndarray | None:
    """Return the table, or None if something is wrong with it."""
    first = next(_rows(text), (0, []))[1]
    if not _is_header(first):
        text.seek(0)
    lines = (line for line in text if line.strip())
    second = next(lines, None)
    if second is None:
        return None
    try:
        table = np.loadtxt(chain([second], lines), delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError:  # for text in another encoding, the complaint meets the same error
        return None
    return table if table.shape[1] == len(first) else None


def _complaint(text: TextIO) -> str:
    """Say what is wrong with the first line that does not fit."""
    width, numbers = 0, False
    for line, row in _rows(text):
        if not width:
            width = len(row)
            if _is_header(row):
                continue
        if len(row) != width:
            return f"must have {width} fields in every line, got {len(row)} in line {line}"
        for column, field in enumerate(row, start=1):
            if not _is_number(field):
                got = repr(field) if field.strip() else "an empty field"
                return f"must hold numbers, got {got} in line {line}, field {column}"
        numbers = True
    return f"must be a table of numbers separated by commas, got {'other text' if numbers else 'no line of numbers'}"


def _rows(text: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not blank."""
    reader = csv.reader(text)
    for row in reader:
        if len(row) > 1 or "".join(row).strip():
            yield reader.line_num, row


def _is_header(row: list[str]) -> bool:
    return any(field.strip() and not _is_number(field) for field in row)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field
