"""What kind of thing each column of a table holds, told from its values or said by the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.datasets.table import Table, is_missing
from npvae.validation import ArgumentError, one_of

__all__ = ["KINDS", "Column", "described_columns", "learn_columns"]

KINDS = {
    "real": "Gaussian, learned width",
    "positive": "log-normal",
    "count": "Poisson",
    "yes/no": "Bernoulli",
    "category": "softmax over its categories",
    "left out": "",
}
"""What a column can be, and how it is distributed given the latents."""

MOST_CATEGORIES = 100
"""Categories of a column; the rarer ones of more count as unknown."""

FREE_TEXT = 0.5
"""Share of different texts among the rows from which on, above `FEW_ROWS` of them, a column is no category."""

FEW_ROWS = 20
"""Different values up to which text is a category, whatever the number of rows."""

MOST_COUNTED = 50
"""The largest mean of whole numbers that are taken as counts."""

IDENTIFIER = re.compile(r"(.*[ _])?(id|uuid|guid|key|index|name)|(.*[a-z])?I[Dd]", re.ASCII)
"""Names of columns of identifiers, if all their values differ."""

_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?|\d{4}/\d{1,2}/\d{1,2}( .*)?")


@dataclass(frozen=True)
class Column:
    """A column of a table: its kind, and what brings it to the model's scale.

    Parameters
    ----------
    name : str
    kind : str
        One of `KINDS`.
    levels : tuple
        The categories, or no and yes, as the data have them.
    shift, unit : float
        Of a real column, of the logarithm of a positive one, of log(1 + n) of a count.
    rate : float
        Mean of a count.
    whole : bool
        Whether its numbers are whole.
    gaps : bool
        Whether some values were not known.
    remark : str
        What is to be said of it.
    constant : object
        The only value of a column that is left out because it does not vary.
    """

    name: str
    kind: str
    levels: tuple[Any, ...] = ()
    shift: float = 0.0
    unit: float = 1.0
    rate: float = 1.0
    whole: bool = False
    gaps: bool = False
    remark: str = ""
    constant: Any = None

    @property
    def width(self) -> int:
        """Numbers that the model sees of it."""
        return {"category": len(self.levels), "left out": 0}.get(self.kind, 1)


def learn_columns(table: Table, kinds: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """The kind and the scale of every column of a table; `kinds` by name goes before what the values tell.

    Text of two values is yes/no, of several a category, of almost as many as rows left out, as are dates, what does not
    vary, and what is not known at all. Numbers of two whole values are yes/no; whole ones from 0 or 1 on with a
    variance and a mean like those of a Poisson are counts; those above zero whose logarithm is less skew are positive;
    others are real.

    Raises
    ------
    ValueError
        If `kinds` names no column or no kind, a column cannot be what it is said to be, or none is left.
    """
    kinds = dict(kinds or {})
    table.require(kinds)
    columns = tuple(_learn(name, table[name], kinds.get(name)) for name in table.columns)
    if all(column.kind == "left out" for column in columns):
        told = "; ".join(f"{column.name!r} {column.remark}" for column in columns[:5])
        raise ArgumentError("X", "have a column to learn from", told)
    return columns


def _learn(name: str, values: NDArray, kind: str | None) -> Column:
    missing = is_missing(values)
    known, gaps = values[~missing], bool(missing.any())
    if kind is not None:
        one_of(f"columns[{name!r}]", kind, KINDS)
    if kind == "left out":
        return Column(name, "left out", remark="left out as told")
    if not len(known):
        return Column(name, "left out", remark="has no known value and is left out")
    if (known == known[0]).all():
        constant, ever = _plain(known[0]), "" if not gaps else " where it is known"
        remark = f"is always {constant!r}{ever} and is left out"
        return Column(name, "left out", constant=constant, remark=remark)
    if values.dtype.kind != "f":
        return _learn_text(name, known, kind, gaps)
    if not np.isfinite(known).all():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise ArgumentError("X", "be finite", f"{values[row]} at row {row}, column {name!r}")
    return _learn_numbers(name, known, kind, gaps)


def _learn_text(name: str, known: NDArray, kind: str | None, gaps: bool) -> Column:
    levels, counts = np.unique(known.astype(str), return_counts=True)
    if kind in ("real", "positive", "count"):
        raise ArgumentError(f"columns[{name!r}]", "be 'category' or 'left out', since it holds text", repr(kind))
    if kind is None:
        if all(_DATE.fullmatch(level) for level in levels[:FEW_ROWS]):
            advice = "make numbers of them, such as days since a date, to use them"
            return Column(name, "left out", remark=f"holds dates and is left out: {advice}")
        if len(levels) > FEW_ROWS and len(levels) > FREE_TEXT * len(known):
            what = "identifiers" if len(levels) == len(known) else "free text"
            remark = f"is {what} ({len(levels):,} different values in {len(known):,} rows) and is left out"
            return Column(name, "left out", remark=remark)
    typed = {str(value): value for value in known}
    if len(levels) == 2 and kind != "category":
        return Column(name, "yes/no", tuple(typed[level] for level in levels), gaps=gaps)
    return _category(name, [typed[level] for level in levels], counts, gaps)


def _category(name: str, levels: list[Any], counts: NDArray, gaps: bool) -> Column:
    remark = ""
    if len(levels) > MOST_CATEGORIES:
        kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
        rare = len(levels) - MOST_CATEGORIES
        remark = f"the {rare:,} rarest of {len(levels):,} categories count as unknown"
        levels, gaps = [levels[i] for i in kept], True
    return Column(name, "category", tuple(levels), gaps=gaps, remark=remark)


def _learn_numbers(name: str, known: NDArray, kind: str | None, gaps: bool) -> Column:
    whole = bool((known == np.rint(known)).all())
    distinct = np.unique(known)
    if kind is None and whole and len(distinct) == len(known) > FEW_ROWS and IDENTIFIER.fullmatch(name):
        return Column(name, "left out", remark="is an identifier (all values differ) and is left out")
    kind = kind or _kind_of_numbers(known, distinct, whole)
    if kind == "yes/no":
        if len(distinct) != 2:
            raise ArgumentError(f"columns[{name!r}]", "be of two values to be 'yes/no'", f"{len(distinct)} of them")
        return Column(name, kind, tuple(map(_plain, distinct)), whole=whole, gaps=gaps)
    if kind == "category":
        counts = np.unique(known, return_counts=True)[1]
        return _category(name, list(map(_plain, distinct)), counts, gaps)
    column = Column(name, kind, whole=whole, gaps=gaps, rate=float(known.mean()) if kind == "count" else 1.0)
    row = np.flatnonzero(~in_support(column, known))
    if len(row):
        wanted = "above 0 to be 'positive'" if kind == "positive" else "whole and not negative to be a 'count'"
        raise ArgumentError(f"columns[{name!r}]", f"be {wanted}", f"{known[row[0]]:g}")
    scaled = transformed(column, known)
    shift, unit = float(scaled.mean()), float(scaled.std())
    return Column(name, kind, (), shift, unit if unit > 0 else 1.0, column.rate, whole, gaps)


def _kind_of_numbers(known: NDArray, distinct: NDArray, whole: bool) -> str:
    mean, var = known.mean(), known.var()
    if whole and len(distinct) == 2:
        return "yes/no"
    if whole and distinct[0] in (0, 1) and mean <= MOST_COUNTED and var >= 0.5 * mean:
        return "count"
    if distinct[0] > 0 and _skewness(known) > 1 and abs(_skewness(np.log(known))) < 0.5 * _skewness(known):
        return "positive"
    return "real"


def _skewness(values: NDArray) -> float:
    deviation = values - values.mean()
    spread = np.sqrt((deviation**2).mean())
    return float((deviation**3).mean() / spread**3) if spread > 0 else 0.0


def in_support(column: Column, values: NDArray) -> NDArray:
    """Where numbers can be of this column."""
    if column.kind == "positive":
        return values > 0
    return (values >= 0) & (values == np.rint(values)) if column.kind == "count" else np.isfinite(values)


def transformed(column: Column, values: NDArray) -> NDArray:
    """Numbers of a column as they are scaled: of a positive one the logarithm, of a count that of 1 + n."""
    if column.kind == "positive":
        return np.log(values)
    return np.log1p(values) if column.kind == "count" else values


def _plain(value: Any) -> Any:
    """A value as JSON has it: whole numbers as integers."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def described_columns(columns: tuple[Column, ...]) -> list[str]:
    """A line for every column: its name, what it is, and what is to be said of it."""
    width = max(len(column.name) for column in columns)
    lines = []
    for column in columns:
        about = [KINDS[column.kind]] if column.kind != "left out" else []
        if column.levels:
            shown = ", ".join(map(str, column.levels[:4])) + (", …" if len(column.levels) > 4 else "")
            about.append(f"{len(column.levels)}: {shown}" if column.kind == "category" else shown)
        about += ["gaps"] * column.gaps + [column.remark] * bool(column.remark)
        lines.append(f"  {column.name:{width}}  {column.kind:9} {'; '.join(about)}")
    return lines
