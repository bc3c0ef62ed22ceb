"""How much of a disagreement is rounding, measured rather than guessed.

Moving every tensor by a few units in the last place draws the rounding errors of both sides anew. What the two
sides move by is what their last digits are worth, however much the code in between cancels: a gradient that is zero
by symmetry (a bias in front of a softmax) comes out as 1e-17 here and 3e-17 there, and both are right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npvae.gradcheck.estimate import EPS, Estimate, NoEstimate
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.subject import Breakdown, Tensors

__all__ = ["MARGIN", "gradient_noise", "natural_size", "nudged", "slope_noise"]

DRAWS = 4
MARGIN = 64.0


def nudged(tensors: Tensors, rng: np.random.Generator, eps: float = EPS) -> Tensors:
    """The tensors with every element moved towards zero by 0 to 8 units in the last place."""
    return {
        name: (tensor * (1.0 - eps * rng.integers(0, 9, tensor.shape))).astype(tensor.dtype)
        for name, tensor in tensors.items()
    }


def _neighbours(point: Point, eps: float = EPS) -> list[Point]:
    rng = np.random.default_rng(0)
    return [Point(point.subject, nudged(point.tensors, rng, eps)) for _ in range(DRAWS)]


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


def slope_noise(line: Line, measure: Callable[[Line], Estimate] | None) -> float:
    """Largest change of the analytic plus that of the numeric slope along `line` under nudges.

    Parameters
    ----------
    line : Line
    measure : callable or None
        The method of the numeric side; None leaves that side out.
    """
    points = [line.point, *_neighbours(line.point)]
    lines = [Line(point, line.name, line.direction, line.upstream) for point in points]
    try:
        analytic = np.array([_analytic(line) for line in lines])
        numeric = np.array([measure(line).value for line in lines]) if measure else np.zeros(1)
    except (Breakdown, NoEstimate):
        analytic = numeric = np.zeros(1)
    # Few numbers may by luck all round the same way.
    least = 0.25 * EPS * natural_size(line.point, line.name, line.upstream)
    return max(least, float(np.abs(analytic - analytic[0]).max() + np.abs(numeric - numeric[0]).max()))


def natural_size(point: Point, name: str, upstream: tuple) -> float:
    """The size a gradient has if nothing cancels: ‖u∘y‖ per size of the tensor's elements."""
    size = np.sqrt(sum(float(np.sum((u * y) ** 2)) for u, y in zip(upstream, point.outputs, strict=True)))
    tensor = point.tensors[name]
    spread = float(np.sqrt(np.mean(tensor**2))) if tensor.size else 0.0
    return float(size) / (spread or 1.0)


def _analytic(line: Line) -> float:
    return float((line.point.gradients(line.upstream)[line.name] * line.direction).sum())
