"""Sums of a loss and its terms over batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from npvae.bounds import Loss
from npvae.validation import integer


class TermSums:
    """Sums of a loss and its terms over batches, in float64, to be read as means over all data so far.

    Attributes
    ----------
    n : int
        Rows so far.
    """

    def __init__(self) -> None:
        self.n = 0
        self._sums: dict[str, float] = {}
        self._weights: dict[str, float] = {}
        self._units: Mapping[str, str] = {}

    def add(self, loss: Loss) -> None:
        """Take in the loss of a batch."""
        values = {"loss": loss.per_datum, **loss.terms}
        self.add_sums(
            len(loss.per_datum), {name: float(v.sum()) for name, v in values.items()}, loss.weights, loss.units
        )

    def add_sums(
        self, n: int, sums: Mapping[str, float], weights: Mapping[str, float], units: Mapping[str, str]
    ) -> None:
        """Take in a batch of n rows of which "loss" and the terms have these sums, and the terms these weights."""
        self._units = units
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        for name, weight in weights.items():
            self._weights[name] = self._weights.get(name, 0.0) + n * weight
        self.n += n

    def copy(self) -> TermSums:
        """A copy that grows by itself."""
        return TermSums.from_header(self.to_header())

    def to_header(self) -> dict[str, Any]:
        """The sums in types that JSON knows."""
        return {"n": self.n, "sums": dict(self._sums), "weights": dict(self._weights), "units": dict(self._units)}

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> TermSums:
        """Rebuild sums from what `to_header` gave."""
        sums = cls()
        sums.n = integer("n", header["n"], at_least=0)
        sums._sums = {name: float(value) for name, value in header["sums"].items()}
        sums._weights = {name: float(value) for name, value in header["weights"].items()}
        sums._units = {name: str(value) for name, value in header["units"].items()}
        return sums

    def means(self) -> dict[str, float]:
        """Mean of "loss" and of each term."""
        return {name: total / self.n for name, total in self._sums.items()}

    def weights(self) -> dict[str, float]:
        """Mean weight of every term that has one of its own."""
        return {name: total / self.n for name, total in self._weights.items()}

    def unit(self) -> str:
        """The unit of the first term, which is that of the loss."""
        return next((self._units.get(name, "nats") for name in self._sums if name != "loss"), "nats")
