"""How much of a disagreement is rounding, measured rather than guessed.

Moving every tensor by a few units in the last place draws the rounding errors of both sides anew, and shows what their
last digits are worth, however much cancels in between: a gradient that is zero by symmetry (a bias in front of a
softmax) comes out as 1e-17 here and 3e-17 there, and both are right.
"""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.numeric import EPS, Measure, NoEstimate
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.report import Finding
from npvae.gradcheck.subject import Breakdown, Subject

DRAWS = 4
MARGIN = 64.0
EPS32 = 2.0**-23


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
    lines = [Line(p, line.name, line.direction, line.upstream) for p in (line.point, *_neighbours(line.point))]
    # Few numbers may by luck all round the same way.
    least = 0.25 * EPS * natural_size(line.point, line.name, line.upstream)
    try:
        analytic = np.array([(n.point.gradients(n.upstream)[n.name] * n.direction).sum() for n in lines])
        numeric = np.array([measure(n).value for n in lines]) if measure else np.zeros(1)
    except (Breakdown, NoEstimate):
        return least
    return max(least, float(np.abs(analytic - analytic[0]).max() + np.abs(numeric - numeric[0]).max()))


def check_float32(subject: Subject, upstream: tuple) -> list[Finding]:
    """Findings if the float32 gradient is not float32, or ‖g32 − g64‖ > 64·eps32·‖g64‖ and more than rounding."""
    narrow = {name: tensor.astype(np.float32) for name, tensor in subject.tensors.items()}
    wide = Point(subject, {name: tensor.astype(np.float64) for name, tensor in narrow.items()})
    u32 = tuple(np.asarray(u, dtype=np.float32)[()] for u in upstream)
    u64 = tuple(np.asarray(u, dtype=np.float64)[()] for u in u32)
    try:
        g32 = Point(subject, narrow).gradients(u32)
    except Breakdown as breakdown:
        return [Finding("float32", f"in float32, {breakdown}")]
    g64, noise, findings = wide.gradients(u64), None, []
    for name, gradient in g32.items():
        if gradient.dtype != np.float32:
            text = f"the gradient of {name} is {gradient.dtype} where all that goes in is float32"
            findings.append(Finding("dtype", text, name))
            continue
        error, size = float(np.linalg.norm(gradient - g64[name])), float(np.linalg.norm(g64[name]))
        if error > 64.0 * EPS32 * size:
            noise = noise or gradient_noise(wide, u64, EPS32)
            if error > MARGIN * noise[name]:
                text = f"the gradient of {name} in float32 is {error / (size or 1.0):.1e} off the float64 one"
                findings.append(Finding("float32", text, name))
    return findings
