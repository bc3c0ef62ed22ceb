"""Tables in text files: commas, semicolons, tabs or bars between the fields, with names of columns or without."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from npvae import memory
from npvae.datasets.table import Table, is_missing
from npvae.validation import existing_file

__all__ = ["MISSING", "read_table"]

MISSING = frozenset(["", "na", "n/a", "#n/a", "nan", "null", "?"])
"""Fields that stand for a value that is not known, in lower case."""

DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
"""What may stand between fields, and what it is called; the first that all lines agree on is taken."""

INDEX_NAMES = frozenset(["", "index", "id", "unnamed: 0", "row", "rownames"])
"""Names of a first column that holds nothing but the number of the row, in lower case."""

TEXT = 12
"""Bytes that a byte of a table takes as fields of text: its share of one of 60 bytes, and of the numbers."""

SNIFFED = 50
"""Lines that the delimiter is told from."""

MOSTLY = 0.9
"""Share of numbers in a column from which on a field of text in it is a mistake rather than a category."""

_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+")


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a table from a text file in UTF-8 or UTF-16; in Windows-1252 if it is neither, which a note says.

    The first line holds names if none of its fields is a number, or if one is text above a column of numbers; without
    it the columns are x1, x2, …. A column whose fields are all numbers, or not known (see `MISSING`), becomes numbers;
    others are text. Decimal commas are read where semicolons, tabs or quotes leave no doubt. A first column that only
    counts the rows is left out. What was decided is said in the table's `notes`.

    Raises
    ------
    ValueError
        If the table is empty or no UTF-8 text, a line has too many fields or too few, or a column of numbers has a
        field that is none; the line and the column are named.
    """
    file = existing_file(path)
    notes: list[str] = []
    header, names, lines, numbers = _split(file, notes)
    columns = {}
    for j, name in enumerate(_distinct(names, notes)):
        columns[name] = _column(file, name, [row[j] for row in lines], numbers, notes)
    first = next(iter(columns))
    if header and len(columns) > 1 and names[0].strip().lower() in INDEX_NAMES and _counts_rows(columns[first]):
        del columns[first]
        notes.append(f"the first column, {first!r}, only counts the rows and is left out")
    return Table(columns, notes, has_names=header)


def _split(file: Path, notes: list[str]) -> tuple[bool, list[str], list[list[str]], list[int]]:
    """Whether there are names, these, the other lines as fields, and the number of each line in the file."""
    memory.require(str(file), TEXT * file.stat().st_size)
    text = _text(file, notes)
    delimiter = _delimiter(text)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    lines, numbers = [], []
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                lines.append(row)
                numbers.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{file} must be a table with {DELIMITERS[delimiter]} between fields: {error}") from None
    if not lines:
        raise ValueError(f"{file} must be a table, got no line with a field in it")
    if len(lines) > 1 and len(lines[0]) == len(lines[1]) - 1 and not any(map(_is_number, lines[0])):
        lines[0] = ["", *lines[0]]  # R leaves out the name of the row names
    width = len(lines[0])
    for row, number in zip(lines, numbers, strict=True):
        if len(row) != width:
            doubled = delimiter == "," and len(row) == 2 * width
            advice = "; numbers with decimal commas need semicolons between them, or quotes" if doubled else ""
            raise ValueError(f"{file} must have {width} fields in every line, got {len(row)} in line {number}{advice}")
    _require_plain_header(file, lines)
    if _is_header(lines):
        if len(lines) == 1:
            raise ValueError(f"{file} must be a table, got names of columns and no row")
        return True, lines[0], lines[1:], numbers[1:]
    return False, [f"x{j + 1}" for j in range(width)], lines, numbers


def _text(file: Path, notes: list[str]) -> str:
    """The text of a file in UTF-8, in UTF-16 where its first bytes say so, or else in Windows-1252, which is noted."""
    raw = file.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with suppress(UnicodeDecodeError):
        return raw.decode(encoding)
    with suppress(UnicodeDecodeError):
        text = raw.decode("cp1252")
        if encoding != "utf-16" and not any(letter < " " and letter not in "\t\r\n\f" for letter in text):
            shown = next(letter for letter in text if letter > "\x7f")
            where = text.index(shown)
            word = re.search(r"\w*$", text[:where])[0] + re.match(r"\w*", text[where:])[0]
            notes.append(f"the text is no UTF-8 and read as Windows-1252, with words such as {word!r}")
            return text
    raise ValueError(f"{file} must be a table in UTF-8 text, got other bytes: save it as CSV in UTF-8")


def _delimiter(text: str) -> str:
    """What stands between fields: the first of `DELIMITERS` that is in every line as often as in the first."""
    sample = [line for line in text[: 1 << 16].splitlines()[: SNIFFED + 1] if line.strip()]
    if len(sample) > SNIFFED:
        sample.pop()  # it may have been cut off
    for delimiter in DELIMITERS:
        with suppress(csv.Error):
            widths = {len(row) for row in csv.reader(sample, delimiter=delimiter)}
            if len(widths) == 1 and widths != {1}:
                return delimiter
    return max(DELIMITERS, key=lambda delimiter: (text[: 1 << 16].count(delimiter), delimiter == ","))


def _require_plain_header(file: Path, lines: list[list[str]]) -> None:
    """A ValueError if the first line may be names or data: part numbers, part what may be a number mistyped."""
    first = lines[0]
    numbers = [field for field in first if _is_number(field)]
    texts = [field for field in first if not _is_missing(field) and not _is_number(field)]
    broken = [field for field in numbers if not field.strip().isdecimal()]
    mistyped = [field for field in texts if any(character.isdigit() for character in field)]
    if numbers and texts and (broken or mistyped) and _is_header(lines):
        number, text = broken[0] if broken else numbers[0], mistyped[0] if mistyped else texts[0]
        raise ValueError(
            f"{file} must begin with names of columns or with numbers, got both in its first line, {number!r} and "
            f"{text!r}; mend it, or put a line of names above it"
        )


def _is_header(lines: list[list[str]]) -> bool:
    """Whether the first line names the columns."""
    first, others = lines[0], lines[1 : SNIFFED + 1]
    if any(not _is_missing(field) and not _is_number(field) for field in first) and not any(map(_is_number, first)):
        return True
    for j, field in enumerate(first):
        below = [row[j] for row in others if not _is_missing(row[j])]
        if not _is_missing(field) and not _is_number(field) and below and all(map(_is_number, below)):
            return True
    return False


def _distinct(names: Sequence[str], notes: list[str]) -> list[str]:
    """Names that differ from one another: those that are empty are numbered, as are those that come again."""
    result: list[str] = []
    for j, name in enumerate(names):
        name = name.strip() or f"column {j + 1}"
        if name in result:
            again = next(f"{name}_{i}" for i in range(2, len(names) + 2) if f"{name}_{i}" not in [*names, *result])
            notes.append(f"a second column {name!r} is called {again!r}")
            name = again
        result.append(name)
    return result


def _column(file: Path, name: str, fields: list[str], lines: list[int], notes: list[str]) -> NDArray:
    """The fields of a column as float64 if they are numbers, else as text; NaN or None for what is not known."""
    blank = {field for field in set(fields) if _is_missing(field)}  # each text once: columns repeat theirs
    missing = np.fromiter((field in blank for field in fields), bool, len(fields))
    known = [field for field, gone in zip(fields, missing, strict=True) if not gone]
    values = np.full(len(fields), np.nan)
    if (numbers := _numbers(known)) is not None:
        values[~missing] = numbers
        return values
    if all(_is_number(field) or _DECIMAL_COMMA.fullmatch(field.strip()) for field in known):
        values[~missing] = [float(field.replace(".", "").replace(",", ".")) if "," in field else float(field)
                            for field in known]  # fmt: skip
        shown = next(field.strip() for field in known if "," in field)
        value = shown.replace(".", "").replace(",", ".")
        notes.append(f"{name!r} has decimal commas, which are read as points: {shown} is {value}")
        return values
    right = {field for field in set(known) if _is_number(field)}
    wrong = [i for i, field in enumerate(fields) if not missing[i] and field not in right]
    if len(wrong) <= (1 - MOSTLY) * len(known):
        raise ValueError(
            f"{file} must hold numbers in column {name!r}, got {fields[wrong[0]]!r} in line {lines[wrong[0]]} "
            f"({len(wrong)} such of {len(known):,}); mend it, leave it empty, or leave out the column"
        )
    text = np.full(len(fields), None, dtype=object)
    text[~missing] = [field.strip() for field in known] or None
    return text


def _numbers(fields: list[str]) -> NDArray | None:
    try:
        numbers = np.array(fields, dtype=object).astype(np.float64)
    except ValueError:
        return None
    return None if any("_" in field for field in fields) else numbers  # which Python takes in numbers


def _is_missing(field: str) -> bool:
    return field.strip().lower() in MISSING


def _is_number(field: str) -> bool:
    return not _is_missing(field) and _numbers([field]) is not None


def _counts_rows(values: NDArray) -> bool:
    if values.dtype.kind != "f" or is_missing(values).any() or len(values) < 2:
        return False
    return bool(values[0] >= 0 and (np.diff(values) == 1).all())  # a later part of a table begins later
