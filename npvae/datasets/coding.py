"""A table as the rows that a model sees, and back: the scaling of data whose columns are of several kinds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.datasets.columns import KINDS, Column, in_support, learn_columns, transformed
from npvae.datasets.table import Table, is_missing
from npvae.validation import LARGEST, ArgumentError, DataWarning

__all__ = ["Coding"]

FARTHEST = 1e15
"""Standard deviations from the mean that a number may lie: beyond them the square is lost in single precision."""

ORDER = (("real", "positive"), ("count",), ("yes/no",), ("category",))
"""The order of kinds in a row; columns of one kind lie in the order of the table."""


@dataclass(frozen=True)
class Coding:
    """The map from a table to rows (n, width): standardised numbers, 0 and 1, and a 1 among zeros for each category.

    What is not known becomes NaN, and so does a category that was not there when the coding was learnt, which a
    DataWarning names. It stands in the place of a `Scaling`.

    Parameters
    ----------
    columns : tuple of Column
        In the order of the table, those that are left out among them.
    container : str, default "table"
        What the table came in, and what goes out: "pandas", "polars", "table", or "array".
    """

    columns: tuple[Column, ...]
    container: str = "table"

    how = "columns"

    @classmethod
    def learn(cls, table: Table, kinds: Mapping[str, str] | None = None) -> Coding:
        """The coding of a table, see `learn_columns`."""
        return cls(learn_columns(table, kinds), table.container)

    @property
    def places(self) -> dict[str, slice]:
        """Where each column that is not left out lies in a row."""
        places, start = {}, 0
        for kinds in ORDER:
            for column in self.columns:
                if column.kind in kinds:
                    places[column.name] = slice(start, start + column.width)
                    start += column.width
        return places

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(column.width for column in self.columns)

    def n_columns(self, width: int) -> int:
        """Columns of the table."""
        return len(self.columns)

    def n_features(self, n_columns: int) -> int:
        """Numbers in a row."""
        return self.width

    @property
    def masked(self) -> tuple[int, ...]:
        """Places in a row, one of each column that had gaps, that a model should be told to be known or not."""
        places = self.places
        return tuple(places[c.name].start for c in self.columns if c.gaps and c.name in places)

    def of_kind(self, *kinds: str) -> list[Column]:
        """The columns of these kinds, in the order of a row."""
        return [column for column in self.columns if column.kind in kinds]

    # ---- to rows -----------------------------------------------------------------------------------------------------

    def __call__(self, table: Table, argument: str = "X") -> NDArray:
        """The rows of a table, (n, width) float64, with NaN for what is not known.

        An ArgumentError names the row and the column of a value that cannot be.
        """
        x = np.full((len(table), self.width), np.nan)
        places = self.places
        for column in self.columns:
            if column.kind != "left out":
                values = table[column.name]
                code = self._levels if column.levels else self._numbers
                code(column, values, x[:, places[column.name]], argument)
        return x

    def _numbers(self, column: Column, values: NDArray, out: NDArray, argument: str) -> None:
        missing = is_missing(values)
        known = values[~missing]
        if values.dtype.kind != "f":
            if any(isinstance(value, str) for value in known):
                row = next(i for i, value in enumerate(values) if isinstance(value, str))
                got = f"{values[row]!r} at row {row}"
                raise ArgumentError(argument, f"have numbers in column {column.name!r}", got)
            known = known.astype(np.float64)
        wrong = ~(in_support(column, known) & (np.abs(known) <= LARGEST))
        if wrong.any():
            row = int(np.flatnonzero(~missing)[wrong.argmax()])
            wanted = {"positive": "numbers above 0", "count": "whole numbers from 0 on"}.get(
                column.kind, "finite numbers"
            )
            got = f"{known[wrong][0]:g} at row {row}"
            raise ArgumentError(argument, f"have {wanted} in column {column.name!r}, which is {column.kind}", got)
        scaled = (transformed(column, known) - column.shift) / column.unit
        if (far := np.flatnonzero(np.abs(scaled) > FARTHEST)).size:
            got = f"{known[far[0]]:g} at row {np.flatnonzero(~missing)[far[0]]}"
            raise ArgumentError(argument, f"have numbers like those of the training in column {column.name!r}", got)
        out[~missing, 0] = scaled

    def _levels(self, column: Column, values: NDArray, out: NDArray, argument: str) -> None:
        index = {_key(level): i for i, level in enumerate(column.levels)}
        missing = is_missing(values)
        codes = np.array([index.get(_key(value), -1) for value in values[~missing]], dtype=np.int64)
        rows = np.flatnonzero(~missing)
        unseen = codes < 0
        if unseen.any() and not (column.kind == "category" and column.remark):
            new = sorted({str(value) for value in values[rows[unseen]]})
            shown = ", ".join(map(repr, new[:3])) + (", …" if len(new) > 3 else "")
            remark = f"has {shown} in column {column.name!r}, which the training had not: taken as unknown"
            warnings.warn(DataWarning(argument, f"{remark} ({unseen.sum():,} rows)"), stacklevel=5)
        rows, codes = rows[~unseen], codes[~unseen]
        if column.kind == "yes/no":
            out[rows, 0] = codes
        else:
            out[rows] = 0
            out[rows, codes] = 1

    # ---- and back ----------------------------------------------------------------------------------------------------

    def inverse(self, x: NDArray, spread: NDArray | None = None) -> NDArray:
        """Rows (n, width), draws or means, as numbers (n, columns) in the units of the table.

        A category becomes the number of the likeliest, a yes/no column its probability, a column that is left out NaN;
        `table` makes values of them. The median of a positive column or a count is that of its logarithm; where the
        `spread` (n, width) is given, its mean is wanted, e^{½ spread²} times as large for a log-normal.
        """
        values = np.full((len(x), len(self.columns)), np.nan)
        places = self.places
        for j, column in enumerate(self.columns):
            if column.kind == "left out":
                continue
            part = x[:, places[column.name]].astype(np.float64)
            if column.kind == "category":
                known = ~np.isnan(part[:, 0])
                values[known, j] = part[known].argmax(axis=1)
                continue
            values[:, j] = part[:, 0] if column.levels else part[:, 0] * column.unit + column.shift
            if column.kind in ("positive", "count"):
                if spread is not None:
                    values[:, j] += 0.5 * (column.unit * spread[:, places[column.name].start]) ** 2
                values[:, j] = np.exp(values[:, j]) if column.kind == "positive" else np.expm1(values[:, j])
        return values

    def spread(self, mean: NDArray, spread: NDArray) -> NDArray:
        """Standard deviations of rows as those of the columns, (n, columns), in the units of the table.

        Categories and yes/no columns have the probability that it is another than the likeliest, columns that are left
        out have NaN.
        """
        result, places = np.full((len(mean), len(self.columns)), np.nan), self.places
        centre = self.inverse(mean, spread)
        for j, column in enumerate(self.columns):
            if column.kind == "left out":
                continue
            part, wide = (rows[:, places[column.name]].astype(np.float64) for rows in (mean, spread))
            if column.levels:
                likeliest = np.maximum(part[:, 0], 1 - part[:, 0]) if column.kind == "yes/no" else part.max(axis=1)
                result[:, j] = 1 - likeliest
                continue
            result[:, j] = wide[:, 0] * column.unit
            if column.kind in ("positive", "count"):
                relative = np.sqrt(np.expm1(result[:, j] ** 2))
                result[:, j] = relative * (centre[:, j] + (column.kind == "count"))
        return result

    def table(self, values: NDArray, index: Any = None) -> Table:
        """Numbers from `inverse` as a table: categories and truth values by name, whole numbers rounded."""
        columns = {c.name: _values(c, values[:, j]) for j, c in enumerate(self.columns)}
        return Table(columns, container=self.container, index=index)

    # ---- densities ---------------------------------------------------------------------------------------------------

    def log_volumes(self, x: NDArray) -> NDArray:
        """What the units take from the log-density of every row of x: log p(data) = log p(rows) − log_volumes, (n,).

        Σ log unit over what is known of real columns, and for a positive one log unit + log value.
        """
        total, places = np.zeros(len(x)), self.places
        for column in self.of_kind("real", "positive"):
            part = x[:, places[column.name].start].astype(np.float64)
            log_slope = np.log(column.unit)
            if column.kind == "positive":
                log_slope = log_slope + part * column.unit + column.shift
            total += np.where(np.isnan(part), 0, log_slope)
        return total

    # ---- a file ------------------------------------------------------------------------------------------------------

    def header(self) -> dict[str, Any]:
        """The coding for a file, in JSON's types."""
        return {"container": self.container, "columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> Coding:
        """What `header` told; a KeyError, TypeError or ValueError if it is none."""
        columns = header["columns"]
        read = tuple(Column(**{**column, "levels": tuple(column["levels"])}) for column in columns)
        for column in read:
            if column.kind not in KINDS or not isinstance(column.name, str):
                raise ValueError(f"columns should have a name and a kind, got {column!r:.80}")
            if not (np.isfinite([column.shift, column.unit, column.rate]).all() and column.unit > 0 < column.rate):
                raise ValueError(f"column {column.name!r} should have a finite scale, got {column!r:.80}")
        return cls(read, str(header["container"]))

    def __str__(self) -> str:
        counts = {kind: sum(column.kind == kind for column in self.columns) for kind in KINDS}
        return "each column by its kind: " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)


def _key(level: Any) -> Any:
    """Text, truth values and numbers apart, so that "1" is not 1; 1 and 1.0 are one."""
    return (isinstance(level, str), float(level) if not isinstance(level, str) else level)


def _values(column: Column, numbers: NDArray) -> NDArray:
    if column.kind == "left out":
        if isinstance(column.constant, int | float) and not isinstance(column.constant, bool):
            return np.full(len(numbers), float(column.constant))
        result = np.empty(len(numbers), dtype=object)
        result[:] = column.constant
        return result
    if not column.levels:
        return np.rint(numbers) if column.whole else numbers
    known = ~np.isnan(numbers)
    codes = (numbers[known] > 0.5 if column.kind == "yes/no" else numbers[known]).astype(np.int64)
    if all(isinstance(level, int | float) and not isinstance(level, bool) for level in column.levels):
        result = np.full(len(numbers), np.nan)
        result[known] = np.array(column.levels, dtype=np.float64)[codes]
        return result
    result = np.full(len(numbers), None, dtype=object)
    result[known] = [column.levels[code] for code in codes]
    return result
