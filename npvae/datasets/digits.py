"""Embedded digits: handwriting drawn from pen strokes whose generating factors are known.

A digit is born as control points of a style (`npvae.datasets.strokes`). They are scaled, displaced by a smooth random
field (the wobble of the hand), slanted, rotated and shifted; a pen with a soft edge follows the curve between them.

Every step is made of operations that IEEE 754 rounds correctly (+, -, ·, /, √), of comparisons and of integers, and the
randomness is the raw stream of PCG64, whose bits NumPy guarantees: the same seed gives the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npvae.datasets.dataset import Dataset
from npvae.datasets.strokes import Strokes, tabulate
from npvae.validation import integer

SIDE = 28
"""Height and width of an image in pixels."""

RANGES: dict[str, tuple[float, float]] = {
    "slant": (-0.25, 0.55),
    "thickness": (1.6, 3.8),
    "size": (14.5, 18.0),
    "aspect": (0.75, 1.4),
    "rotation": (-0.2, 0.2),
    "shift_x": (-1.2, 1.2),
    "shift_y": (-1.2, 1.2),
    "wobble": (0.2, 1.7),
}
"""Range of each continuous factor: a scaled sum of two uniform draws, so triangular with its mode in the middle."""

_SAMPLES = 88  # places along the pen's way, less than 0.8 pixels apart
_CHUNK = 256  # images drawn at once: their distances stay in the cache
_EDGE = 1.3  # width in pixels over which the ink fades
_FIELD = 10  # random coefficients of the wobble's field
_FACTOR_DRAWS = 2 + 2 * len(RANGES)


def digits(n: int = 10_000, seed: int = 0, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Draw `n` handwritten-looking digits with known factors, from a non-negative `seed`.

    The same seed gives the same bits on every machine, and the first images of a longer set are those of a shorter one.
    `progress` is called now and then with how many are drawn, and how many there will be.

    Returns
    -------
    Dataset
        `x` (n, 784) float32 in [0, 1], multiples of 1/255, ink is 1; `labels` (n,) int64; `image_shape` (28, 28);
        `factors`, arrays of shape (n,), int64 for the first two and float64 for all others:

        ========= =========================================================================
        class     the digit, 0 to 9, each with probability 1/10
        style     way of writing it, 0 up to 1 or 2 (open or closed 4, barred 7, ...)
        slant     pixels to the right per pixel upwards, -0.25 to 0.55
        thickness width of the stroke at half of the full ink, 1.6 to 3.8 pixels
        size      height of the undisturbed digit along the pen's way, 14.5 to 18 pixels
        aspect    width relative to that of the style, 0.75 to 1.4
        rotation  angle, clockwise as one looks at the picture, -0.2 to 0.2 radians
        shift_x   centre of the pen's way right of the image's centre, -1.2 to 1.2 pixels
        shift_y   the same, downwards
        wobble    scale of the smooth displacement of the control points, 0.2 to 1.7 pixels
        ========= =========================================================================

    Raises
    ------
    TypeError, ValueError
        If `n` is no positive integer or `seed` no non-negative one.

    Examples
    --------
    >>> data = digits(5, seed=0)
    >>> data.x.shape, data.image_shape, sorted(data.factors)[:3]
    ((5, 784), (28, 28), ['aspect', 'class', 'rotation'])
    """
    n, seed = integer("n", n, at_least=1), integer("seed", seed, at_least=0)
    stream = np.random.PCG64(seed)
    strokes = tabulate(_SAMPLES)
    draws = _FACTOR_DRAWS + _FIELD + 2 * (len(strokes.controls) + 2)
    x = np.empty((n, SIDE * SIDE), np.float32)
    parts = []
    for start in range(0, n, _CHUNK):
        m = min(_CHUNK, n - start)
        u = _uniform(stream, draws, m)
        factors = _factors(u, strokes)
        x[start : start + m] = _draw(_pen_way(factors, strokes, u[_FACTOR_DRAWS:]), factors["thickness"])
        parts.append(factors)
        if progress is not None:
            progress(start + m, n)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Dataset(x, columns["class"].copy(), (SIDE, SIDE), columns, "embedded digits")


def _uniform(stream: np.random.PCG64, draws: int, m: int) -> np.ndarray:
    """Return (draws, m) doubles in [0, 1), a column per image, from the upper 53 bits of the raw stream."""
    raw = stream.random_raw(m * draws).reshape(m, draws)
    return np.ascontiguousarray((raw >> np.uint64(11)).T) * 2.0**-53


def _factors(u: np.ndarray, strokes: Strokes) -> dict[str, np.ndarray]:
    """Turn the first rows of `u` into the factors of each image."""
    label = (u[0] * 10.0).astype(np.int64)
    factors = {"class": label, "style": (u[1] * strokes.count[label]).astype(np.int64)}
    for i, (name, (low, high)) in enumerate(RANGES.items()):
        factors[name] = low + (high - low) * 0.5 * (u[2 + 2 * i] + u[3 + 2 * i])
    return factors


def _pen_way(factors: dict[str, np.ndarray], strokes: Strokes, u: np.ndarray) -> np.ndarray:
    """Return the places of the pen, (2, S, m) float64: x and y in pixels from the image's upper left corner."""
    style = strokes.first[factors["class"]] + factors["style"]
    controls = strokes.controls[:, :, style]
    dx, dy = _wobble(controls, 2.0 * u - 1.0)
    size, wobble = factors["size"], factors["wobble"]
    x = controls[:, 0] * (size * factors["aspect"]) + wobble * dx
    y = controls[:, 1] * size + wobble * dy
    x = x - factors["slant"] * y
    sin, cos = _sin_cos(factors["rotation"])
    controls_x, controls_y = cos * x - sin * y, sin * x + cos * y

    index, weight = strokes.index[:, :, style], strokes.weight[:, :, style]
    images = np.arange(len(style))
    way = np.zeros((2, _SAMPLES, len(style)))
    for k in range(4):
        way[0] += weight[k] * controls_x[index[k], images]
        way[1] += weight[k] * controls_y[index[k], images]
    means = _centre(way, strokes.drawn[:, style])
    for axis, mean, shift in zip(way, means, (factors["shift_x"], factors["shift_y"]), strict=True):
        axis += SIDE / 2 + shift - mean
    return way


def _wobble(controls: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the displacement (dx, dy), each (K, m), of the control points, of the order of 1, from noise in [-1, 1).

    A random combination of quadratic and some cubic terms of the place, which bends the digit as a whole, and a smaller
    offset of each control point, smooth along the pen's way: noise filtered by (¼, ½, ¼). The cube is freed of
    its linear part, which is for slant and size to set.
    """
    a, b = 2.0 * controls[:, 0], 2.0 * controls[:, 1]
    terms = (a * b, b * b, a * a, b * (b * b - 0.6), a * b * b)
    dx, dy = (0.3 * (offset[:-2] + 2.0 * offset[1:-1] + offset[2:]) for offset in np.split(noise[_FIELD:], 2))
    for i, term in enumerate(terms):
        dx += 1.5 * noise[2 * i] * term
        dy += 1.5 * noise[2 * i + 1] * term
    return dx, dy


def _sin_cos(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sine and cosine by their Taylor series, exact to 1e-9 for angles up to 0.25."""
    square = angle * angle
    sin = angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    cos = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0))
    return sin, cos


def _centre(way: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean x and y, each (m,), of the pen's way, weighted by length and without the lifts of the pen."""
    step = way[:, 1:] - way[:, :-1]
    middle = 0.5 * (way[:, 1:] + way[:, :-1])
    length = drawn * np.sqrt(step[0] * step[0] + step[1] * step[1])
    total = _sum(length)
    return _sum(length * middle[0]) / total, _sum(length * middle[1]) / total


def _sum(terms: np.ndarray) -> np.ndarray:
    """Return the sum over the first axis, in a fixed order (`np.sum` may choose its own)."""
    total = terms[0].copy()
    for term in terms[1:]:
        total += term
    return total


def _draw(way: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """Return the images (m, 784) float32: ink by the distance d of a pixel's centre from the pen's way.

    ink = clip(½ + (thickness/2 - d)/edge, 0, 1), rounded to a multiple of 1/255. The squared distance to a place of the
    pen is a sum of a part of the column and a part of the row; the smallest over all places is what counts.
    """
    m = way.shape[2]
    centres = np.arange(SIDE, dtype=np.float32)[:, None] + np.float32(0.5)
    columns, rows = (axis.astype(np.float32)[:, None, :] - centres for axis in way)
    columns *= columns
    rows *= rows
    nearest = np.full((SIDE, SIDE, m), 2 * SIDE * SIDE, np.float32)
    squared = np.empty_like(nearest)
    for column, row in zip(columns, rows, strict=True):
        np.add(row[:, None, :], column[None, :, :], out=squared)
        np.minimum(nearest, squared, out=nearest)
    np.sqrt(nearest, out=nearest)
    full = (thickness * 0.5 + _EDGE * 0.5).astype(np.float32)
    np.subtract(full, nearest, out=nearest)
    nearest *= np.float32(255 / _EDGE)
    np.clip(nearest, 0, 255, out=nearest)
    grey = np.rint(nearest, out=nearest)
    return np.ascontiguousarray(grey.reshape(SIDE * SIDE, m).T) / np.float32(255)
