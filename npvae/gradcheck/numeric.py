"""Numeric slopes along a line, each with what it is worth by its own account.

Complex step: Im f(t + ihv)/h has an error of order h². Nothing is subtracted, so h = 1e-20 costs no digits (Squire and
Trapp, SIAM Review 40, 1998).

Ladder: central differences D_j with steps h_j = 0.1/‖v‖·4⁻ʲ, each pair extrapolated to R_j = (16 D_{j+1} − D_j)/15.
Going down, the truncation error falls by 256 a rung until rounding, which grows by 4, takes over. Where neighbours
agree best is where to stand, and how well they agree is the error: no step and no tolerance is chosen by hand.

Plain differences, for teaching: truncation errors of order h (forward) and h² (central) against a rounding error of
eps·|f|/h leave at best √eps = 1e-8 and eps^⅔ = 4e-11 of |f|, at the bottom of a V.

Noise: moving every tensor by a few units in the last place draws the rounding errors of both sides anew, and shows what
their last digits are worth, however much cancels in between: a gradient that is zero by symmetry (a bias in front of
a softmax) comes out as 1e-17 here and 3e-17 there, and both are right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.kinks import Branches
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.subject import Breakdown

EPS = 2.0**-52
ROUNDINGS = 4096 * EPS
STEP = 1e-20
RUNGS = 8
FEWEST = 4
SAFETY = 10.0
DRAWS = 4
MARGIN = 64.0


class NoEstimate(Exception):
    """A method could not be applied; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """A slope ⟨u, Jv⟩, the error it may have, ‖u∘Jv‖₂, and the method in words."""

    value: float
    tolerance: float
    scale: float
    method: str


Measure = Callable[[Line], Estimate]


def complex_step(line: Line, step: float = STEP) -> Estimate:
    """The slope by a complex step; NoEstimate if the forward does not run on complex numbers.

    First all tensors are complex, since code may take its dtype from any of them (``np.empty_like(x)``). Where that
    breaks, comparisons are made by real parts (``x < 0`` may refuse a complex x); then only this tensor is complex.
    """
    reasons = []
    for options in ({}, {"branches": Branches()}, {"promote": False}):
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


def ladder(line: Line) -> Estimate:
    """The slope from real evaluations alone; NoEstimate if fewer than four rungs can be used.

    Only rungs count on which every branch is taken as at the base point: beyond a kink lies another function. If too
    few do, the ladder is continued downwards once.
    """
    first = 0.1 / float(np.linalg.norm(line.direction))
    for start in (0, RUNGS):
        rungs = _rungs(line, first * 4.0 ** -np.arange(start, start + RUNGS))
        if len(rungs) >= FEWEST:
            break
    else:
        raise NoEstimate("differences cannot be taken here: every step crosses a kink or leaves the domain")
    steps, differences, sizes = (list(column) for column in zip(*rungs[::-1], strict=True))
    value, error = _best_rung(np.array(steps), np.array([d.sum() for d in differences]), np.array(sizes))
    scale = float(np.linalg.norm(differences[-1]))
    return Estimate(value, SAFETY * error, max(scale, abs(value)), "ladder of differences")


def _rungs(line: Line, steps: NDArray) -> list[tuple[float, NDArray, float]]:
    """From the bottom up to the first that crosses a branch: h, (u∘y⁺ − u∘y⁻)/2h and ‖u∘y‖."""
    base, rungs = line.point.branches.sides, []
    for step in steps[::-1]:
        sides = (Branches(), Branches()) if base else (None, None)
        try:
            above, below = line.terms(step, branches=sides[0]), line.terms(-step, branches=sides[1])
        except Breakdown:
            break
        if base and not sides[0].sides == base == sides[1].sides:
            break
        difference = (above - below) / (2.0 * step)
        if not np.isfinite(difference).all():
            break
        rungs.append((step, difference, float(np.linalg.norm(above))))
    return rungs


def _best_rung(steps: NDArray, slopes: NDArray, sizes: NDArray) -> tuple[float, float]:
    """The most self-consistent extrapolated value and its predicted error."""
    extrapolated = (16.0 * slopes[1:] - slopes[:-1]) / 15.0
    change = np.abs(np.diff(extrapolated))
    # What the lowest rungs disagree by is the rounding noise of the forward, often far above that of its last step.
    # Four are looked at: two may agree by luck, or because a float32 inside does not move at all.
    seen = 2.0 * np.max((change * steps[2:])[-4:])
    noise = np.maximum(4.0 * EPS * sizes[1:], seen) / steps[1:]
    neighbours = np.maximum(np.append(change, change[-1]), np.insert(change, 0, change[0]))
    error = np.maximum(neighbours, noise)
    best = int(np.argmin(error))
    return float(extrapolated[best]), float(error[best])


def forward(line: Line, step: float) -> float:
    """(f(t + hv) − f(t)) / h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(0.0)) / step).sum())


def central(line: Line, step: float) -> float:
    """(f(t + hv) − f(t − hv)) / 2h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(-step)) / (2.0 * step)).sum())


def difference(line: Line, method: str, step: float | None = None) -> Estimate:
    """A central or forward difference with an honest tolerance; NoEstimate if the forward breaks down nearby.

    For order p the truncation error is |D(h) − D(h/2)|·2ᵖ/(2ᵖ − 1), the rounding error 4·eps·‖u∘y‖/h.
    """
    function, order, default = (central, 2, 1e-5) if method == "central" else (forward, 1, 1e-8)
    step = step or default
    try:
        value, finer = function(line, step), function(line, step / 2.0)
        terms = line.terms(0.0)
        scale = float(np.linalg.norm((line.terms(step) - terms) / step))
    except Breakdown as breakdown:
        raise NoEstimate(str(breakdown)) from breakdown
    if not np.isfinite(value):
        raise NoEstimate("the forward is not finite at a neighbouring point")
    truncation = abs(value - finer) * 2**order / (2**order - 1)
    rounding = 4.0 * EPS * float(np.linalg.norm(terms)) / step
    return Estimate(value, SAFETY * (truncation + rounding), scale, f"{method} difference, step {step:g}")


def _neighbours(point: Point, eps: float = EPS) -> list[Point]:
    """Points with every element moved towards zero by 0 to 8 units in the last place."""
    rng = np.random.default_rng(0)
    return [
        Point(point.subject, {name: t * (1.0 - eps * rng.integers(0, 9, t.shape)) for name, t in point.tensors.items()})
        for _ in range(DRAWS)
    ]


def natural_size(point: Point, name: str, upstream: tuple) -> float:
    """The size a gradient has if nothing cancels: ‖u∘y‖ per size of the tensor's elements."""
    size = np.sqrt(sum(float(np.sum((u * y) ** 2)) for u, y in zip(upstream, point.outputs, strict=True)))
    tensor = point.tensors[name]
    spread = float(np.sqrt(np.mean(tensor**2))) if tensor.size else 0.0
    return float(size) / (spread or 1.0)


def gradient_noise(point: Point, upstream: tuple, eps: float = EPS) -> dict[str, float]:
    """For every tensor the largest ‖Δg‖ under nudges."""
    here = point.gradients(upstream)
    noise = {name: 0.25 * eps * natural_size(point, name, upstream) for name in here}
    for neighbour in _neighbours(point, eps):
        try:
            there = neighbour.gradients(upstream)
        except Breakdown:
            continue
        for name in noise:
            noise[name] = max(noise[name], float(np.linalg.norm(there[name] - here[name])))
    return noise


def slope_noise(line: Line, measure: Measure | None) -> float:
    """Largest change of the analytic plus that of the numeric slope (if there is a measure) under nudges."""
    lines = [line, *(replace(line, point=neighbour) for neighbour in _neighbours(line.point))]
    # Few numbers may by luck all round the same way.
    least = 0.25 * EPS * natural_size(line.point, line.name, line.upstream)
    try:
        analytic = np.array([(n.point.gradients(n.upstream)[n.name] * n.direction).sum() for n in lines])
        numeric = np.array([measure(n).value for n in lines]) if measure else np.zeros(1)
    except (Breakdown, NoEstimate):
        return least
    return max(least, float(np.abs(analytic - analytic[0]).max() + np.abs(numeric - numeric[0]).max()))
