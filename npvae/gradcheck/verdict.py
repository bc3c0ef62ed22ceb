"""From two numbers to a verdict: is the gradient of this tensor right, wrong, or can it not be told?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.complex_step import ROUNDINGS, complex_step
from npvae.gradcheck.differences import difference
from npvae.gradcheck.estimate import Estimate, NoEstimate
from npvae.gradcheck.ladder import ladder
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.probes import Probe, coordinate
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Entry
from npvae.gradcheck.rounding import MARGIN, natural_size, slope_noise
from npvae.gradcheck.settings import Settings

__all__ = ["Comparison", "Measure", "choose_measure", "compare", "judge", "judge_coordinates"]

COARSEST = 1e-3
VANISHING = 1e-9
FULL_UP_TO = 2_000
FULL_COST = 500_000

Measure = Callable[[Line], Estimate]


@dataclass(frozen=True)
class Comparison:
    """Both sides along one line."""

    status: str
    estimate: Estimate
    analytic: float
    error: float
    tolerance: float
    scale: float

    @property
    def badness(self) -> float:
        """Error in units of the tolerance; above 1 is wrong."""
        return self.error / self.tolerance if self.tolerance else float(self.error > 0) * np.inf


def choose_measure(probes: list[Probe], settings: Settings) -> tuple[Measure, float | None, list[str]]:
    """The method to trust for one tensor, the relative tolerance of its guard, and what there is to say about it.

    The complex step is trusted if a ladder of real differences does not contradict it. A forward that calls `abs`,
    `norm` or `vdot` is not analytic: the complex step then gives a number without meaning, and the ladder takes over.
    """
    if settings.method == "ladder":
        return ladder, None, []
    if settings.method in ("central", "forward"):
        return (lambda line: difference(line, settings.method, settings.step)), None, []
    try:
        complex_step(probes[0].line)
    except NoEstimate as reason:
        return ladder, None, [f"{reason}; the ladder of real differences takes over"]
    guard = None
    for probe in probes:
        try:
            real, estimate = ladder(probe.line), complex_step(probe.line)
        except NoEstimate as reason:
            return complex_step, None, [f"the complex step stands unguarded: {reason}"]
        apart = abs(real.value - estimate.value)
        # The last digits of an ill-conditioned forward differ between real and complex arithmetic.
        agreed = apart <= real.tolerance + estimate.tolerance
        if agreed or apart <= MARGIN * slope_noise(probe.line, complex_step):
            guard = real.tolerance / real.scale if real.scale else 0.0
            return complex_step, guard, []
    seen = sorted(probes[0].line.point.branches.not_analytic)
    culprits = f"it calls {', '.join(seen)}" if seen else "abs? norm? vdot?"
    return ladder, None, [f"the forward is not analytic ({culprits}); the ladder of real differences takes over"]


def compare(probe: Probe, measure: Measure, floor: float = 0.0) -> Comparison:
    """Hold the analytic slope against the numeric one.

    Parameters
    ----------
    probe : Probe
    measure : Measure
    floor : float
        A tolerance that is granted in any case.
    """
    estimate = measure(probe.line)
    analytic, scale = probe.analytic, max(probe.scale, estimate.scale)
    error = abs(estimate.value - analytic)
    tolerance = max(estimate.tolerance, ROUNDINGS * probe.scale, floor)
    if error > tolerance:
        # Only now is it worth to find out what the last digits of both sides are worth.
        noise = slope_noise(probe.line, measure if measure is complex_step else None)
        tolerance = max(tolerance, MARGIN * noise)
    status = FAIL if error > tolerance else PASS if tolerance <= COARSEST * scale else INCONCLUSIVE
    if status == INCONCLUSIVE:
        # Both sides may be zero up to rounding: then errors are relative to what the gradient is if nothing cancels.
        natural = natural_size(probe.line.point, probe.line.name, probe.line.upstream)
        if error == 0.0 == estimate.value or tolerance <= VANISHING * natural:
            status, scale = PASS, natural
    return Comparison(status, estimate, analytic, error, tolerance, scale)


def judge(name: str, probes: list[Probe], settings: Settings) -> Entry:
    """The verdict on one tensor: the worst of its probes.

    Raises
    ------
    NoEstimate
        If no method can be applied.
    """
    point = probes[0].line.point
    before = point.evaluations
    measure, guard, notes = choose_measure(probes, settings)
    comparisons = [compare(probe, measure) for probe in probes]
    worst = max(comparisons, key=lambda comparison: comparison.badness)
    coordinates = 0
    if worst.status == PASS and _takes_all_coordinates(point, name, measure, settings):
        coordinates = point.tensors[name].size
        element = judge_coordinates(probes[0], measure)
        worst = element if element.status != PASS else worst
    status, notes = _second_thought(worst, probes[0], measure, notes)
    return Entry(
        name=name,
        shape=point.tensors[name].shape,
        status=status,
        method=worst.estimate.method,
        numeric=worst.estimate.value,
        analytic=worst.analytic,
        error=worst.error,
        tolerance=worst.tolerance,
        scale=worst.scale,
        evaluations=point.evaluations - before,
        coordinates=coordinates,
        guard=guard,
        notes=notes,
    )


def _second_thought(worst: Comparison, probe: Probe, measure: Measure, notes: list[str]) -> tuple[str, list[str]]:
    """Status and notes. A complex step through a function that is known not to be analytic convicts nobody alone."""
    seen = probe.line.point.branches.not_analytic if worst.status == FAIL else set()
    if worst.status == INCONCLUSIVE:
        share = worst.tolerance / worst.scale if worst.scale else float("inf")
        return INCONCLUSIVE, [*notes, f"it cannot be told: an error of {share:.0%} of the gradient would not show"]
    if measure is not complex_step or not seen:
        return worst.status, notes
    try:
        real = ladder(probe.line)
    except NoEstimate:
        return worst.status, notes
    if abs(real.value - probe.analytic) > real.tolerance:
        return worst.status, notes
    return INCONCLUSIVE, [
        *notes,
        f"the complex step disagrees, but the forward calls {', '.join(sorted(seen))}, through which it means nothing; "
        "the ladder agrees as far as it can see",
    ]


def _takes_all_coordinates(point: Point, name: str, measure: Measure, settings: Settings) -> bool:
    if settings.full is not None:
        return settings.full
    size = point.tensors[name].size
    cost = size * sum(tensor.size for tensor in point.tensors.values())
    return size <= FULL_UP_TO and cost * (1 if measure is complex_step else 16) <= FULL_COST


def judge_coordinates(probe: Probe, measure: Measure) -> Comparison:
    """Compare every element; the answer is the worst one.

    The tolerance is relative to the largest element: relative to itself, a tiny element of a correct gradient may
    show an error of 1e-3 and mean nothing.
    """
    line, gradient = probe.line, probe.gradient
    largest = float(np.abs(gradient).max(initial=0.0))
    worst = None
    for index in range(gradient.size):
        element = Line(line.point, line.name, coordinate(gradient.shape, index), line.upstream)
        comparison = compare(Probe(element, gradient), measure, floor=ROUNDINGS * largest)
        if comparison.status == INCONCLUSIVE:
            comparison = Comparison(
                PASS if comparison.tolerance <= COARSEST * largest else INCONCLUSIVE,
                comparison.estimate,
                comparison.analytic,
                comparison.error,
                comparison.tolerance,
                max(comparison.scale, largest),
            )
        if worst is None or (comparison.status != PASS, comparison.badness) > (worst.status != PASS, worst.badness):
            worst = comparison
        if worst.status == FAIL:
            break
    return worst
