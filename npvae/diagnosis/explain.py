"""The lines under a failure: which elements are wrong, by how much, and what it looks like.

Both sides are linear in the direction, so half a direction shows whether the error lies in that half: log₂ n
evaluations find one element of n, 18 find one of 156,800.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.diagnosis.evidence import Evidence, Hint
from npvae.diagnosis.factors import sizes_of
from npvae.diagnosis.guesses import diagnose
from npvae.gradcheck.numeric import Estimate, Measure, NoEstimate
from npvae.gradcheck.point import Probe
from npvae.gradcheck.report import Entry, two_sides
from npvae.gradcheck.verdict import Settings, measure_called

SHOWN = 3
"""Wrong elements printed where no guess fits: enough to see a pattern."""
SAMPLES = 12
"""Elements of a large tensor looked at one by one: if all are wrong, all of it is."""
LOOK_AT_ALL = 64
"""Size up to which every element is looked at: a few milliseconds."""
FEW = 4
"""Wrong elements searched for by halves; more have a cause that is no single element."""


def explain(entry: Entry, probes: dict[str, list[Probe]], settings: Settings, spoiled: bool = False) -> list[str]:
    """Lines that explain the failure of one entry.

    `probes` are several of every tensor, with the same upstream gradients. `spoiled` says that a part behind this
    tensor is known to be wrong, so that this gradient need not be to blame.
    """
    own, measure = probes[entry.name], measure_called(entry.method, settings)
    try:
        culprits = find_culprits(own[0], measure, entry.tolerance)
        estimates = [measure(probe.line) for probe in own]
    except NoEstimate as reason:
        return [f"{two_sides(entry.numeric, entry.analytic)}   ({reason})"]
    evidence = Evidence(
        name=entry.name,
        probes=own,
        numeric=[estimate.value for estimate in estimates],
        slack=[max(estimate.tolerance, entry.tolerance) for estimate in estimates],
        gradients={name: [probe.gradient for probe in others] for name, others in probes.items()},
        sizes=sizes_of(own[0].line.point, entry.name),
        measure=measure,
    )
    hint = None if culprits.counted else diagnose(evidence)
    lines = _numbers(entry, culprits, hint, len(own))
    if hint is None and spoiled:
        return lines[:1]
    return [*lines, f"-> {_sentence(entry, culprits, hint, own[0].gradient)}"]


def _numbers(entry: Entry, culprits: Culprits, hint: Hint | None, count: int) -> list[str]:
    lines = []
    for element in culprits.elements[: 1 if hint else SHOWN]:
        place = f"{entry.name}[{', '.join(map(str, element.index))}]" if element.index else entry.name
        lines.append(f"{place}  {two_sides(element.numeric, element.analytic)}")
        if hint is None and element.analytic and abs(element.numeric / element.analytic - 1.0) > 1e-5:
            lines[-1] += f"   numeric = {element.numeric / element.analytic:.6g} × analytic there"
    lines = lines or [f"along a random direction  {two_sides(entry.numeric, entry.analytic)}"]
    if hint is not None:
        lines[0] += f"   {hint.formula} on {count} of {count} probes"
    return lines


def _sentence(entry: Entry, culprits: Culprits, hint: Hint | None, gradient: NDArray) -> str:
    extent, numeric = culprits.extent, culprits.numeric
    if hint is not None:
        return f"{hint.sentence} {extent}".strip()
    if not culprits.everywhere and culprits.elements:
        return f"{extent} The others agree: look at what is special about index {culprits.elements[0].index}."
    if numeric is not None and np.allclose(np.sort(numeric, None), np.sort(gradient, None), rtol=1e-9, atol=0.0):
        return f"The values of {entry.name}'s gradient are right, but in the wrong places. {extent}"
    return f"No factor, transpose, shift or missing term that is known here fits. {extent}".strip()


@dataclass(frozen=True)
class Element:
    """Both sides of one element: do they differ, and is either anything but zero?"""

    index: tuple[int, ...]
    numeric: float
    analytic: float
    wrong: bool
    counts: bool


@dataclass(frozen=True)
class Culprits:
    """A few wrong elements, how far the error reaches, and the numeric gradient of a small tensor."""

    elements: list[Element]
    extent: str
    everywhere: bool
    numeric: NDArray | None = None
    counted: bool = False  # whether these few are all: then no guess at the whole gradient fits


def find_culprits(probe: Probe, measure: Measure, tolerance: float) -> Culprits:
    """Find the wrong elements of the gradient of `probe`, along which the sides differ by more than `tolerance`."""
    search, size, shape = Search(probe, measure, tolerance), probe.gradient.size, probe.gradient.shape
    sample = range(size)
    if size > LOOK_AT_ALL:
        # At random, of those that should matter if there are such.
        candidates = np.flatnonzero(probe.gradient)
        candidates = candidates if candidates.size >= SAMPLES else np.arange(size)
        sample = np.random.default_rng(0).choice(candidates, SAMPLES, replace=False)
    elements = [search.element(index) for index in sample]
    wrong = [element for element in elements if element.wrong]
    counting = sum(element.counts for element in elements)
    everywhere = len(wrong) == counting
    if size <= LOOK_AT_ALL:
        extent = f"{len(wrong)} of {size} elements wrong{_common(wrong, shape)}."
        if everywhere:
            extent = "All elements wrong." if size > 1 else ""
        numeric = np.array([element.numeric for element in elements]).reshape(shape)
        return Culprits(wrong[:FEW], extent, everywhere, numeric)
    if counting and everywhere:
        return Culprits(wrong[:FEW], f"Every element looked at is wrong ({len(wrong)} of {size:,}).", True)
    found, extent = search.one_by_one(np.arange(size))
    if extent.endswith("elements wrong."):
        return Culprits(found, extent, False, counted=True)
    return Culprits(found, extent or f"Some elements are wrong ({len(wrong)} of {counting} looked at).", False)


def _common(wrong: list[Element], shape: tuple[int, ...]) -> str:
    """A common row or column of several wrong elements."""
    for axis in range(len(shape)):
        places = {element.index[axis] for element in wrong}
        if len(wrong) > 1 == len(places) and len(shape) > 1:
            return f", all with index {places.pop()} on axis {axis}"
    return ""


@dataclass(frozen=True)
class Search:
    """Both sides along parts of one direction."""

    probe: Probe
    measure: Measure
    tolerance: float

    def element(self, index: int) -> Element:
        """Both sides of the element ``tensor.flat[index]``."""
        direction = self.probe.line.direction
        length = float(direction.flat[index])
        estimate = self._estimate(np.array([index]))
        numeric, analytic = estimate.value / length, float(self.probe.gradient.flat[index])
        tolerance = max(self.tolerance, estimate.tolerance) / abs(length)
        place = tuple(int(i) for i in np.unravel_index(index, direction.shape))
        sizes = abs(numeric - analytic), max(abs(numeric), abs(analytic))
        return Element(place, numeric, analytic, *(size > tolerance for size in sizes))

    def mismatch(self, indices: NDArray) -> bool:
        """Whether the sides differ along the part of the direction with these elements."""
        estimate = self._estimate(indices)
        part = self.probe.gradient.flat[indices] * self.probe.line.direction.flat[indices]
        return abs(estimate.value - float(part.sum())) > max(self.tolerance, estimate.tolerance)

    def _estimate(self, indices: NDArray) -> Estimate:
        line = self.probe.line
        part = np.zeros(line.direction.shape)
        part.flat[indices] = line.direction.flat[indices]
        return self.measure(replace(line, direction=part))

    def one_by_one(self, rest: NDArray) -> tuple[list[Element], str]:
        """Wrong elements until the others agree, and how many or in which row; no words if that has no end."""
        size, found = rest.size, []
        while self.mismatch(rest):
            if len(found) == FEW:
                return found, ""
            part = rest
            while part.size > 1:
                left, right = part[: part.size // 2], part[part.size // 2 :]
                part = left if self.mismatch(left) else right
            found.append(self.element(int(part[0])))
            rest = rest[rest != part[0]]
            slab = self._slab(rest, found[0].index) if len(found) == 1 else ""
            if slab:
                return found, slab
        return found, f"{len(found)} of {size:,} elements wrong."

    def _slab(self, rest: NDArray, index: tuple[int, ...]) -> str:
        """Whether everything wrong lies in one row or column."""
        shape = self.probe.gradient.shape
        if len(shape) > 1 and self.mismatch(rest):
            places = np.unravel_index(rest, shape)
            for axis, place in enumerate(index):
                outside = rest[places[axis] != place]
                if outside.size < rest.size and not self.mismatch(outside):
                    return f"Only elements with index {place} on axis {axis} are wrong."
        return ""
