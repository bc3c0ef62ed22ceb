"""Which use of a tensor did the backward forget?

In the complex step the imaginary parts are what is differentiated: where an operation is handed one without it, that
operand is a constant. So the forward is run with an array subclass that cuts one thread at a time. If the slope with a
cut is the one that backward gives, then backward has treated that thread as a constant: a batch mean whose own
dependence on x is forgotten, a residual path, a carried state. And if a tensor is used several times, and the slope
through one use alone is the one that backward gives, then an ``=`` stands where ``+=`` is meant.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import CodeType, FrameType

import numpy as np

from npvae.diagnosis.evidence import Evidence, Hint
from npvae.gradcheck.kinks import Branches, Traced
from npvae.gradcheck.numeric import STEP
from npvae.gradcheck.point import Line
from npvae.gradcheck.subject import Breakdown

WORK = 20_000_000
"""Numbers met in all runs together, up to which threads are cut: a second or so."""
MOST = 60
"""Threads looked at; a forward of more operations than that is explained in parts or not at all."""
TOGETHER = 3
"""Statistics forgotten at once: the mean, the variance, and one more."""
STATISTICS = ("add", "mean", "var", "std", "sum", "norm", "maximum", "average", "max", "amax")
OWN = tuple(str(Path(place).parent) for place in (__file__, Traced.of.__func__.__code__.co_filename, np.__file__))

Site = tuple[CodeType, int]


@dataclass
class Threads(Branches):
    """Every operand that carries an imaginary part, in the order met; those in `cut` lose it."""

    stepping: bool = True
    root: np.ndarray | None = None  # the tensor that is stepped in
    met: list[tuple[Site, int, str, bool]] = field(default_factory=list)  # site, operand, operation, is it the tensor?
    cut: Callable[[int, Site, int], bool] = lambda *_: (
        False
    )  # by the number of the tensor's use (else −1), site, operand

    def pass_on(self, site: Site, name: str, values: object, place: int = 0) -> object:
        """`values`, or what is left of them."""
        if isinstance(values, (list, tuple)):
            return type(values)([self.pass_on(site, name, value, place + i) for i, value in enumerate(values)])
        if not isinstance(values, Thread) or values.dtype.kind != "c":
            return values
        plain = values.view(np.ndarray)
        if not np.any(plain.imag):
            return values
        whole = self.root is not None and np.may_share_memory(plain, self.root)
        self.met.append((site, place, name, whole))
        use = sum(one[3] for one in self.met) - 1 if whole else -1
        return plain.real + 0j if self.cut(use, site, place) else values


class Thread(Traced):
    """A traced array whose imaginary part may be cut off at an operation."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if self.branches is not None:
            inputs = self.branches.pass_on(_site(), ufunc.__name__, inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **keywords)

    def __array_function__(self, function, types, arguments, keywords):
        if self.branches is not None:
            arguments = self.branches.pass_on(_site(), getattr(function, "__name__", ""), arguments)
        return super().__array_function__(function, types, arguments, keywords)


def _site() -> Site:
    """Where in the code under test an operation is called: the last frame that belongs neither to NumPy nor to us."""
    frame: FrameType | None = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN):
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def line_of(site: Site) -> str:
    """The line of a site: its number, and what it says."""
    code, place = site
    number = next((line for start, end, line in code.co_lines() if start <= place < end), None) or code.co_firstlineno
    return f"line {number}, `{linecache.getline(code.co_filename, number).strip()}`"


def forgotten(evidence: Evidence) -> Hint | None:
    """The thread that backward has treated as a constant, or the one use of several that it has kept."""
    search = _Search.of(evidence)
    if search is None:
        return None
    return search.single_use() or search.cut_thread()


@dataclass(frozen=True)
class _Search:
    evidence: Evidence
    met: list[tuple[Site, int, str, bool]]

    @classmethod
    def of(cls, evidence: Evidence) -> _Search | None:
        """None if the forward cannot be watched, or is too large for it."""
        point = evidence.probes[0].line.point
        threads = Threads()
        whole = _slope(evidence.probes[0].line, threads)
        size = sum(t.size for t in point.tensors.values()) + sum(y.size for y in point.outputs) + 50 * len(threads.met)
        fits = whole is not None and abs(whole - evidence.numeric[0]) <= evidence.slack[0] + 1e-9 * abs(whole)
        return cls(evidence, threads.met) if fits and size * min(len(threads.met), MOST) <= WORK else None

    def fits(self, cut: Callable) -> bool:
        """Whether the slopes with some threads cut are those of the backward."""
        for probe, slack in zip(self.evidence.probes, self.evidence.slack, strict=True):
            slope = _slope(probe.line, Threads(cut=cut))
            if slope is None or abs(slope - probe.analytic) > max(slack, 1e-9 * probe.scale):
                return False
        return True

    def single_use(self) -> Hint | None:
        """The one use of the tensor that backward has kept, of several, or has forgotten."""
        name = self.evidence.name
        uses = [(site, operation) for site, _, operation, whole in self.met if whole]
        if not 2 <= len(uses) <= MOST:
            return None
        two_places = len(uses) == 2 and uses[0][0] != uses[1][0]
        for i, (site, operation) in enumerate(uses):
            use, place = f"use {i + 1} of {len(uses)} of {name}", f"in {operation}, {line_of(site)}"
            if not two_places and self.fits(lambda k, *_, i=i: k not in (-1, i)):
                return Hint(
                    f"right for {use} alone",
                    f"Only {use} reaches its gradient ({place}): `=` where `+=` is meant.",
                )
            if self.fits(lambda k, *_, i=i: k == i):
                return Hint(f"right without {use}", f"The {use} is forgotten ({place}): `=` where `+=` is meant?")
        return None

    def cut_thread(self) -> Hint | None:
        """The operand, or the statistics, that backward has treated as a constant."""
        threads = list(dict.fromkeys((site, place, name) for site, place, name, _ in self.met))
        if len(threads) > MOST:
            return None
        for cut in self._combinations(threads):
            keys = {(site, place) for site, place, _ in cut}
            if self.fits(lambda _, site, place, keys=keys: (site, place) in keys):
                lines = " and ".join(dict.fromkeys(line_of(site) for site, _, _ in cut))
                each = " each" if len(cut) > 1 else ""
                sides = {"matmul", "multiply", "add", "subtract", "divide"}
                what = " and ".join(
                    dict.fromkeys(f"operand {place + 1} of {name}" if name in sides else name for _, place, name in cut)
                )
                what = f"what goes into {what}"
                return Hint(
                    "right if that were constant",
                    f"Backward treats {what}{each} as a constant ({lines}): "
                    f"its own dependence on {self.evidence.name} is forgotten.",
                )
        return None

    @staticmethod
    def _combinations(threads: list[tuple[Site, int, str]]) -> Iterator[tuple]:
        """Each thread alone; both operands of one operation; several statistics at once."""
        yield from ((thread,) for thread in threads)
        sites: dict[Site, list] = {}
        for thread in threads:
            sites.setdefault(thread[0], []).append(thread)
        yield from (tuple(own) for own in sites.values() if len(own) > 1)
        statistics = [thread for thread in threads if thread[2] in STATISTICS][:8]
        for count in range(2, TOGETHER + 1):
            yield from combinations(statistics, count)


def _slope(line: Line, threads: Threads) -> float | None:
    """The slope along a line with some threads cut; None if the forward cannot be watched."""
    point = line.point
    moved = dict(point.complex_tensors)
    moved[line.name] = np.asarray(moved[line.name] + 1j * STEP * line.direction)
    threads.root = moved[line.name]
    try:
        outputs, _ = point.run({name: Thread.of(tensor, threads) for name, tensor in moved.items()})
    except Breakdown:
        return None
    terms = [np.asarray(u * y).imag.sum() for u, y in zip(line.upstream, outputs, strict=True)]
    return float(sum(terms)) / STEP
