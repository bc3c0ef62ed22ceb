"""What is known about one wrong gradient, and what a guess at its cause has to satisfy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.numeric import Measure, NoEstimate
from npvae.gradcheck.point import Point, Probe

LOOSE = 1e-8
"""Agreement that no chance reaches in all probes, and that the rounding of a guess's own arithmetic does not spoil."""


@dataclass(frozen=True)
class Hint:
    """A guess that fits: a formula for the line of numbers, and a sentence."""

    formula: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    For each probe the numeric side, the slack it may be off by, and the analytic gradients of all tensors; the method
    of the numeric side; and the sizes that a factor could come from, each with its meanings in words.
    """

    name: str
    probes: list[Probe]
    numeric: list[float]
    slack: list[float]
    gradients: dict[str, list[NDArray]]
    sizes: dict[int, list[str]]
    measure: Measure

    @property
    def own(self) -> list[NDArray]:
        """The gradient itself, for each probe."""
        return self.gradients[self.name]

    @property
    def point(self) -> Point:
        """The point of all probes."""
        return self.probes[0].line.point

    @property
    def tensor(self) -> NDArray:
        """The tensor."""
        return self.point.tensors[self.name]

    def slopes(self, gradients: list[NDArray]) -> NDArray:
        """⟨g, v⟩ for each probe."""
        return np.array([float((g * p.line.direction).sum()) for g, p in zip(gradients, self.probes, strict=True)])

    def fits(self, gradients: Iterable[NDArray]) -> bool:
        """Whether these gradients, one for each probe, would have been right; those behind the first misfit are not
        asked for."""
        for gradient, probe, numeric, slack in zip(gradients, self.probes, self.numeric, self.slack, strict=False):
            if gradient.shape != self.tensor.shape or not np.isfinite(gradient).all():
                return False
            terms = gradient * probe.line.direction
            if not abs(float(terms.sum()) - numeric) <= max(slack, LOOSE * float(np.linalg.norm(terms))):
                return False
        return True

    def fits_upstream(self, change: Callable[[tuple], tuple]) -> bool:
        """Whether backward would have been right, had it been given another upstream gradient."""
        upstreams = (change(probe.line.upstream) for probe in self.probes)
        return self.fits(self.point.gradients(upstream)[self.name] for upstream in upstreams)

    def right_for(self, change: Callable[[tuple], tuple]) -> bool:
        """Whether the gradient is that of the forward under another upstream gradient."""
        for probe, slack in zip(self.probes, self.slack, strict=True):
            try:
                slope = self.measure(replace(probe.line, upstream=change(probe.line.upstream)))
            except NoEstimate:
                return False
            if slope.miss(probe.analytic) > max(slack, slope.tolerance, LOOSE * probe.scale):
                return False
        return True

    def wrong_along(self, mask: NDArray, probe: Probe, slack: float) -> bool | None:
        """Whether both sides differ along the elements in `mask`; None if that cannot be told."""
        direction = np.where(mask, probe.line.direction, 0.0)
        try:
            slope = self.measure(replace(probe.line, direction=direction))
        except NoEstimate:
            return None
        return slope.miss(float((probe.gradient * direction).sum())) > max(slack, slope.tolerance)

    def common_factor(self, top: NDArray, bottom: NDArray) -> float | None:
        """The number c with top = c·bottom on all probes, if there is one."""
        square = float(bottom @ bottom)
        factor = float(top @ bottom) / square if square else 0.0
        slack = np.maximum(self.slack, 1e-6 * np.abs(top))
        fits = np.all(np.abs(top) > self.slack) and np.all(np.abs(top - factor * bottom) <= slack)
        return factor if factor and fits else None


def number(value: float) -> str:
    """Six digits, with a minus that is one."""
    return f"{value:.6g}".replace("-", "−")
