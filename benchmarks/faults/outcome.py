"""What came of the cases of a part, and how long there are more of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from random import Random
from time import monotonic
from typing import Any

__all__ = ["Outcome", "Watch"]


@dataclass
class Outcome:
    """The cases of one part."""

    part: str
    what: str
    cases: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    """The number of each case that failed, and what was wrong."""
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Watch:
    """Hands out numbers of cases until there are enough, or the time is over; one in any case.

    Parameters
    ----------
    first, cases : int
        The first number, and how many there are at the most.
    seconds : float, optional
    """

    def __init__(self, first: int, cases: int, seconds: float | None) -> None:
        self.first, self.cases = first, cases
        self._ends = float("inf") if seconds is None else monotonic() + seconds

    def __iter__(self) -> Iterator[tuple[int, Random]]:
        for case in range(self.first, self.first + self.cases):
            if case > self.first and monotonic() > self._ends:
                return
            yield case, Random(case)
