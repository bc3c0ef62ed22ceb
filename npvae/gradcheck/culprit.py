"""Which elements of a gradient are wrong: a search by halves.

Both sides are linear in the direction, so half a direction shows whether the error lies in that half: log₂ n
evaluations find one element of n, 18 find one of 156,800.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.numeric import Estimate
from npvae.gradcheck.point import Line, Probe

__all__ = ["Culprits", "Element", "find_culprits"]

SAMPLES = 12
LOOK_AT_ALL = 64
FEW = 4


@dataclass(frozen=True)
class Element:
    """Both sides of one element."""

    index: tuple[int, ...]
    numeric: float
    analytic: float
    tolerance: float

    @property
    def wrong(self) -> bool:
        """Whether they differ."""
        return abs(self.numeric - self.analytic) > self.tolerance

    @property
    def counts(self) -> bool:
        """Whether either side is anything but zero."""
        return max(abs(self.numeric), abs(self.analytic)) > self.tolerance


@dataclass(frozen=True)
class Culprits:
    """What the search found.

    Attributes
    ----------
    elements : list of Element
        Wrong ones, at most a few.
    extent : str
        How far the error reaches, as a sentence.
    numeric : array, optional
        The whole numeric gradient, if the tensor is small.
    everywhere : bool
        Whether all elements are wrong as far as was looked.
    """

    elements: list[Element]
    extent: str
    numeric: NDArray | None = None
    everywhere: bool = True


def find_culprits(probe: Probe, measure: Callable[[Line], Estimate], tolerance: float) -> Culprits:
    """Find the wrong elements of the gradient of `probe`.

    Parameters
    ----------
    probe : Probe
        A line along which the two sides disagree.
    measure : callable
        The numeric side.
    tolerance : float
        What the sides of this probe may differ by.
    """
    search = Search(probe, measure, tolerance)
    size = probe.gradient.size
    if size <= LOOK_AT_ALL:
        return _all_known(search, size)
    sample = [search.element(index) for index in _sample(probe)]
    counting = [element for element in sample if element.counts]
    wrong = [element for element in counting if element.wrong]
    if counting and len(wrong) == len(counting):
        return Culprits(wrong[:FEW], f"Every element looked at is wrong ({len(wrong)} of {size:,}).")
    return _narrow_down(search, size, wrong, len(counting))


class Search:
    """Both sides along parts of one direction."""

    def __init__(self, probe: Probe, measure: Callable[[Line], Estimate], tolerance: float) -> None:
        self.probe, self.measure, self.tolerance = probe, measure, tolerance

    def element(self, index: int) -> Element:
        """Both sides of the element ``tensor.flat[index]``."""
        line = self.probe.line
        length = float(line.direction.flat[index])
        estimate = self._estimate(np.array([index]))
        return Element(
            tuple(int(i) for i in np.unravel_index(index, line.direction.shape)),
            estimate.value / length,
            float(self.probe.gradient.flat[index]),
            max(self.tolerance, estimate.tolerance) / abs(length),
        )

    def mismatch(self, indices: NDArray) -> float:
        """How far the sides are apart along the part of the direction with these elements; 0 if within tolerance."""
        estimate = self._estimate(indices)
        part = self.probe.gradient.flat[indices] * self.probe.line.direction.flat[indices]
        error = abs(estimate.value - float(part.sum()))
        return error if error > max(self.tolerance, estimate.tolerance) else 0.0

    def bisect(self, indices: NDArray) -> int:
        """One wrong element among them."""
        while indices.size > 1:
            left, right = indices[: indices.size // 2], indices[indices.size // 2 :]
            indices = left if self.mismatch(left) else right
        return int(indices[0])

    def _estimate(self, indices: NDArray) -> Estimate:
        line = self.probe.line
        part = np.zeros(line.direction.shape)
        part.flat[indices] = line.direction.flat[indices]
        return self.measure(Line(line.point, line.name, part, line.upstream))


def _sample(probe: Probe) -> NDArray:
    """Elements at random, of those that should matter if there are such."""
    candidates = np.flatnonzero(probe.gradient)
    if candidates.size < SAMPLES:
        candidates = np.arange(probe.gradient.size)
    return np.random.default_rng(0).choice(candidates, min(SAMPLES, candidates.size), replace=False)


def _all_known(search: Search, size: int) -> Culprits:
    elements = [search.element(index) for index in range(size)]
    numeric = np.array([element.numeric for element in elements]).reshape(search.probe.gradient.shape)
    wrong = [element for element in elements if element.wrong]
    counting = sum(element.counts for element in elements)
    if len(wrong) == counting:
        extent = "All elements wrong." if size > 1 else ""
    else:
        extent = f"{len(wrong)} of {size} elements wrong{_where(wrong, search.probe.gradient.shape)}."
    return Culprits(wrong[:FEW], extent, numeric, len(wrong) == counting)


def _where(wrong: list[Element], shape: tuple[int, ...]) -> str:
    """A common row or column of several wrong elements."""
    if len(wrong) < 2:
        return ""
    for axis in range(len(shape)):
        places = {element.index[axis] for element in wrong}
        if len(places) == 1 and len(shape) > 1:
            return f", all with index {places.pop()} on axis {axis}"
    return ""


def _narrow_down(search: Search, size: int, wrong: list[Element], counted: int) -> Culprits:
    """Some elements are right: find wrong ones one after the other, until the rest agrees."""
    rest, found = np.arange(size), []
    shape = search.probe.gradient.shape
    while len(found) < FEW and search.mismatch(rest):
        index = search.bisect(rest)
        found.append(search.element(index))
        rest = rest[rest != index]
        if len(found) == 1:
            slab = _slab(search, rest, found[0].index, shape)
            if slab:
                return Culprits(found, slab, everywhere=False)
    if not search.mismatch(rest):
        plural = "s" if len(found) > 1 else ""
        return Culprits(found, f"{len(found)} of {size:,} elements wrong{plural and ''}.", everywhere=False)
    extent = f"Some elements are wrong ({len(wrong)} of {counted} looked at)."
    return Culprits(found, extent, everywhere=False)


def _slab(search: Search, rest: NDArray, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Whether everything wrong lies in one row or column."""
    if len(shape) < 2 or not search.mismatch(rest):
        return ""
    places = np.unravel_index(rest, shape)
    for axis, place in enumerate(index):
        outside = rest[places[axis] != place]
        if outside.size < rest.size and not search.mismatch(outside):
            return f"Only elements with index {place} on axis {axis} are wrong."
    return ""
