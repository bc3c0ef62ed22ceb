"""Pen strokes of the ten digits: the points that a pen passes through, and the curve between them.

A *style* of a digit is a tuple of strokes, a stroke a tuple of (x, y) points in units of the digit's height: the
origin is the middle of the digit, x points right, y down, and the digit reaches from y = -1/2 to 1/2. Points with the
same coordinates are one control point, so that strokes that meet stay together when the point moves; a stroke that ends
where it began is a closed curve, without a corner there.

The pen moves along a Catmull-Rom spline: between p₁ and p₂, with f in [0, 1],

    p(f) = ½ [(-f + 2f² - f³) p₀ + (2 - 5f² + 3f³) p₁ + (f + 4f² - 3f³) p₂ + (-f² + f³) p₃],

linear in the control points: a table of four indices and weights per sample describes the curve whatever its points do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import fsum, sqrt

import numpy as np

Point = tuple[float, float]
Stroke = tuple[Point, ...]

STYLES: dict[int, tuple[tuple[Stroke, ...], ...]] = {
    0: (
        (
            ((0.03, -0.5), (-0.19, -0.38), (-0.31, -0.05), (-0.25, 0.32), (-0.02, 0.5), (0.22, 0.36),
             (0.31, 0.0), (0.24, -0.35), (0.03, -0.5)),
        ),
        (
            ((0.16, -0.42), (-0.06, -0.48), (-0.24, -0.25), (-0.29, 0.12), (-0.16, 0.44), (0.08, 0.47),
             (0.27, 0.2), (0.28, -0.16), (0.14, -0.42), (-0.07, -0.5)),
        ),
    ),
    1: (
        (((0.0, -0.5), (0.0, -0.17), (0.0, 0.17), (0.0, 0.5)),),
        (((-0.17, -0.27), (-0.06, -0.38), (0.03, -0.5)), ((0.03, -0.5), (0.03, -0.17), (0.03, 0.17), (0.03, 0.5))),
        (
            ((-0.15, -0.32), (0.0, -0.5)),
            ((0.0, -0.5), (0.0, -0.17), (0.0, 0.17), (0.0, 0.49)),
            ((-0.22, 0.5), (0.0, 0.49), (0.22, 0.47)),
        ),
    ),
    2: (
        (
            ((-0.27, -0.28), (-0.13, -0.46), (0.1, -0.48), (0.23, -0.28), (0.14, 0.0), (-0.08, 0.25), (-0.29, 0.45)),
            ((-0.29, 0.45), (-0.08, 0.44), (0.12, 0.46), (0.32, 0.46)),
        ),
        (
            ((-0.24, -0.34), (-0.06, -0.5), (0.14, -0.43), (0.18, -0.18), (0.06, 0.12), (-0.14, 0.38), (-0.29, 0.46),
             (-0.33, 0.33), (-0.2, 0.25), (-0.02, 0.36), (0.15, 0.48), (0.34, 0.4)),
        ),
    ),
    3: (
        (
            ((-0.24, -0.4), (-0.04, -0.5), (0.17, -0.42), (0.17, -0.2), (-0.06, -0.05)),
            ((-0.06, -0.05), (0.18, 0.06), (0.25, 0.28), (0.08, 0.47), (-0.13, 0.48), (-0.3, 0.36)),
        ),
        (
            ((-0.25, -0.46), (-0.02, -0.47), (0.22, -0.48)),
            ((0.22, -0.48), (0.1, -0.3), (-0.05, -0.1)),
            ((-0.05, -0.1), (0.17, -0.03), (0.26, 0.19), (0.14, 0.42), (-0.08, 0.5), (-0.28, 0.4)),
        ),
        (
            ((-0.26, -0.36), (-0.08, -0.5), (0.14, -0.44), (0.16, -0.22), (0.0, -0.06), (-0.1, 0.0), (-0.06, -0.1),
             (0.12, -0.01), (0.23, 0.2), (0.12, 0.44), (-0.1, 0.5), (-0.27, 0.36)),
        ),
    ),
    4: (
        (
            ((-0.2, -0.46), (-0.26, -0.22), (-0.27, 0.04)),
            ((-0.27, 0.04), (0.0, 0.05), (0.3, 0.0)),
            ((0.22, -0.5), (0.18, -0.18), (0.15, 0.16), (0.13, 0.5)),
        ),
        (
            ((0.13, -0.5), (-0.08, -0.2), (-0.31, 0.13)),
            ((-0.31, 0.13), (0.0, 0.12), (0.33, 0.1)),
            ((0.13, -0.5), (0.12, -0.17), (0.11, 0.17), (0.1, 0.5)),
        ),
        (
            ((-0.22, -0.42), (-0.29, -0.18), (-0.22, 0.02), (-0.02, 0.04), (0.16, -0.1), (0.23, -0.3)),
            ((0.26, -0.5), (0.22, -0.16), (0.17, 0.18), (0.13, 0.5)),
        ),
    ),
    5: (
        (
            ((0.27, -0.48), (0.05, -0.48), (-0.17, -0.46)),
            ((-0.17, -0.46), (-0.2, -0.28), (-0.22, -0.08)),
            ((-0.22, -0.08), (0.03, -0.13), (0.22, 0.04), (0.22, 0.3), (0.02, 0.48), (-0.26, 0.41)),
        ),
        (
            ((0.3, -0.5), (0.05, -0.46), (-0.14, -0.36), (-0.18, -0.17), (-0.01, -0.04), (0.15, 0.12), (0.16, 0.33),
             (0.0, 0.48), (-0.26, 0.45)),
        ),
    ),
    6: (
        (
            ((0.18, -0.48), (-0.05, -0.31), (-0.21, -0.06), (-0.26, 0.22), (-0.14, 0.46), (0.09, 0.48), (0.23, 0.3),
             (0.16, 0.09), (-0.05, 0.08), (-0.22, 0.27)),
        ),
        (
            ((-0.06, -0.5), (-0.17, -0.24), (-0.21, 0.06), (-0.18, 0.33), (-0.02, 0.49), (0.17, 0.43), (0.22, 0.22),
             (0.08, 0.07), (-0.1, 0.16), (-0.17, 0.34)),
        ),
    ),
    7: (
        (
            ((-0.27, -0.42), (0.0, -0.44), (0.27, -0.46)),
            ((0.27, -0.46), (0.14, -0.15), (0.03, 0.17), (-0.05, 0.5)),
        ),
        (
            ((-0.28, -0.3), (-0.24, -0.44), (0.0, -0.44), (0.25, -0.46)),
            ((0.25, -0.46), (0.2, -0.14), (0.06, 0.18), (0.0, 0.5)),
        ),
        (
            ((-0.25, -0.44), (0.02, -0.43), (0.27, -0.48)),
            ((0.27, -0.48), (0.12, -0.16), (0.0, 0.17), (-0.07, 0.5)),
            ((-0.15, 0.02), (0.05, 0.0), (0.25, -0.01)),
        ),
    ),
    8: (
        (
            ((0.2, -0.36), (0.02, -0.5), (-0.17, -0.4), (-0.16, -0.2), (0.02, -0.03), (0.18, 0.16), (0.18, 0.38),
             (0.0, 0.5), (-0.19, 0.38), (-0.17, 0.17), (0.02, -0.03), (0.17, -0.18), (0.2, -0.36)),
        ),
        (
            ((0.22, -0.44), (0.03, -0.5), (-0.17, -0.4), (-0.16, -0.2), (0.02, -0.04), (0.15, 0.14), (0.14, 0.38),
             (-0.03, 0.5), (-0.2, 0.39), (-0.15, 0.17), (0.04, -0.06), (0.21, -0.24), (0.27, -0.42)),
        ),
    ),
    9: (
        (
            ((0.2, -0.28), (0.07, -0.47), (-0.14, -0.44), (-0.24, -0.22), (-0.11, -0.05), (0.09, -0.1), (0.2, -0.28)),
            ((0.2, -0.28), (0.18, 0.0), (0.13, 0.26), (0.08, 0.5)),
        ),
        (
            ((0.2, -0.34), (0.04, -0.5), (-0.16, -0.44), (-0.22, -0.22), (-0.1, -0.06), (0.09, -0.12), (0.2, -0.34),
             (0.22, -0.06), (0.18, 0.22), (0.04, 0.45), (-0.2, 0.46)),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Strokes:
    """All styles as tables, padded to one size; the last axis is the style.

    Attributes
    ----------
    first : (10,) int64 array
        Index of the first style of each class.
    count : (10,) int64 array
        Number of styles of each class.
    controls : (K, 2, styles) float64 array
        Control points; styles with fewer than K repeat their last one.
    index : (4, S, styles) int64 array
        The four control points of each of the S samples along the pen's way.
    weight : (4, S, styles) float64 array
        Their weights, which sum to 1.
    drawn : (S - 1, styles) float64 array
        1 where the pen draws from a sample to the next, 0 where it is lifted between two strokes.
    """

    first: np.ndarray
    count: np.ndarray
    controls: np.ndarray
    index: np.ndarray
    weight: np.ndarray
    drawn: np.ndarray


def spline_weights(f: float) -> tuple[float, float, float, float]:
    """Return the four Catmull-Rom weights at the fraction `f` between the second and the third point."""
    return (
        ((-f + 2.0) * f - 1.0) * f * 0.5,
        ((3.0 * f - 5.0) * f * f + 2.0) * 0.5,
        ((-3.0 * f + 4.0) * f + 1.0) * f * 0.5,
        (f - 1.0) * f * f * 0.5,
    )


def chord_lengths(stroke: Stroke) -> list[float]:
    """Return the distances between neighbouring points.

    Built from correctly rounded operations alone, as is `math.fsum`, with which they are added: the built-in `sum` of
    floats is not the same in all versions of Python.
    """
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(stroke)]
    return [sqrt(dx * dx + dy * dy) for dx, dy in steps]


def sample_stroke(stroke: Stroke, at: float) -> tuple[list[Point], tuple[float, ...]]:
    """Return the four points and weights of the place at the fraction `at` of the stroke's length.

    Length is measured along the chords between the points. Beyond the end of an open stroke the next point is taken as
    the mirror image 2 p₁ - p₂, folded into the weights of p₁ and p₂.
    """
    chords = chord_lengths(stroke)
    left = at * fsum(chords)
    i = 0
    while i < len(chords) - 1 and left > chords[i]:
        left -= chords[i]
        i += 1
    w0, w1, w2, w3 = spline_weights(min(left / chords[i], 1.0))
    last = len(stroke) - 2
    closed = stroke[0] == stroke[-1]
    before, after = stroke[i - 1], stroke[min(i + 2, last + 1)]
    if i == 0 and closed:
        before = stroke[last]
    elif i == 0:
        before, w0, w1, w2 = stroke[0], 0.0, w1 + 2.0 * w0, w2 - w0
    if i == last and closed:
        after = stroke[1]
    elif i == last:
        w1, w2, w3 = w1 - w3, w2 + 2.0 * w3, 0.0
    return [before, stroke[i], stroke[i + 1], after], (w0, w1, w2, w3)


def sample_counts(strokes: tuple[Stroke, ...], samples: int) -> list[int]:
    """Share `samples` among the strokes in proportion to their lengths, at least two for each."""
    lengths = [fsum(chord_lengths(stroke)) for stroke in strokes]
    counts = [max(2, int(samples * length / fsum(lengths))) for length in lengths]
    counts[lengths.index(max(lengths))] += samples - sum(counts)
    return counts


@cache
def tabulate(samples: int) -> Strokes:
    """Return the tables of all styles with `samples` places along the way of the pen."""
    styles = [style for digit in range(10) for style in STYLES[digit]]
    count = np.array([len(STYLES[digit]) for digit in range(10)])
    points = [list(dict.fromkeys(p for stroke in style for p in stroke)) for style in styles]
    most = max(len(p) for p in points)
    controls = np.empty((most, 2, len(styles)))
    index = np.empty((4, samples, len(styles)), np.int64)
    weight = np.empty((4, samples, len(styles)))
    drawn = np.ones((samples - 1, len(styles)))
    for j, style in enumerate(styles):
        controls[:, :, j] = points[j] + [points[j][-1]] * (most - len(points[j]))
        s = 0
        for stroke, m in zip(style, sample_counts(style, samples), strict=True):
            if s > 0:
                drawn[s - 1, j] = 0.0
            for k in range(m):
                four, weights = sample_stroke(stroke, k / (m - 1))
                index[:, s, j] = [points[j].index(p) for p in four]
                weight[:, s, j] = weights
                s += 1
    return Strokes(np.cumsum(count) - count, count, controls, index, weight, drawn)
