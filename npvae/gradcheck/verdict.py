"""From two numbers to a verdict: is the gradient of this tensor right, wrong, or can it not be told?

Only a method that is valid at this point decides, and the resolution that is reported is that method's:

==============================================  ========================================================
the forward                                     what decides
==============================================  ========================================================
runs on complex numbers, nothing in it is       the complex step; one real ladder has to agree, unless it
known to drop imaginary parts                   does not agree with itself
calls `abs`, `norm`, `var`, ...                 the same with their analytic continuations, if a ladder agrees
calls `svd`, `angle`, ...                       the ladder, element by element where that is affordable
refuses complex numbers                         the same
has a kink at this point                        one-sided ladders, and a point beside it (`atkink`)
==============================================  ========================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.numeric import (
    MARGIN,
    ROUNDINGS,
    Estimate,
    Measure,
    NoEstimate,
    complex_step,
    ladder,
    slope_noise,
    steps_along,
)
from npvae.gradcheck.point import Point, Probe, draw_probes, narrow_rounding
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Entry

COARSEST = 1e-3
"""Tolerance relative to the gradient above which nothing is told: mistakes smaller than one in a thousand exist."""
VANISHING = 1e-12
"""Gradient relative to that of an output in which nothing cancels: no finite precision tells it from zero."""
UNSEEN = 1e-9
"""What a ladder can resolve of a gradient that vanishes by that measure."""
AGREED = 1e-7
"""A few rungs that agree with the complex step to this save the others: it is far below any mistake."""
FEW_RUNGS = slice(2, 7)
"""Five steps of middling size: enough to extrapolate, and for most functions the good ones."""
GUARDED = 64
"""Elements whose own ladders are asked where no ladder along a random direction agrees with itself."""
FULL_UP_TO = 2_000
FULL_COST = 500_000
"""Elements, and elements times numbers in a forward, up to which every element is checked: about a second."""
CALL = 50
"""What a call of NumPy costs beside its arithmetic, in numbers: a microsecond or two."""
TAKES_OVER = "; real differences decide"
METHODS = ("complex", "ladder", "central", "forward")


@dataclass(frozen=True)
class Settings:
    """Keyword arguments that every ``check_*`` function takes.

    ===========  =======================================================================================================
    seed         fixes the random directions, the random upstream gradients and what the checker draws as input
    probes       random directions per tensor; one already finds a single wrong element
    full         check every element of every tensor; by default (None) where that costs next to nothing
    only         the one tensor to check; a pattern (``"decoder.*"``) or the last part of a dotted name will do
    method       "complex" (with a ladder of differences as its guard), "ladder" alone, or, to see how much worse they
                 are, a plain "central" or "forward" difference
    step         of the method "central" (default 1e-5) or "forward" (default 1e-8)
    float32      also run in float32 and compare; by default (None) when the arrays given are float32
    rtol         relative error to grant, for functions that are themselves approximate (an iterative solver); what is
                 granted stands in the report
    strict       an argument whose gradient was not returned, and so not checked, is a finding rather than a remark
    explain      on a failure, look for the kind of error, its place and the part to blame
    target       what the last line of a failure ("again: ...") tells the reader to run; set by the command
    ===========  =======================================================================================================
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


def judge_all(point: Point, settings: Settings, probes: dict[str, list[Probe]] | None = None) -> list[Entry]:
    """The verdicts on all tensors that are to be checked."""
    probes = probes or draw_probes(point, settings.probes, settings.seed)
    chosen = (name for name in probes if settings.selects(point.subject.label(name)))
    return [judge(name, probes[name], settings) for name in chosen]


def judge(name: str, probes: list[Probe], settings: Settings) -> Entry:
    """The verdict on one tensor: the worst of its probes, or of its elements."""
    point = probes[0].line.point
    before = point.evaluations
    measure, guard, notes = choose_measure(probes, settings)
    one_by_one = takes_all_elements(point, name, measure, settings)
    worst = _worst(compare(probe, measure, settings) for probe in probes)
    # Real differences are surest one element at a time: each has a scale of its own, and kinks of its own.
    if one_by_one and (worst.status == PASS or measure is ladder):
        element = _worst(_elements(probes[0], measure, settings))
        if measure is ladder or element.status != PASS:
            worst = element
        worst.coordinates = point.tensors[name].size
    worst.evaluations, worst.guard = point.evaluations - before, guard
    worst.notes = [*notes, *worst.notes]
    if worst.status == INCONCLUSIVE and np.isfinite(worst.resolution):
        worst.notes.append(f"it cannot be told: an error of {worst.resolution:.0%} of the gradient would not show")
    if settings.rtol and worst.status == PASS:
        worst.notes.append(f"errors up to rtol={settings.rtol:g} of the gradient are granted")
    return worst


def choose_measure(probes: list[Probe], settings: Settings) -> tuple[Measure, float | None, list[str]]:
    """The method to trust for one tensor, the relative tolerance of its guard, and what there is to say about it."""
    if settings.method != "complex":
        return measure_called(settings.method, settings), None, []
    point = probes[0].line.point
    try:
        complex_step(probes[0].line)
    except NoEstimate as reason:
        return ladder, None, [f"{reason}{TAKES_OVER}"]
    if point.branches.not_analytic:
        names = ", ".join(sorted(point.branches.not_analytic))
        return ladder, None, [f"the forward is not analytic (it calls {names}){TAKES_OVER}"]
    objection = ""
    for probe in probes:
        try:
            agreed, real = _guard(probe)
        except NoEstimate as reason:
            objection = objection or str(reason)
            continue
        if real.spread > COARSEST * real.scale and not point.branches.ties:
            return ladder, None, [f"there is a kink here that does not show itself{TAKES_OVER}"]
        if agreed:
            return complex_step, real.tolerance / real.scale if real.scale else 0.0, []
        if real.tolerance > COARSEST * real.scale:
            objection = objection or "real differences do not agree with each other here"
            continue
        return ladder, None, [f"the forward is not analytic (abs? norm? a real part?){TAKES_OVER}"]
    if not point.branches.seen:
        return ladder, None, [f"the forward does not show what it calls{TAKES_OVER}"]
    if point.branches.continued:
        names = ", ".join(sorted(point.branches.continued))
        return ladder, None, [f"the forward is not analytic (it calls {names}){TAKES_OVER}"]
    for index in range(min(probes[0].gradient.size, GUARDED)):  # each element has a scale of its own
        with suppress(NoEstimate):
            agreed, real = _guard(_element(probes[0], index))
            if not agreed and real.tolerance <= COARSEST * real.scale:
                return ladder, None, [f"the forward is not analytic (abs? norm? a real part?){TAKES_OVER}"]
    return complex_step, None, [f"the complex step stands unguarded: {objection}"]


def _guard(probe: Probe) -> tuple[bool, Estimate]:
    """Whether a ladder agrees with the complex step; first a few rungs, then all."""
    line, exact, steps = probe.line, complex_step(probe.line), steps_along(probe.line)
    try:
        real = ladder(line, steps[FEW_RUNGS])
        if not real.spread and real.miss(exact.value) <= AGREED * exact.scale:
            return True, replace(real, tolerance=max(real.miss(exact.value), exact.tolerance))
    except NoEstimate:
        pass
    real = ladder(line, steps)
    apart = real.miss(exact.value)
    # The last digits of an ill-conditioned forward differ between real and complex arithmetic.
    agreed = apart <= real.tolerance + exact.tolerance and real.tolerance <= COARSEST * real.scale
    close = apart <= COARSEST * max(real.scale, exact.scale)
    return agreed or (close and apart <= MARGIN * slope_noise(line, complex_step)), real


def measure_called(method: str, settings: Settings) -> Measure:
    """The method of that name, in the settings or in an entry."""
    if settings.method in ("central", "forward"):
        from npvae.diagnosis.steps import difference  # loaded only where it is asked for

        return partial(difference, method=settings.method, step=settings.step)
    return complex_step if method.startswith("complex") else ladder


def compare(probe: Probe, measure: Measure, settings: Settings, largest: float = 0.0) -> Entry:
    """Hold the analytic slope against the numeric one; `largest` is the size of what lies beside it."""
    line, analytic, notes = probe.line, probe.analytic, []
    try:
        estimate = measure(line)
    except NoEstimate as reason:
        nan, inf = float("nan"), float("inf")
        sides = "no method", nan, analytic, nan, inf, probe.scale
        return Entry(line.name, probe.gradient.shape, INCONCLUSIVE, *sides, notes=[str(reason)])
    scale, error = max(probe.scale, estimate.scale), estimate.miss(analytic)
    granted = settings.rtol * max(scale, largest)
    roundings = max(ROUNDINGS, narrow_rounding(probe.gradient)) * probe.scale
    tolerance = max(estimate.tolerance, roundings, granted)
    if error > tolerance:
        # Only now is it worth to find out what the last digits of both sides are worth.
        tolerance = max(tolerance, MARGIN * slope_noise(line, measure if measure is complex_step else None))
        real = None
        if measure is complex_step and tolerance > COARSEST * scale and scale > VANISHING * line.natural_size:
            # Where they seem to be worth nothing, real differences over long steps may still tell.
            with suppress(NoEstimate):
                real = ladder(line)
        if real is not None and real.tolerance <= COARSEST * real.scale:
            estimate, error, tolerance = real, real.miss(analytic), max(real.tolerance, granted)
    coarsest = max(COARSEST * scale, granted)
    beside = line.point.rounding**0.5  # half of the digits, for elements that vanish beside others
    status = FAIL if error > tolerance else PASS if tolerance <= max(coarsest, beside * largest) else INCONCLUSIVE
    small = scale
    if status == PASS and tolerance > coarsest:
        scale = largest
    if status == INCONCLUSIVE:
        # Both sides may be zero up to rounding: then errors are relative to what the gradient is if nothing cancels.
        natural = line.natural_size
        zero = abs(analytic) <= VANISHING * natural and tolerance <= UNSEEN * natural
        if error == 0.0 == estimate.value or zero or tolerance <= VANISHING * natural:
            status, scale = PASS, natural
            if analytic or estimate.value:
                notes.append(f"below {VANISHING:g} of what the size of the outputs suggests: as good as zero")
    elif status == PASS and error > roundings and small < VANISHING * line.natural_size:
        notes.append(f"below {VANISHING:g} of what the size of the outputs suggests: as good as zero")
    sides = estimate.method, estimate.value, analytic, error, tolerance, scale
    return Entry(line.name, probe.gradient.shape, status, *sides, spread=estimate.spread, notes=notes)


def _badness(entry: Entry) -> tuple[int, float]:
    rank = (PASS, INCONCLUSIVE, FAIL).index(entry.status)
    return rank, entry.error / entry.tolerance if entry.tolerance else 0.0


def takes_all_elements(point: Point, name: str, measure: Measure, settings: Settings) -> bool:
    """Whether every element of a tensor is checked alone."""
    size = point.tensors[name].size
    work = max(sum(tensor.size for tensor in point.tensors.values()), CALL * point.branches.calls)
    cost = size * work * (1 if measure is complex_step else 16)
    return settings.full if settings.full is not None else size <= FULL_UP_TO and cost <= FULL_COST


def _elements(probe: Probe, measure: Measure, settings: Settings) -> Iterator[Entry]:
    """The verdict on every element alone, in the order of ``tensor.flat``."""
    largest = float(np.abs(probe.gradient).max(initial=0.0))
    for index in range(probe.gradient.size):
        yield compare(_element(probe, index), measure, settings, largest)


def _element(probe: Probe, index: int) -> Probe:
    unit = np.zeros(probe.gradient.shape)
    unit.flat[index] = 1.0
    return replace(probe, line=replace(probe.line, direction=unit))


def _worst(entries: Iterable[Entry]) -> Entry:
    """The worst entry, or the first that fails, with the notes of all."""
    seen: list[Entry] = []
    for entry in entries:
        seen.append(entry)
        if entry.status == FAIL:
            break
    worst = max(seen, key=_badness)
    worst.spread = max(entry.spread for entry in seen)
    worst.notes = list(dict.fromkeys(note for entry in seen for note in entry.notes))
    return worst


def wrong_elements(probe: Probe, settings: Settings) -> tuple[list[int], list[int], NDArray]:
    """Elements whose slope is none of those that real differences find, those at a kink, and the middle slopes."""
    entries = list(_elements(probe, ladder, settings))
    wrong = [index for index, entry in enumerate(entries) if entry.status == FAIL]
    kinked = [index for index, entry in enumerate(entries) if entry.spread]
    return wrong, kinked, np.array([entry.numeric for entry in entries]).reshape(probe.gradient.shape)
