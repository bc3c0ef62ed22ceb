"""Places at which both sides are evaluated, and random lines through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.kinks import Branches, Traced
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, pull_back, run


def read_only(array: NDArray) -> NDArray:
    """A view through which nothing can be written."""
    view = np.asarray(array).view()  # arithmetic on an array without axes gives a scalar
    view.flags.writeable = False
    return view


def narrow_rounding(gradient: NDArray) -> float:
    """What rounding may do to a gradient that came in less than double precision, relative to its size; else zero."""
    eps = float(np.finfo(gradient.dtype).eps)
    return 64.0 * eps if eps > 2.0**-52 else 0.0


class Point:
    """Tensors of a subject, what it makes of them, and how many forwards that took."""

    def __init__(
        self,
        subject: Subject,
        tensors: Mapping[str, NDArray],
        nudge: np.random.Generator | None = None,
        sides: list[bytes] | None = None,
    ) -> None:
        self.subject = subject
        self.nudge, self.sides = nudge, sides  # every operation errs anew; Breakdown on another side of a branch
        self.tensors: Tensors = {name: read_only(tensor) for name, tensor in tensors.items()}
        self.evaluations = 0

    def run(self, tensors: Tensors | None = None) -> tuple[tuple[NDArray, ...], object]:
        """Outputs and cache at this point, or at `tensors`."""
        self.evaluations += 1
        tensors = self.tensors if tensors is None else tensors
        if self.nudge is None:
            return run(self.subject, tensors)
        stepping = any(tensor.dtype.kind == "c" for tensor in tensors.values())
        branches = Branches(nudge=self.nudge, stepping=stepping)
        outputs, cache = run(self.subject, {name: Traced.of(tensor, branches) for name, tensor in tensors.items()})
        if branches.sides != self.sides and not stepping:
            raise Breakdown("kink", "another side of a branch")
        return tuple(y.view(np.ndarray) for y in outputs), cache

    @cached_property
    def outputs(self) -> tuple[NDArray, ...]:
        """What the forward returns here."""
        return self.run()[0]

    def gradients(self, upstream: tuple) -> Tensors:
        """The analytic side, after a fresh forward."""
        return self.pull(self.run()[1], upstream)

    def pull(self, cache: object, upstream: tuple) -> Tensors:
        """Backward of a cache."""
        return pull_back(self.subject, cache, upstream, self.tensors)

    @cached_property
    def rounding(self) -> float:
        """The relative rounding error of the coarsest precision seen, in the outputs or on the way to them."""
        kinds = [np.finfo(y.dtype).eps for y in self.outputs if y.dtype.kind == "f"]
        return float(max([2.0**-52, self.branches.coarsest, *kinds]))

    @cached_property
    def differentiated(self) -> set[str]:
        """The tensors that have a gradient."""
        return set(self.gradients(tuple(np.zeros(y.shape)[()] for y in self.outputs)))

    def natural_size(self, name: str, terms: NDArray) -> float:
        """The size a gradient has if nothing cancels: ‖u∘y‖ per size of the tensor's elements."""
        tensor = self.tensors[name]
        typical = float(np.sqrt(np.mean(tensor**2))) if tensor.size else 0.0
        return float(np.linalg.norm(terms)) / (typical or 1.0)

    @cached_property
    def complex_tensors(self) -> Tensors:
        """The tensors as complex numbers."""
        return {name: read_only(tensor.astype(np.complex128)) for name, tensor in self.tensors.items()}

    @cached_property
    def branches(self) -> Branches:
        """The branches the forward takes here; empty if it does not let itself be traced."""
        branches = Branches()
        try:
            self.run({name: Traced.of(tensor, branches) for name, tensor in self.tensors.items()})
        except Breakdown:
            return Branches()
        branches.seen = True
        return branches


@dataclass(frozen=True)
class Line:
    """The function s ↦ Σ u∘y(t + s v) of one number, through the tensor t called `name`."""

    point: Point
    name: str
    direction: NDArray
    upstream: tuple

    @property
    def natural_size(self) -> float:
        """The size of a slope in which nothing cancels, as far as the outputs change along the line."""
        terms = self.terms(0.0)
        try:
            changing = self.terms(1j * 1e-20).imag != 0
        except Breakdown:
            changing = terms != 0
        return self.point.natural_size(self.name, terms * changing if np.any(changing) else terms)

    def terms(self, step: complex, promote: bool = True, branches: Branches | None = None) -> NDArray:
        """The summands u∘y at ``t + step·v``; a complex step makes all tensors complex if they are to be promoted."""
        point = self.point
        moved = dict(point.complex_tensors if isinstance(step, complex) and promote else point.tensors)
        moved[self.name] = read_only(moved[self.name] + step * self.direction)
        if branches is not None:
            moved = {name: Traced.of(tensor, branches) for name, tensor in moved.items()}
        outputs, _ = point.run(moved)
        if len(outputs) != len(self.upstream):
            raise Breakdown("returns", "forward does not always return the same number of outputs")
        return np.concatenate([np.ravel(u * y) for u, y in zip(self.upstream, outputs, strict=True)])


@dataclass(frozen=True)
class Probe:
    """A line, and the analytic gradient g for its upstream gradient."""

    line: Line
    gradient: NDArray

    @property
    def analytic(self) -> float:
        """⟨g, v⟩, the analytic slope along the line."""
        return float((self.gradient * self.line.direction).sum())

    @property
    def scale(self) -> float:
        """‖g∘v‖₂, the size of the terms of that sum."""
        return float(np.linalg.norm(self.gradient * self.line.direction))


def direction(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Standard normal numbers, moved 0.1 away from zero: an error in any one element shows."""
    v = rng.standard_normal(shape)
    return np.asarray(v + np.copysign(0.1, v))


def draw_upstream(rng: np.random.Generator, point: Point) -> tuple:
    """One random array per output, for ones would hide errors that cancel in a sum; 1 for a loss."""
    if not point.subject.takes_upstream:
        return tuple(np.ones(y.shape)[()] for y in point.outputs)
    return tuple(direction(rng, y.shape)[()] for y in point.outputs)


def draw_probes(point: Point, count: int, seed: int) -> dict[str, list[Probe]]:
    """For every tensor that has a gradient, `count` lines in random directions with random upstream gradients."""
    rng = np.random.default_rng([seed, 1])
    probes: dict[str, list[Probe]] = {}
    for _ in range(count):
        upstream = draw_upstream(rng, point)
        for name, gradient in point.gradients(upstream).items():
            if gradient.size:
                line = Line(point, name, direction(rng, gradient.shape), upstream)
                probes.setdefault(name, []).append(Probe(line, gradient))
    return probes
