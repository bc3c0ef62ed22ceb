"""Pen strokes of the ten digits: the points that a pen passes through, and the curve between them.

A *style* of a digit is a tuple of strokes, a stroke a tuple of (x, y) points in units of the digit's height: the
origin is the middle of the digit, x points right, y down, and the digit reaches from y = -1/2 to 1/2. Points with the
same coordinates are one control point, so that strokes that meet stay together when the point moves; a stroke that ends
where it began is a closed curve, without a corner there.

The pen moves along a Catmull-Rom spline: between p₁ and p₂, with f in [0, 1],

    p(f) = ½ [(-f + 2f² - f³) p₀ + (2 - 5f² + 3f³) p₁ + (f + 4f² - 3f³) p₂ + (-f² + f³) p₃],

linear in the control points: a table of four indices and weights per sample describes the curve whatever its points do.
"""

from functools import cache
from itertools import pairwise
from math import fsum, sqrt
from typing import NamedTuple

import numpy as np

Point = tuple[float, float]
Stroke = tuple[Point, ...]

# A line per style: the digit, and the points x,y of its strokes in hundredths of its height.
_TABLE = """\
0: 3,-50 -19,-38 -31,-5 -25,32 -2,50 22,36 31,0 24,-35 3,-50
0: 16,-42 -6,-48 -24,-25 -29,12 -16,44 8,47 27,20 28,-16 14,-42 -7,-50
1: 0,-50 0,-17 0,17 0,50
1: -17,-27 -6,-38 3,-50 / 3,-50 3,-17 3,17 3,50
1: -15,-32 0,-50 / 0,-50 0,-17 0,17 0,49 / -22,50 0,49 22,47
2: -27,-28 -13,-46 10,-48 23,-28 14,0 -8,25 -29,45 / -29,45 -8,44 12,46 32,46
2: -24,-34 -6,-50 14,-43 18,-18 6,12 -14,38 -29,46 -33,33 -20,25 -2,36 15,48 34,40
3: -24,-40 -4,-50 17,-42 17,-20 -6,-5 / -6,-5 18,6 25,28 8,47 -13,48 -30,36
3: -25,-46 -2,-47 22,-48 / 22,-48 10,-30 -5,-10 / -5,-10 17,-3 26,19 14,42 -8,50 -28,40
3: -26,-36 -8,-50 14,-44 16,-22 0,-6 -10,0 -6,-10 12,-1 23,20 12,44 -10,50 -27,36
4: -20,-46 -26,-22 -27,4 / -27,4 0,5 30,0 / 22,-50 18,-18 15,16 13,50
4: 13,-50 -8,-20 -31,13 / -31,13 0,12 33,10 / 13,-50 12,-17 11,17 10,50
4: -22,-42 -29,-18 -22,2 -2,4 16,-10 23,-30 / 26,-50 22,-16 17,18 13,50
5: 27,-48 5,-48 -17,-46 / -17,-46 -20,-28 -22,-8 / -22,-8 3,-13 22,4 22,30 2,48 -26,41
5: 30,-50 5,-46 -14,-36 -18,-17 -1,-4 15,12 16,33 0,48 -26,45
6: 18,-48 -5,-31 -21,-6 -26,22 -14,46 9,48 23,30 16,9 -5,8 -22,27
6: -6,-50 -17,-24 -21,6 -18,33 -2,49 17,43 22,22 8,7 -10,16 -17,34
7: -27,-42 0,-44 27,-46 / 27,-46 14,-15 3,17 -5,50
7: -28,-30 -24,-44 0,-44 25,-46 / 25,-46 20,-14 6,18 0,50
7: -25,-44 2,-43 27,-48 / 27,-48 12,-16 0,17 -7,50 / -15,2 5,0 25,-1
8: 20,-36 2,-50 -17,-40 -16,-20 2,-3 18,16 18,38 0,50 -19,38 -17,17 2,-3 17,-18 20,-36
8: 22,-44 3,-50 -17,-40 -16,-20 2,-4 15,14 14,38 -3,50 -20,39 -15,17 4,-6 21,-24 27,-42
9: 20,-28 7,-47 -14,-44 -24,-22 -11,-5 9,-10 20,-28 / 20,-28 18,0 13,26 8,50
9: 20,-34 4,-50 -16,-44 -22,-22 -10,-6 9,-12 20,-34 22,-6 18,22 4,45 -20,46"""


def _parse(table: str) -> dict[int, list[tuple[Stroke, ...]]]:
    styles: dict[int, list[tuple[Stroke, ...]]] = {digit: [] for digit in range(10)}
    for line in table.splitlines():
        digit, _, strokes = line.partition(": ")
        points = ([point.split(",") for point in stroke.split()] for stroke in strokes.split(" / "))
        styles[int(digit)].append(tuple(tuple((int(x) / 100, int(y) / 100) for x, y in stroke) for stroke in points))
    return styles


STYLES = _parse(_TABLE)
"""The styles of each digit."""


class Strokes(NamedTuple):
    """All styles as tables, padded to one size; the last axis is the style.

    Attributes
    ----------
    first, count : (10,) int64 arrays
        Index of the first style of each class, and the number of its styles.
    controls : (K, 2, styles) float64 array
        Control points; styles with fewer than K repeat their last one.
    index, weight : (4, S, styles) int64 and float64 arrays
        The four control points of each of the S samples along the pen's way, and their weights, which sum to 1.
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

    Built from correctly rounded operations alone, as is `fsum`, which adds them: `sum` differs by version of Python.
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
