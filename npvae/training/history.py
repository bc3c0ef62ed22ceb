"""What happened in every epoch."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["History"]


class History(Mapping[str, list[float]]):
    """A table of numbers, one row an epoch, read by column: ``history["kl"]`` is a list.

    Columns: "epoch" (from 1), "steps" and "seconds" (from the start of training), "loss" and its terms in nats (mean
    over the epoch's data, each batch at the parameters of its moment), and the same with "val_" in front on held-out
    data (at the parameters after the epoch).
    """

    def __init__(self, columns: Mapping[str, list[float]] | None = None) -> None:
        self._columns = {name: list(values) for name, values in (columns or {}).items()}

    def __getitem__(self, name: str) -> list[float]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"History({self.n_rows} epochs: {', '.join(self)})"

    @property
    def n_rows(self) -> int:
        """Number of epochs."""
        return max(map(len, self._columns.values()), default=0)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch; every row has the columns of the first."""
        if self._columns and set(row) != set(self._columns):
            raise ValueError(f"row must have the columns {', '.join(self)}, got {', '.join(row)}")
        for name, value in row.items():
            self._columns.setdefault(name, []).append(value)

    def last(self) -> dict[str, float]:
        """The latest epoch, or {} before the first."""
        return {name: values[-1] for name, values in self._columns.items() if values}

    def copy(self) -> History:
        """A copy that grows by itself."""
        return History(self._columns)

    def to_csv(self, path: str | Path) -> None:
        """Write the table with a header line; integers and floats as Python prints them, so nothing is lost."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self)
            writer.writerows(zip(*self.values(), strict=True))
