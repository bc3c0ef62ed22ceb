"""From two numbers to a verdict: is the gradient of this tensor right, wrong, or can it not be told?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from npvae.gradcheck.numeric import (
    MARGIN,
    ROUNDINGS,
    Measure,
    NoEstimate,
    complex_step,
    difference,
    ladder,
    natural_size,
    slope_noise,
)
from npvae.gradcheck.point import Point, Probe
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Entry
from npvae.gradcheck.settings import Settings

COARSEST = 1e-3
VANISHING = 1e-9
FULL_UP_TO = 2_000
FULL_COST = 500_000
TAKES_OVER = "; the ladder of real differences takes over"


def judge(name: str, probes: list[Probe], settings: Settings) -> Entry:
    """The verdict on one tensor: the worst of its probes."""
    point = probes[0].line.point
    before = point.evaluations
    try:
        measure, guard, notes = choose_measure(probes, settings)
        worst = max((compare(probe, measure) for probe in probes), key=_badness)
        coordinates = 0
        if worst.status == PASS and _takes_all_coordinates(point, name, measure, settings):
            coordinates = point.tensors[name].size
            element = _judge_coordinates(probes[0], measure)
            worst = element if element.status != PASS else worst
    except NoEstimate as reason:
        nan, inf = float("nan"), float("inf")
        shape, analytic, scale = probes[0].gradient.shape, probes[0].analytic, probes[0].scale
        return Entry(name, shape, INCONCLUSIVE, "no method", nan, analytic, nan, inf, scale, notes=[str(reason)])
    worst.evaluations, worst.coordinates, worst.guard = point.evaluations - before, coordinates, guard
    worst.notes = notes
    if worst.status == INCONCLUSIVE:
        worst.notes.append(f"it cannot be told: an error of {worst.resolution:.0%} of the gradient would not show")
    elif worst.status == FAIL and measure is complex_step:
        _hear_the_ladder(worst, probes[0])
    return worst


def choose_measure(probes: list[Probe], settings: Settings) -> tuple[Measure, float | None, list[str]]:
    """The method to trust for one tensor, the relative tolerance of its guard, and what there is to say about it.

    The complex step is trusted if a ladder of real differences confirms it along one probe at least: a forward that
    calls `abs`, `norm` or `vdot` is not analytic, and the complex step then gives a number without meaning.
    """
    if settings.method != "complex":
        return measure_called(settings.method, settings), None, []
    line = probes[0].line
    try:
        complex_step(line)
    except NoEstimate as reason:
        return ladder, None, [f"{reason}{TAKES_OVER}"]
    for probe in probes:
        try:
            real, estimate = ladder(probe.line), complex_step(probe.line)
        except NoEstimate as reason:
            return complex_step, None, [f"the complex step stands unguarded: {reason}"]
        apart = abs(real.value - estimate.value)
        # The last digits of an ill-conditioned forward differ between real and complex arithmetic.
        if apart <= real.tolerance + estimate.tolerance or apart <= MARGIN * slope_noise(probe.line, complex_step):
            return complex_step, real.tolerance / real.scale if real.scale else 0.0, []
    seen = line.point.branches.culprits
    why = f"it calls {seen}" if seen else "abs? norm? vdot?"
    return ladder, None, [f"the forward is not analytic ({why}){TAKES_OVER}"]


def measure_called(method: str, settings: Settings) -> Measure:
    """The method of that name, in the settings or in an entry."""
    if settings.method in ("central", "forward"):
        return partial(difference, method=settings.method, step=settings.step)
    return complex_step if method.startswith("complex") else ladder


def compare(probe: Probe, measure: Measure, floor: float = 0.0) -> Entry:
    """Hold the analytic slope against the numeric one; a tolerance of `floor` is granted in any case."""
    line, estimate, analytic = probe.line, measure(probe.line), probe.analytic
    scale = max(probe.scale, estimate.scale)
    error = abs(estimate.value - analytic)
    tolerance = max(estimate.tolerance, ROUNDINGS * probe.scale, floor)
    if error > tolerance:
        # Only now is it worth to find out what the last digits of both sides are worth.
        tolerance = max(tolerance, MARGIN * slope_noise(line, measure if measure is complex_step else None))
    status = FAIL if error > tolerance else PASS if tolerance <= COARSEST * scale else INCONCLUSIVE
    if status == INCONCLUSIVE:
        # Both sides may be zero up to rounding: then errors are relative to what the gradient is if nothing cancels.
        natural = natural_size(line.point, line.name, line.upstream)
        if error == 0.0 == estimate.value or tolerance <= VANISHING * natural:
            status, scale = PASS, natural
    shape = probe.gradient.shape
    return Entry(line.name, shape, status, estimate.method, estimate.value, analytic, error, tolerance, scale)


def _badness(entry: Entry) -> tuple[int, float]:
    rank = (PASS, INCONCLUSIVE, FAIL).index(entry.status)
    return rank, entry.error / entry.tolerance if entry.tolerance else 0.0


def _hear_the_ladder(entry: Entry, probe: Probe) -> None:
    """A complex step through a function that is known not to be analytic convicts nobody alone."""
    seen = probe.line.point.branches.culprits
    try:
        real = ladder(probe.line) if seen else None
    except NoEstimate:
        return
    if real is not None and abs(real.value - probe.analytic) <= real.tolerance:
        entry.status = INCONCLUSIVE
        entry.notes.append(
            f"the complex step disagrees, but the forward calls {seen}, through which it means nothing; "
            "the ladder agrees as far as it can see"
        )


def _takes_all_coordinates(point: Point, name: str, measure: Measure, settings: Settings) -> bool:
    size = point.tensors[name].size
    cost = size * sum(tensor.size for tensor in point.tensors.values()) * (1 if measure is complex_step else 16)
    return settings.full if settings.full is not None else size <= FULL_UP_TO and cost <= FULL_COST


def _judge_coordinates(probe: Probe, measure: Measure) -> Entry:
    """The worst element, or the first wrong one.

    The tolerance is relative to the largest element: relative to itself, a tiny element of a correct gradient may
    show an error of 1e-3 and mean nothing.
    """
    gradient, worst = probe.gradient, None
    largest = float(np.abs(gradient).max(initial=0.0))
    for index in range(gradient.size):
        unit = np.zeros(gradient.shape)
        unit.flat[index] = 1.0
        entry = compare(Probe(replace(probe.line, direction=unit), gradient), measure, floor=ROUNDINGS * largest)
        if entry.status == INCONCLUSIVE:
            entry.status = PASS if entry.tolerance <= COARSEST * largest else INCONCLUSIVE
            entry.scale = max(entry.scale, largest)
        if worst is None or _badness(entry) > _badness(worst):
            worst = entry
        if worst.status == FAIL:
            break
    return worst
