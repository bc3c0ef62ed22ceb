"""A stopwatch that is always running for exactly one part of the work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

__all__ = ["Clock", "Timed", "TimedRows"]

Part = tuple[str, str]
"""Group and detail, such as ("encoder forward", "0 Dense"); a detail "" is what the group does itself."""


class Clock:
    """Attributes time to parts: to the innermost timed call that is running, or to `rest`.

    Attributes
    ----------
    steps : list of dict
        Seconds by part, of every step that has ended.
    """

    def __init__(self, rest: Part) -> None:
        self.steps: list[dict[Part, float]] = []
        self._parts: dict[Part, float] = defaultdict(float)
        self._running, self._since = rest, perf_counter()

    def switch(self, part: Part) -> Part:
        """From now on time belongs to `part`; returns the part to which it belonged until now."""
        before, now = self._running, perf_counter()
        self._parts[before] += now - self._since
        self._running, self._since = part, now
        return before

    def end_step(self) -> None:
        """Put the step's seconds away and begin the next."""
        self.switch(self._running)
        self.steps.append(dict(self._parts))
        self._parts.clear()

    def resume(self) -> None:
        """Forget what has passed since the last switch."""
        self._since = perf_counter()

    def timed(self, function: Callable, part: Part) -> Callable:
        """The function, its time attributed to `part` except for timed calls inside it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            before = self.switch(part)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch(before)

        return call


class Timed:
    """Stands for `subject` and has all its attributes; `methods` maps the names of those that are timed to parts."""

    def __init__(self, subject: Any, clock: Clock, methods: Mapping[str, Part]) -> None:
        self._subject = subject
        for name, part in methods.items():
            setattr(self, name, clock.timed(getattr(subject, name), part))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)


class TimedRows:
    """Stands for an array of rows; picking rows out of it is timed."""

    def __init__(self, x: Any, clock: Clock, part: Part) -> None:
        self._x, self._pick = x, clock.timed(x.__getitem__, part)

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: Any) -> Any:
        return self._pick(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._x, name)
