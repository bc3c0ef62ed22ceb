"""At a kink: the gradient has to be right beside it, and at the kink itself one of those that could be meant.

A kink has many gradients that are right, one for each side and everything between, and programs choose among them
piece by piece: a rectifier by its mask, whatever comes behind. So three questions are asked.

1. Is the gradient right a little beside the kink, there and back, in a direction in which no piece is tied?
2. Does each element, at the kink, lie between the slopes on both sides, or among the gradients around it?
3. Is the slope right along all tied elements at once, if nothing is cut loose by that? Both of two equal maxima may
   carry the gradient, but not both of them all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.kinks import Branches
from npvae.gradcheck.numeric import NoEstimate, ladder
from npvae.gradcheck.point import Line, Point, Probe, direction
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Entry
from npvae.gradcheck.subject import Breakdown, Subject
from npvae.gradcheck.verdict import ROUNDINGS, Settings, takes_all_elements, wrong_elements

ASIDE = 1e-3
"""A step aside, relative to the numbers: short beside what a function bends on, long beside rounding."""
AROUND = 24
"""Gradients looked at around a kink: five pieces have 32 combinations of sides, and most kinks have fewer."""
SLACK = 0.25
"""How far outside of their range a gradient may lie, relative to the range: not every combination was met."""


def stepped_aside(point: Point, rng: np.random.Generator, size: float = ASIDE) -> Point | None:
    """A point a little beside this one at which the forward works, on no kink if that can be had.

    Only what has a gradient is moved; labels stay. It cannot be had where the code makes ties of its own: behind one
    rectifier the next one meets exact zeros everywhere.
    """
    tied = None
    for shorter in (1.0, 1e-3):
        aside = Point(point.subject, _moved(point, rng, size * shorter))
        try:
            if not all(np.isfinite(y).all() for y in aside.outputs):
                continue
            if not aside.branches.ties:
                return aside
        except Breakdown:
            continue
        tied = tied or aside
    return tied


def _moved(point: Point, rng: np.random.Generator, size: float) -> dict[str, NDArray]:
    moved = dict(point.tensors)
    for name in point.differentiated:
        tensor = point.tensors[name]
        typical = float(np.sqrt(np.mean(tensor**2))) if tensor.size else 0.0
        # An element that is tiny beside the others is moved as little as it is.
        own = np.where(tensor == 0, typical or 1.0, np.maximum(np.abs(tensor), 1e-3 * typical))
        moved[name] = tensor + size * own * direction(rng, tensor.shape)
    return moved


def settle(
    point: Point, entries: list[Entry], probes: dict[str, list[Probe]], judge_all: Callable, settings: Settings
) -> tuple[list[Entry], Point]:
    """Entries that are final, of those that may be owed to a kink, and the point at which they were reached."""
    names = ", ".join(point.branches.ties) or "the forward"
    instead = f"the point given lies on a kink of {names}: checked a step of {ASIDE:g} beside it"
    beside = {}
    for size in (ASIDE, -ASIDE):  # there and to the other side: every piece that is tied is seen on both
        rng = np.random.default_rng([settings.seed, 5])
        aside = stepped_aside(point, rng, size)
        if aside is not None:
            beside = {entry.name: entry for entry in judge_all(aside, settings)}
            if any(entry.status == FAIL for entry in beside.values()):
                return [_noted(entry, instead) for entry in beside.values()], aside
    if not beside:
        note = f"the point lies on a kink ({names}), and there is no stepping aside"
        return [_noted(entry, note) for entry in entries], point
    around = _gradients_around(point, probes, rng)
    tied: dict[str, list[int]] = {}
    final = []
    for entry in entries:
        probe = probes[entry.name][0]
        if entry.status == PASS and not entry.spread:
            final.append(entry)
            continue
        if not takes_all_elements(point, entry.name, ladder, settings):
            final.append(_noted(beside[entry.name], instead))
            continue
        wrong, tied[entry.name], middle = wrong_elements(probe, settings)
        low, high = around.get(entry.name, (probe.gradient, probe.gradient))
        slack = SLACK * (high - low) + ROUNDINGS * np.maximum(np.abs(low), np.abs(high))
        possible = (low - slack <= probe.gradient) & (probe.gradient <= high + slack) & (high > low)
        wrong = [index for index in wrong if not possible.flat[index]]
        if wrong:
            place = ", ".join(map(str, np.unravel_index(wrong[0], probe.gradient.shape)))
            where = f"element [{place}] is no slope of either side nor between"
            note = f"beside a kink of {names} all is right; at it, {where}"
            sides = float(middle.flat[wrong[0]]), float(probe.gradient.flat[wrong[0]])
            final.append(_failed(entry, *sides, abs(sides[0] - sides[1]), note))
        elif beside[entry.name].status == INCONCLUSIVE and entry.status == PASS:
            final.append(entry)
        else:
            note = f"at a kink of {names} the gradient is one of those on its sides; beside it, it is right"
            final.append(_noted(beside[entry.name], note))
    return _judge_ties(point, final, probes, tied), point


def _noted(entry: Entry, note: str) -> Entry:
    return replace(entry, notes=[*entry.notes, note])


def _failed(entry: Entry, numeric: float, analytic: float, error: float, note: str) -> Entry:
    sides = {"numeric": numeric, "analytic": analytic, "error": error, "scale": max(abs(numeric), abs(analytic))}
    return replace(_noted(entry, note), status=FAIL, **sides)


def _gradients_around(
    point: Point, probes: dict[str, list[Probe]], rng: np.random.Generator
) -> dict[str, tuple[NDArray, NDArray]]:
    """Smallest and largest of every element of the analytic gradients around the point."""
    upstream = next(iter(probes.values()))[0].line.upstream
    found = []
    for _ in range(AROUND):
        try:
            found.append(Point(point.subject, _moved(point, rng, ASIDE)).gradients(upstream))
        except Breakdown:
            continue
    if not found:
        return {}
    return {
        name: (np.min([g[name] for g in found], axis=0), np.max([g[name] for g in found], axis=0)) for name in found[0]
    }


def _judge_ties(
    point: Point, entries: list[Entry], probes: dict[str, list[Probe]], tied: dict[str, list[int]]
) -> list[Entry]:
    """Along all tied elements at once, if every branch stays as it is: a smooth direction, with one slope."""
    along = {}
    for name, kinked in tied.items():
        if kinked:
            along[name] = np.zeros(point.tensors[name].shape)
            along[name].flat[kinked] = 1.0
    if not along:
        return entries
    upstream = next(iter(probes.values()))[0].line.upstream

    def forward(tensors: dict) -> tuple[object, None]:
        moved = {n: t + tensors["s"][0] * along[n] if n in along else t for n, t in point.tensors.items()}
        return point.subject.forward(moved)[0], None

    subject = Subject(point.subject.name, {"s": np.zeros(1)}, forward, lambda cache, u: {"s": np.zeros(1)})
    line = Line(Point(subject, subject.tensors), "s", np.ones(1), upstream)
    try:
        for step in (1e-6, -1e-6):
            branches = Branches()
            line.terms(step, branches=branches)
            if branches.sides != line.point.branches.sides:
                return entries
        estimate = ladder(line)
    except (Breakdown, NoEstimate):
        return entries
    analytic = sum(float((probes[name][0].gradient * v).sum()) for name, v in along.items())
    error = estimate.miss(analytic)
    if estimate.spread or error <= estimate.tolerance + ROUNDINGS * abs(analytic):
        return entries
    note = "tied elements share one gradient: along all of them at once the slope is another"
    guilty = [entry.name in along and entry.status != FAIL for entry in entries]
    return [
        _failed(e, estimate.value, analytic, error, note) if bad else e for e, bad in zip(entries, guilty, strict=True)
    ]
