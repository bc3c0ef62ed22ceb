"""Schedules of the learning rate and of β: functions of t, the number of steps taken so far (0 before the first)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, cos, pi

from npvae.validation import ArgumentError, integer

__all__ = ["BETA_SCHEDULES", "SCHEDULES", "Constant", "Cosine", "Cyclical", "Schedule", "StepList", "WarmUp"]

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """α(t) = α."""

    rate: float

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        return self.rate


@dataclass(frozen=True)
class WarmUp:
    """α(t) = α (t + 1) / steps for the first `steps` steps, α after them."""

    rate: float
    steps: int

    def __post_init__(self) -> None:
        integer("steps", self.steps, at_least=1)

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        return self.rate * min(1.0, (t + 1) / self.steps)


@dataclass(frozen=True)
class StepList:
    """α(t) = α · factorⁱ, where i counts the `boundaries` that are ≤ t."""

    rate: float
    boundaries: Sequence[int]
    factor: float = 0.1

    def __post_init__(self) -> None:
        if list(self.boundaries) != sorted(self.boundaries):
            raise ArgumentError("boundaries", "be in rising order", self.boundaries)

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        return self.rate * self.factor ** bisect_right(self.boundaries, t)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from α at t = 0 down to `final` · α at t = `steps`, and that from there on."""

    rate: float
    steps: int
    final: float = 0.01

    def __post_init__(self) -> None:
        integer("steps", self.steps, at_least=1)

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        progress = min(1.0, t / self.steps)
        return self.rate * (self.final + (1 - self.final) * 0.5 * (1 + cos(pi * progress)))


@dataclass(frozen=True)
class Cyclical:
    """`cycles` equal cycles in `steps`; in each the rate rises in a line for the first half, and stays for the second.

    With the period P = ⌈steps/cycles⌉: α(t) = α min(1, 2 (t mod P + 1)/P), and α from t = steps on.

    References
    ----------
    Fu et al., Cyclical annealing schedule: a simple approach to mitigating KL vanishing (2019), eq. (6) and (7).
    """

    rate: float
    steps: int
    cycles: int = 4

    def __post_init__(self) -> None:
        integer("steps", self.steps, at_least=1)
        integer("cycles", self.cycles, at_least=1)

    def __call__(self, t: int) -> float:
        """The rate of step t."""
        if t >= self.steps:  # no cycle more than those that were asked for
            return self.rate
        period = ceil(self.steps / self.cycles)
        return self.rate * min(1.0, 2 * (t % period + 1) / period)


SCHEDULES: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, steps: Constant(rate),
    "warm-up": lambda rate, steps: WarmUp(rate, max(1, steps // 10)),
    "steps": lambda rate, steps: StepList(rate, (ceil(steps / 2), ceil(steps * 3 / 4))),
    "cosine": Cosine,
}
"""Schedules by the name that a user types, as functions of the rate and the number of steps of the whole run:
"warm-up" takes the first tenth of it, "steps" divides the rate by ten after a half and after three quarters."""

BETA_SCHEDULES: dict[str, Callable[[float, int], Schedule]] = {
    "constant": SCHEDULES["constant"],
    "warm-up": lambda beta, steps: WarmUp(beta, max(1, steps // 4)),
    "cyclical": Cyclical,
}
"""The same for the weight β of the KL term, so that latents are of use before they cost: "warm-up" takes the first
quarter of the run (Bowman et al., Generating sentences from a continuous space, 2016), "cyclical" has four cycles."""
