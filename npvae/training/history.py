"""The table of a training, a row an epoch, and what its columns are."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Term

BOOKKEEPING = ("epoch", "steps", "seconds", "loss")
HELD_OUT, WEIGHT = "val_", "weight_"
"""What stands before a term's name in the columns of its held-out means and of its mean weights."""

_OLD_NAMES = {"beta": "weight_kl"}  # columns as the first format of files called them
_INTEGERS = ("epoch", "steps")


class History(dict[str, list[float]]):
    """A table of numbers, one row an epoch, read by column: ``history["kl"]`` is a list.

    Columns: "epoch" (from 1), "steps" and "seconds" (from the start of training), "loss" and its terms (mean over the
    epoch's data, each batch at the parameters of its moment), and the same with "val_" in front on held-out data (at
    the parameters after the epoch). Where the model changes from step to step, "weight_kl" and the like are the mean
    weights of the terms over the epoch.

    Parameters
    ----------
    columns : mapping of str to sequence of float, optional
    terms : mapping of str to Term, optional
        Label, unit and weight of the terms, where they are known.

    Attributes
    ----------
    terms : dict of str to Term
        Those of every column that is a term of the loss, in their order. The weight is that of held-out data where the
        weight changes during the training. A term of which nothing is known has its name for a label.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[float]] | None = None, terms: Mapping[str, Term] | None = None
    ) -> None:
        super().__init__({name: list(values) for name, values in (columns or {}).items()})
        self._told = dict(terms or {})

    def __repr__(self) -> str:
        return f"History({self.n_rows} epochs: {', '.join(self)})"

    @property
    def n_rows(self) -> int:
        """Number of epochs."""
        return max(map(len, self.values()), default=0)

    @property
    def terms(self) -> dict[str, Term]:
        """Label, unit and weight of every term, by its name, in the order of the columns."""
        names = [name for name in self if name not in BOOKKEEPING and not name.startswith((HELD_OUT, WEIGHT))]
        return {name: self._told.get(name, Term(name.replace("_", " "))) for name in names}

    @property
    def unit(self) -> str:
        """The unit of the first term, which is that of the loss."""
        return next((term.unit for term in self.terms.values()), "nats")

    @property
    def weight_columns(self) -> list[str]:
        """The columns that hold mean weights of terms, of a run whose model changes from step to step."""
        return [name for name in self if name.startswith(WEIGHT)]

    def append(self, row: Mapping[str, float], terms: Mapping[str, Term] | None = None) -> None:
        """Add an epoch, which has the columns of the first; `terms` say what its terms are from now on."""
        if self and set(row) != set(self):
            raise ValueError(f"row must have the columns {', '.join(self)}, got {', '.join(row)}")
        for name, value in row.items():
            self.setdefault(name, []).append(value)
        if terms is not None:
            self._told = dict(terms)

    def relabel(self, name: str, label: str) -> None:
        """Call a term otherwise; nothing changes where there is no such term."""
        if name in self.terms:
            self._told[name] = self.terms[name]._replace(label=label)

    def last(self) -> dict[str, float]:
        """The latest epoch, or {} before the first."""
        return {name: values[-1] for name, values in self.items() if values}

    def copy(self) -> History:
        """A copy that grows by itself."""
        return History(self, self._told)

    def to_csv(self, path: str | Path) -> None:
        """Write the table with a header line; integers and floats as Python prints them, so nothing is lost."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self)
            writer.writerows(zip(*self.values(), strict=True))

    def to_arrays(self) -> dict[str, NDArray]:
        """The columns as arrays, for a file: "epoch" and "steps" as integers, the others in float64."""
        return {name: np.array(c, np.int64 if name in _INTEGERS else np.float64) for name, c in self.items()}

    def to_header(self) -> dict[str, Any]:
        """What the columns are, in types that JSON knows."""
        return {name: term._asdict() for name, term in self.terms.items()}

    @classmethod
    def from_file(cls, columns: Mapping[str, Any], terms: Mapping[str, Any]) -> History:
        """Rebuild a history from its columns, as arrays or lists, and what `to_header` gave.

        Files of an older format have columns alone, in which the weight of the KL is called "beta".

        Raises
        ------
        ValueError
            If columns are not equally long rows of numbers, or `terms` does not describe terms.
        """
        table = {_OLD_NAMES.get(name, name): _column(name, values) for name, values in columns.items()}
        if len({len(column) for column in table.values()}) > 1:
            raise ValueError("history should have columns of one length")
        if table and (missing := [name for name in BOOKKEEPING if name not in table]):
            raise ValueError(f"history should have the columns {', '.join(BOOKKEEPING)}, it lacks {', '.join(missing)}")
        _require_course(table)
        return cls(table, {name: _term(name, entry) for name, entry in terms.items()})


def _require_course(table: Mapping[str, list[float]]) -> None:
    """A ValueError unless the rows are epochs from 1 on, of which each comes after the one before."""
    numbers = {name: np.asarray(table.get(name, []), dtype=np.float64) for name in BOOKKEEPING}
    epochs, steps, seconds = (numbers[name] for name in ("epoch", "steps", "seconds"))
    if not all(np.isfinite(column).all() for column in numbers.values()):
        raise ValueError(f"history should be finite in {', '.join(BOOKKEEPING)}")
    if not np.array_equal(epochs, np.arange(1, len(epochs) + 1)):
        raise ValueError("history should have a row for each epoch, from 1 on")
    if np.any(np.diff(steps, prepend=0) < 0) or np.any(steps != np.rint(steps)) or np.any(steps >= 2**53):
        raise ValueError("history should have whole numbers of steps, which grow")
    if np.any(seconds < 0):
        raise ValueError("history should have seconds that are not negative")


def _column(name: str, values: Any) -> list[float]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iuf"):
        raise ValueError(f"history should have a list of numbers in column {name!r:.60}")
    return array.tolist()


def _term(name: str, entry: Any) -> Term:
    term = Term(**entry) if isinstance(entry, Mapping) and set(entry) == set(Term._fields) else None
    is_term = term is not None and isinstance(term.label, str) and isinstance(term.unit, str)
    if not is_term or isinstance(term.weight, bool) or not isinstance(term.weight, int | float):
        raise ValueError(f"terms[{name!r:.60}] should have a label, a unit and a weight, got {entry!r:.60}")
    return term
