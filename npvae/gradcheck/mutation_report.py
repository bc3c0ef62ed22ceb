"""What became of the mutants: the numbers, and the table a person reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from npvae.gradcheck.mutants import Mutant

__all__ = ["HEAD", "MutationReport", "Tally"]

HEAD = "mutants  killed  equivalent  survived    time"


@dataclass
class Tally:
    """What became of the mutants of one function.

    Attributes
    ----------
    name : str
    killed : int
    equivalent : list of Mutant
    survived : list of (Mutant, str)
        With the reason.
    seconds : float
    """

    name: str
    killed: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survived: list[tuple[Mutant, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def mutants(self) -> int:
        """All of them."""
        return self.killed + len(self.equivalent) + len(self.survived)

    def row(self, width: int) -> str:
        """A line of the table."""
        numbers = f"{self.mutants:>7}  {self.killed:>6}  {len(self.equivalent):>10}  {len(self.survived):>8}"
        return f"{self.name:<{width}}  {numbers}  {self.seconds:>5.1f}s"


@dataclass
class MutationReport:
    """The tallies of all functions that were broken."""

    tallies: list[Tally] = field(default_factory=list)

    @property
    def survived(self) -> int:
        """Mutants that no check found."""
        return sum(len(tally.survived) for tally in self.tallies)

    @property
    def passed(self) -> bool:
        """Whether there were mutants, and none survived."""
        return self.survived == 0 and any(tally.mutants for tally in self.tallies)

    @property
    def total(self) -> Tally:
        """The sum of the tallies."""
        total = Tally(f"{len(self.tallies)} function{'s' if len(self.tallies) != 1 else ''}")
        for tally in self.tallies:
            total.killed += tally.killed
            total.equivalent += tally.equivalent
            total.survived += tally.survived
            total.seconds += tally.seconds
        return total

    def survivors(self) -> list[str]:
        """One line for each mutant that survived."""
        return [f"{tally.name}, {mutant} ({reason})" for tally in self.tallies for mutant, reason in tally.survived]

    def to_json(self, indent: int | None = 2) -> str:
        """The numbers, the equivalent mutants and the survivors of every function, as JSON."""
        rows = [
            {
                "function": tally.name,
                "mutants": tally.mutants,
                "killed": tally.killed,
                "equivalent": [str(mutant) for mutant in tally.equivalent],
                "survived": [f"{mutant} ({reason})" for mutant, reason in tally.survived],
                "seconds": tally.seconds,
            }
            for tally in self.tallies
        ]
        return json.dumps({"passed": self.passed, "functions": rows}, indent=indent)

    def __str__(self) -> str:
        width = max((len(tally.name) for tally in self.tallies), default=0)
        rows = [tally.row(width) for tally in self.tallies]
        return "\n".join([f"{'function':<{width}}  {HEAD}", *rows, self.total.row(width), self.verdict()])

    def verdict(self) -> str:
        """The last lines: that all is well, or the survivors."""
        if self.passed:
            return "every mutant that does something else is found"
        return "\n".join(f"SURVIVED {line}" for line in self.survivors())
