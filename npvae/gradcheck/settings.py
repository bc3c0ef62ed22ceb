"""The few things a caller can choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

METHODS = ("complex", "ladder", "central", "forward")


@dataclass(frozen=True)
class Settings:
    """Keyword arguments that every ``check_*`` function takes.

    Attributes
    ----------
    seed : int
        Fixes the random directions, the random upstream gradients and whatever input the checker draws itself.
    probes : int
        Random directions per tensor. One already finds a single wrong element; more make chance coincidences rarer.
    full : bool, optional
        Check every coordinate of every tensor. By default (None) that is done where it costs next to nothing.
    only : str, optional
        Name of the one tensor to check. A pattern (``"decoder.*"``) or the last part of a dotted name will do.
    method : {"complex", "ladder", "central", "forward"}
        The complex step with a ladder of differences as its guard; the ladder alone; or, to see how much worse they
        are, a plain central or forward difference.
    step : float, optional
        Step of the method "central" (default 1e-5) or "forward" (default 1e-8).
    float32 : bool, optional
        Also run the code in float32 and compare with float64. By default (None) when the arrays given are float32.
    rtol : float
        Relative error to grant, for functions that are themselves approximate (an iterative solver). 0 by default:
        nothing is granted but rounding, and what is granted stands in the report.
    strict : bool
        An argument whose gradient was not returned, and so not checked, is a finding rather than a remark.
    explain : bool
        On a failure, look for the kind of error, its place and the part to blame.
    target : str, optional
        What the last line of a failure ("again: ...") tells the reader to run. Set by the command.
    on_progress : callable, optional
        Called with the name of each tensor before it is checked.
    """

    seed: int = 0
    probes: int = 2
    full: bool | None = None
    only: str | None = None
    method: str = "complex"
    step: float | None = None
    float32: bool | None = None
    rtol: float = 0.0
    strict: bool = False
    explain: bool = True
    target: str | None = None
    on_progress: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        for name, least in (("probes", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        if not 0 <= self.rtol < 1:
            raise ValueError(f"rtol must lie between 0 and 1, got {self.rtol!r}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step must be positive, got {self.step!r}")
        if self.step is not None and self.method not in ("central", "forward"):
            raise ValueError(f"step belongs to the methods central and forward, not to {self.method!r}")

    def selects(self, name: str) -> bool:
        """Whether the tensor `name` is to be checked."""
        return self.only is None or fnmatch(name, self.only) or name.endswith("." + self.only)
