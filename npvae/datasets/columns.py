"""What kind of thing each column of a table holds, told from its values or said by the user."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.datasets.table import Table, is_missing
from npvae.validation import LARGEST, ArgumentError, DataWarning, one_of

__all__ = ["KINDS", "Column", "described_columns", "learn_columns", "warn_of_extremes"]

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

MOST_DESCRIBED = 40
"""Columns up to which each has a line of its own."""

FEW_ROWS = 20
"""Different values up to which text is a category, whatever the number of rows."""

MOST_COUNTED = 50
"""The largest mean of whole numbers that are taken as counts."""

WORTHWHILE = 0.1
"""Nats a value from which on a log-normal is worth its name."""

NORMAL_QUARTILES = 1.349
"""Standard deviations between the quartiles of a normal."""

EXTREME = "a few values make the standard deviation"

FEW_SET_IT = 20
"""How much larger than the quartiles say a standard deviation is of which `fit` warns."""

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
        Those of a real column, of the logarithm of a positive one, of log(1 + n) of a count.
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
    if (large := np.flatnonzero(np.abs(values) > LARGEST)).size:  # infinities among them
        rule = "be finite" if np.isinf(values[large[0]]) else f"have values below {LARGEST:g}"
        got = f"{values[large[0]]:g} at row {large[0]}, column {name!r}"
        raise ArgumentError("X", rule, got, "mend it, leave it empty, or leave out the row or the column")
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
            remark = f"holds {what} ({len(levels):,} different values in {len(known):,} rows) and is left out"
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
    shift, unit, remark = float(scaled.mean()), float(scaled.std()), ""
    if (few := _scale_of_few(scaled)) > FEW_SET_IT:
        remark = f"{EXTREME} {few:,.0f} times what the others would have"
    return Column(name, kind, (), shift, unit if unit > 0 else 1.0, column.rate, whole, gaps, remark)


def _kind_of_numbers(known: NDArray, distinct: NDArray, whole: bool) -> str:
    mean, var = known.mean(), known.var()
    if whole and len(distinct) == 2:
        return "yes/no"
    if whole and distinct[0] in (0, 1) and mean <= MOST_COUNTED and var >= 0.5 * mean:
        return "count"
    return "positive" if distinct[0] > 0 and _gain_of_log(known) > WORTHWHILE else "real"


def _gain_of_log(values: NDArray) -> float:
    """Nats that a log-normal explains each of some positive values better than a normal, both at their best."""
    logs = np.log(values)
    return float(np.log(values.std()) - np.log(logs.std()) - logs.mean())


def _scale_of_few(values: NDArray) -> float:
    """How much larger the standard deviation of values is than that of a normal with the same quartiles."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(values.std() / ((high - low) / NORMAL_QUARTILES)) if high > low else 1.0


def warn_of_extremes(columns: tuple[Column, ...]) -> None:
    """A DataWarning that names columns whose scale is that of a few values; nothing is learnt of their others."""
    found = [column for column in columns if column.remark.startswith(EXTREME)]
    if found:
        names = ", ".join(repr(column.name) for column in found[:5]) + (", …" if len(found) > 5 else "")
        remark = f"has extreme values in {names}: {found[0].remark}; clip them, leave them empty, or take logarithms"
        warnings.warn(DataWarning("X", remark), stacklevel=5)


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
    """A line for every column: its name, what it is, and what is to be said of it; of many, for every run of alike."""
    runs: list[tuple[list[str], str]] = []
    for column in columns:
        about = _about(column)
        if len(columns) > MOST_DESCRIBED and runs and runs[-1][1] == about:
            runs[-1][0].append(column.name)
        else:
            runs.append(([column.name], about))
    names = [run[0] if len(run) == 1 else f"{run[0]} … {run[-1]} ({len(run):,})" for run, _ in runs]
    width = max(map(len, names))
    lines = [f"  {name:{width}}  {about}" for name, (_, about) in zip(names, runs, strict=True)]
    more = len(lines) - 2 * MOST_DESCRIBED
    return lines if more <= 0 else [*lines[: 2 * MOST_DESCRIBED], f"  and {more:,} lines more, see npvae info"]


def _about(column: Column) -> str:
    about = [KINDS[column.kind]] if column.kind != "left out" else []
    if column.levels:
        shown = ", ".join(map(str, column.levels[:4])) + (", …" if len(column.levels) > 4 else "")
        about.append(f"{len(column.levels)}: {shown}" if column.kind == "category" else shown)
    about += ["gaps"] * column.gaps + [column.remark] * bool(column.remark)
    return f"{column.kind:9} {'; '.join(about)}"
