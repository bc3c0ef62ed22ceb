"""Numeric slopes along a line, each with what it is worth by its own account.

Complex step: Im f(t + ihv)/h has an error of order h². Nothing is subtracted, so h = 1e-20 costs no digits (Squire and
Trapp, SIAM Review 40, 1998). It is valid where the forward is analytic: nothing that drops an imaginary part.

Ladder: differences with steps that fall by 8 from rung to rung, over as many decades as there may be scales on which
the function bends, and those of neighbouring rungs extrapolated. Going down, the truncation error falls until rounding
takes over; the best rung is the one of smallest predicted error among those that agree with *all smaller steps*, for
a derivative is what happens as the step vanishes. So a step that is too long for the function is never believed.
Both sides of the point have a ladder of their own: where they disagree, there is a kink, and any slope between the two
is one.

Noise: moving what is differentiated, the upstream gradient and the direction by a unit in the last place draws the
rounding errors of both sides anew, and shows what their last digits are worth, however much cancels in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.kinks import Branches
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.subject import Breakdown

EPS = 2.0**-52
ROUNDINGS = 4096 * EPS
"""Relative error granted to any sum: that of 4096 roundings which all err the same way."""
STEP = 1e-20
"""Complex step: its square is far below EPS, itself far above the smallest number."""
RATIO = 8.0
"""Ratio of neighbouring steps: two extrapolations gain 8² and 8³ a rung, and sixteen rungs span fourteen decades."""
WIDEST, NARROWEST = 0.25, 1e-9
"""First and last step relative to the numbers stepped from: the last still leaves half of the digits."""
LOST = 1e-12
"""Narrowest step from exact zeros, which do not tell their scale."""
FEWEST = 3
"""Rungs that an extrapolation with an error estimate needs."""
SAFETY = 10.0
"""An error is estimated from the differences of a few rungs: to the order of magnitude."""
DRAWS = 4
MARGIN = 64.0
"""Rounding noise is estimated from `DRAWS` samples of a sum of unknown length: its size within a factor of MARGIN."""


class NoEstimate(Exception):
    """A method could not be applied; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """A slope ⟨u, Jv⟩, the error it may have, ‖u∘Jv‖₂, and the method in words.

    At a kink every slope from `value` − `spread` to `value` + `spread` is one; elsewhere the spread is zero.
    """

    value: float
    tolerance: float
    scale: float
    method: str
    spread: float = 0.0

    def miss(self, analytic: float) -> float:
        """How far an analytic slope lies from those that are right."""
        return max(abs(self.value - analytic) - self.spread, 0.0)


Measure = Callable[[Line], Estimate]


def complex_step(line: Line, step: float = STEP) -> Estimate:
    """The slope by a complex step; NoEstimate if the forward does not run on complex numbers.

    First all tensors are complex, since code may take its dtype from any of them (``np.empty_like(x)``). Where that
    breaks, comparisons are made by real parts (``x < 0`` may refuse a complex x); then only this tensor is complex.
    """
    reasons = []
    traced = {"branches": Branches(stepping=True)}
    # What is analytic as continued only, has to be continued.
    for options in (traced,) if line.point.branches.continued else ({}, traced, {"promote": False}):
        try:
            slopes = line.terms(1j * step, **options).imag / step
        except Breakdown as breakdown:
            reasons.append(str(breakdown))
            continue
        if not np.isfinite(slopes).all():
            raise NoEstimate("the forward is not finite on complex numbers")
        scale = float(np.linalg.norm(slopes))
        return Estimate(float(slopes.sum()), ROUNDINGS * scale, scale, "complex step")
    raise NoEstimate(f"the forward does not run on complex numbers ({reasons[0]})")


def steps_along(line: Line) -> NDArray:
    """Steps from the longest that leaves the numbers what they are down to the shortest that still shows something."""
    v, t = np.abs(line.direction).ravel(), np.abs(line.point.tensors[line.name]).ravel()
    typical, moved = float(np.sqrt(np.mean(t**2))), v > 0
    v, t = v[moved], t[moved]
    largest = max(float(t.max()), typical) or 1.0
    smallest = float(np.min(np.where(t > 0, t, typical) / v)) or LOST / NARROWEST / float(v.max())
    longest, shortest = WIDEST * largest / float(v.max()), NARROWEST * smallest
    count = int(np.ceil(np.log(longest / shortest) / np.log(RATIO))) + 1
    return longest * RATIO ** -np.arange(float(min(max(count, 8), 20)))


def ladder(line: Line, steps: NDArray | None = None) -> Estimate:
    """The slope from real evaluations alone; NoEstimate if fewer than three rungs can be used on either side.

    A side's rungs count as long as every branch is taken as on its lowest rung: beyond a kink lies another function.
    """
    base = line.terms(0.0)
    steps = (steps_along(line) if steps is None else steps)[::-1]
    above, below = (_climb(line, base, sign * steps, line.point.branches.sides) for sign in (1.0, -1.0))
    if max(len(above), len(below)) < FEWEST:
        # Some decisions change with every digit and mean nothing (a search by halves): the values themselves tell.
        above, below = (_climb(line, base, sign * steps, []) for sign in (1.0, -1.0))
    # What does not change at all is not rounded differently either.
    changing = np.any([change != 0 for change in (*above, *below)], axis=0) if above or below else False
    floor = line.point.rounding, float(np.linalg.norm(base * changing))
    count = min(len(above), len(below))
    if max(len(above), len(below)) < FEWEST:
        raise NoEstimate("differences cannot be taken here: every step leaves the domain or crosses a kink")
    if count < FEWEST:
        slopes = _one_sided(above, steps) if len(above) > count else -_one_sided(below, steps)
        return _estimate(*_settle(slopes, steps, floor), "ladder of differences on one side")
    right, error_right = _settle(_one_sided(above, steps), steps, floor)
    left, error_left = _settle(-_one_sided(below, steps), steps, floor)
    if np.linalg.norm(right - left) > SAFETY * (error_right + error_left):
        middle, spread = (right + left) / 2.0, float(np.abs(right - left).sum()) / 2.0
        return replace(_estimate(middle, error_right + error_left, "one-sided differences"), spread=spread)
    both = np.array([(a - b) / (2.0 * h) for a, b, h in zip(above, below, steps, strict=False)])
    central = (64.0 * both[:-1] - both[1:]) / 63.0
    return _estimate(*_settle(central, steps, floor), "ladder of differences")


def _estimate(slopes: NDArray, error: float, method: str) -> Estimate:
    value, scale = float(slopes.sum()), float(np.linalg.norm(slopes))
    return Estimate(value, SAFETY * error, max(scale, abs(value)), method)


def _climb(line: Line, base: NDArray, steps: NDArray, traced: list[bytes]) -> list[NDArray]:
    """Changes of the terms for ever longer steps, up to the first that leaves the domain or crosses a branch."""
    changes: list[NDArray] = []
    first: Branches | None = None
    for step in steps:
        branches = Branches() if traced else None
        try:
            change = line.terms(step, branches=branches) - base
        except Breakdown:
            break
        first = first or branches
        if not np.isfinite(change).all() or (first is not None and branches.sides != first.sides):
            break
        changes.append(change)
    return changes


def _one_sided(changes: list[NDArray], steps: NDArray) -> NDArray:
    """Quotients, extrapolated twice: errors of order h and h² drop out."""
    slopes = np.array([change / step for change, step in zip(changes, steps, strict=False)])
    slopes = (8.0 * slopes[:-1] - slopes[1:]) / 7.0
    return (64.0 * slopes[:-1] - slopes[1:]) / 63.0


def _settle(slopes: NDArray, steps: NDArray, floor: tuple[float, float]) -> tuple[NDArray, float]:
    """The slopes (one for each term) of the best rung, and their predicted error.

    `slopes` are those of each rung, from the shortest step up; `floor` is the relative rounding error and the size of
    the terms that change. Noise is that of their last digit, or what the four lowest rungs show of it: two may agree
    by luck, or because a float32 inside does not move at all.
    """
    steps, (rounding, size) = steps[: len(slopes)], floor
    lengths = np.array([np.linalg.norm(slope) for slope in slopes])
    least = rounding * (size / steps + lengths)
    change = np.array([np.linalg.norm(b - a) for a, b in pairwise(slopes)])
    if not change.size:
        return slopes[0], float(lengths[0] + least[0])
    noise = np.maximum(least, 2.0 * float(np.max((change * steps[:-1])[:4])) / steps)
    error = np.maximum(np.concatenate([change[:1], change]), noise)
    best = 0
    for rung in range(1, len(slopes)):
        apart = np.array([np.linalg.norm(slopes[rung] - lower) for lower in slopes[:rung]])
        if np.any(apart > SAFETY * (error[rung] + error[:rung])):
            break
        best = rung if error[rung] < error[best] else best
    return slopes[best], float(error[best])


def _nudged(rng: np.random.Generator, array: NDArray, eps: float) -> NDArray:
    """Every number moved by a unit in the last place, up or down."""
    return array * (1.0 + eps * rng.choice((-1.0, 1.0), np.shape(array)))


def neighbours(point: Point, eps: float = EPS) -> list[Point]:
    """Points a unit in the last place away in all that is differentiated, at which every operation errs anew.

    Labels and whatever else has no gradient stay: the class 2.0 may become 1 by the smallest of nudges.
    """
    found = []
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        moved = {name: _nudged(rng, t, eps) if name in point.differentiated else t for name, t in point.tensors.items()}
        near = Point(point.subject, moved, nudge=rng, sides=point.branches.sides)
        try:
            near.run()
            near.branches = point.branches
        except Breakdown:
            near = Point(point.subject, moved)
            if near.branches.sides != point.branches.sides:
                continue
        found.append(near)
    return found


def gradient_noise(point: Point, upstream: tuple, eps: float = EPS) -> dict[str, NDArray]:
    """For every tensor the largest |Δg| of each element under nudges."""
    here, rng = point.gradients(upstream), np.random.default_rng(DRAWS)
    terms = np.concatenate([np.ravel(u * y) for u, y in zip(upstream, point.outputs, strict=True)])
    noise = {n: np.full(np.shape(g), 0.25 * eps * point.natural_size(n, terms)) for n, g in here.items()}
    for near in (*neighbours(point, eps), point):
        try:
            there = near.gradients(tuple(_nudged(rng, u, eps) for u in upstream))
        except Breakdown:
            continue
        for name in noise:
            noise[name] = np.maximum(noise[name], np.abs(there[name] - here[name]))
    return noise


def slope_noise(line: Line, measure: Measure | None) -> float:
    """Largest change of the analytic plus that of the numeric slope (if there is a measure) under nudges."""
    rng, here = np.random.default_rng(DRAWS), _both(line, measure)
    apart = np.zeros(2)
    for near in (*neighbours(line.point), line.point):
        upstream = tuple(_nudged(rng, u, EPS) for u in line.upstream)
        there = replace(line, point=near, upstream=upstream, direction=_nudged(rng, line.direction, EPS))
        try:
            apart = np.maximum(apart, np.abs(_both(there, measure) - here))
        except (Breakdown, NoEstimate):
            continue
    # Few numbers may by luck all round the same way.
    return max(0.25 * EPS * line.natural_size, float(apart.sum()))


def _both(line: Line, measure: Measure | None) -> NDArray:
    """The analytic and the numeric slope."""
    analytic = (line.point.gradients(line.upstream)[line.name] * line.direction).sum()
    return np.array([analytic, measure(line).value if measure else 0.0])
