"""Random directions, random upstream gradients, and the lines they make through every tensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.point import Line, Point

__all__ = ["Probe", "coordinate", "direction", "draw_probes", "draw_upstream"]


def direction(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype | type = np.float64) -> NDArray:
    """A random direction without blind spots.

    Standard normal numbers, moved 0.1 away from zero: |vᵢ| ≥ 0.1 (about 0.1/√n of the length), so that an error in
    any one element shows.
    """
    v = rng.standard_normal(shape)
    return np.asarray(v + np.copysign(0.1, v), dtype=dtype)


def coordinate(shape: tuple[int, ...], index: int) -> NDArray:
    """The direction of one element, counted as in ``tensor.flat``."""
    v = np.zeros(shape)
    v.flat[index] = 1.0
    return v


def draw_upstream(rng: np.random.Generator, point: Point) -> tuple:
    """A random upstream gradient, one array per output; 1 for a loss.

    A gradient of ones would hide errors that cancel in a sum.
    """
    if not point.subject.takes_upstream:
        return tuple(np.ones(y.shape)[()] for y in point.outputs)
    return tuple(direction(rng, y.shape, y.dtype)[()] for y in point.outputs)


@dataclass(frozen=True)
class Probe:
    """A line, and the analytic gradient for its upstream gradient."""

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
