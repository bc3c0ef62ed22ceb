"""Tables: named columns of numbers, text and truth values, from a file or from a frame of pandas or Polars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.validation import ArgumentError, ArgumentTypeError

__all__ = ["Table", "as_container", "is_missing"]


TEXT_ADVICE = "leave the column out, encode it, or take a VAE, which has a likelihood for each kind of column"
"""What to do about text where numbers are wanted."""


class Table:
    """Columns of equal length with names.

    Parameters
    ----------
    columns : dict of str to (n,) array
        Numbers as float64, where NaN stands for what is not known; anything else (text, truth values) as objects, where
        None does.
    notes : sequence of str, optional
        What the reader of the table noticed, for whoever shows it.
    container : {"table", "pandas", "polars"}
        What kind of frame the columns came in.
    index : object, optional
        The index of a frame of pandas.
    has_names : bool, default True
        Whether the names are the data's own, rather than x1, x2, ….

    Raises
    ------
    ValueError
        If there is no column, or their lengths differ.

    Examples
    --------
    >>> table = Table({"age": np.array([31.0, np.nan]), "sex": np.array(["m", None], dtype=object)})
    >>> table.shape, table.columns
    ((2, 2), ['age', 'sex'])
    """

    def __init__(
        self,
        columns: dict[str, NDArray],
        notes: Sequence[str] = (),
        container: str = "table",
        index: Any = None,
        has_names: bool = True,
    ) -> None:
        lengths = {len(values) for values in columns.values()}
        if len(lengths) != 1:
            raise ArgumentError("columns", "be of one length, and at least one", sorted(lengths))
        self._columns, self.notes, self.container, self.index = dict(columns), list(notes), container, index
        self.has_names = has_names
        (self._n,) = lengths

    @property
    def columns(self) -> list[str]:
        """The names, in order."""
        return list(self._columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._n, len(self._columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._n

    def __getitem__(self, name: str) -> NDArray:
        """Return the values of a column."""
        return self._columns[name]

    def values(self) -> list[NDArray]:
        """The values of all columns."""
        return list(self._columns.values())

    def __repr__(self) -> str:
        return f"Table of {self._n:,} rows: {', '.join(self._columns)}"

    def take(self, rows: NDArray | slice | Sequence[int]) -> Table:
        """The table of these rows, in that order."""
        rows = rows if isinstance(rows, slice) else np.asarray(rows)
        return self._with({name: values[rows] for name, values in self._columns.items()})

    def require(self, names: Iterable[str], argument: str = "columns") -> None:
        """An ArgumentError that names one of `names` if the table has no such column."""
        for name in names:
            if name not in self._columns:
                raise ArgumentError(argument, f"be columns of the table, {', '.join(self._columns)}", repr(name))

    def select(self, names: Sequence[str], argument: str = "columns") -> Table:
        """The table of these columns, in that order; an ArgumentError names one that it has not."""
        self.require(names, argument)
        return self._with({name: self._columns[name] for name in names})

    def without(self, names: Sequence[str], argument: str = "drop") -> Table:
        """The table without these columns; an ArgumentError names one that it has not."""
        self.require(names, argument)
        if not (kept := {name: values for name, values in self._columns.items() if name not in names}):
            raise ArgumentError(argument, "leave a column of the table", ", ".join(names))
        return self._with(kept)

    def _with(self, columns: dict[str, NDArray]) -> Table:
        return Table(columns, self.notes, self.container, self.index, self.has_names)

    def is_numeric(self) -> bool:
        """Whether all columns hold numbers or truth values."""
        return all(_as_numbers(values) is not None for values in self._columns.values())

    def has_gaps(self) -> bool:
        """Whether something is not known."""
        return any(is_missing(values).any() for values in self._columns.values())

    def matrix(self, argument: str = "the table") -> NDArray:
        """All columns as float64, (n, d), truth values as 0 and 1; an ArgumentTypeError names a column of text."""
        columns = []
        for name, values in self._columns.items():
            numbers = _as_numbers(values)
            if numbers is None:
                texts = [i for i, value in enumerate(values) if isinstance(value, str)]
                row = next((i for i in texts if not _is_number(values[i])), texts[0])
                got = f"{values[row]!r} at row {row} in column {name!r}, which is text"
                raise ArgumentTypeError(argument, "hold numbers", got, TEXT_ADVICE)
            columns.append(numbers)
        return np.stack(columns, axis=1)

    @classmethod
    def of(cls, argument: str, X: Any) -> Table | None:
        """The table in a frame of pandas or Polars, or in a two-dimensional array of objects; None of anything else.

        Columns of an array are named x1, x2, …
        """
        if isinstance(X, cls):
            return X
        if hasattr(X, "columns") and hasattr(X, "shape"):
            return _of_frame(argument, X)
        if not isinstance(X, np.ndarray):
            return None
        if X.ndim == 2 and X.size and X.dtype.kind in "OUS":
            columns = (_plain(X[:, j].astype(object), is_missing(X[:, j])) for j in range(X.shape[1]))
            return cls({f"x{j + 1}": values for j, values in enumerate(columns)}, container="array", has_names=False)
        return None


def is_missing(values: NDArray) -> NDArray:
    """Where a column has nothing: NaN among numbers; None, NaN and the missing values of pandas among objects."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    return np.fromiter((_is_nothing(value) for value in values), bool, len(values))


def _is_nothing(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return False
    try:
        return bool(value != value)
    except TypeError:  # the missing value of pandas, which is neither equal nor unequal to itself
        return True


def _of_frame(argument: str, X: Any) -> Table:
    names = list(map(str, X.columns))
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(argument, "have columns of different names", f"{twice!r} more than once")
    columns = {}
    for name, key in zip(names, X.columns, strict=True):
        column = X[key]
        values = np.asarray(column.to_numpy())
        if values.dtype.kind in "iuf":
            columns[name] = values.astype(np.float64)
            continue
        if values.dtype.kind in "Mm":
            nothing, text = np.isnat(values), values.astype(str).astype(object)
            text[nothing] = None
            columns[name] = text
            continue
        objects = values.astype(object)
        columns[name] = _plain(objects, is_missing(objects))
    library = type(X).__module__.partition(".")[0]
    container = library if library in ("pandas", "polars") else "table"
    return Table(columns, container=container, index=getattr(X, "index", None) if container == "pandas" else None)


def _plain(objects: NDArray, missing: NDArray) -> NDArray:
    """Objects as float64 where they are numbers, else text and truth values with None for what is missing."""
    known = [value.item() if isinstance(value, np.generic) else value for value in objects[~missing]]
    if (wrong := next((v for v in known if isinstance(v, dict | list | tuple | set | np.ndarray)), None)) is not None:
        got = f"a {type(wrong).__name__}: an entry's argument must be a string or a real number"
        raise ArgumentTypeError("X", "hold numbers, text and truth values", got)
    if known and all(isinstance(value, Real) and not isinstance(value, bool) for value in known):
        numbers = np.full(len(objects), np.nan)
        numbers[~missing] = known
        return numbers
    result = np.full(len(objects), None, dtype=object)
    result[~missing] = [value if isinstance(value, bool | str) else str(value) for value in known] or None
    return result


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_numbers(values: NDArray) -> NDArray | None:
    """Numbers and truth values as float64; None where there is text."""
    if values.dtype.kind == "f":
        return values
    missing = is_missing(values)
    if any(isinstance(value, str) for value in values[~missing]):
        return None
    numbers = np.full(len(values), np.nan)
    numbers[~missing] = values[~missing].astype(np.float64)
    return numbers


def as_container(table: Table) -> Any:
    """The table as a frame of the library that its columns came from; as it is where that is none.

    Columns of whole numbers without a gap become integers.
    """
    if table.container not in ("pandas", "polars"):
        return table
    from importlib import import_module

    try:
        frame = import_module(table.container).DataFrame
    except ImportError:
        return table
    columns = {name: _typed(table[name]) for name in table.columns}
    if table.container == "polars":
        return frame({name: values.tolist() if values.dtype == object else values for name, values in columns.items()})
    return frame(columns, index=table.index if table.index is not None and len(table.index) == len(table) else None)


def _typed(values: NDArray) -> NDArray:
    """Truth values as bool and whole numbers as integers, where nothing is missing."""
    if values.dtype.kind == "f":
        whole = np.isfinite(values).all() and bool((values == np.rint(values)).all()) and abs(values).max() < 2**53
        return values.astype(np.int64) if whole else values
    return values.astype(bool) if all(isinstance(value, bool) for value in values) else values
