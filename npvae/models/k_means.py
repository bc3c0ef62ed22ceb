"""k-means: where a mixture starts."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import numpy as np
from numpy.typing import NDArray

from npvae.validation import ArgumentError

__all__ = ["k_means", "k_means_plus_plus", "nearest"]

_ELEMENTS = 1 << 18  # numbers of float64 in a block: a few of them stay in the cache


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices that cover n rows, each of about 2¹⁸ numbers if a row makes `width` of them."""
    rows = max(1, _ELEMENTS // width)
    return (slice(start, start + rows) for start in range(0, n, rows))


def k_means_plus_plus(rng: np.random.Generator, x: NDArray, k: int) -> NDArray:
    """Draw k rows of x as centres, with probability proportional to the squared distance from those before.

    Each time 2 + ⌊log k⌋ rows are drawn, and the one is kept that leaves the smallest sum of squared distances.

    Parameters
    ----------
    rng : Generator
    x : (n, d) array
    k : int
        At most the number of different rows.

    Returns
    -------
    (k, d) array of float64
        Different rows of x.

    Raises
    ------
    ArgumentError
        If x has fewer than k different rows.

    References
    ----------
    Arthur & Vassilvitskii, k-means++: the advantages of careful seeding (2007), sections 2.2 and 6.
    """
    trials, centres = 2 + int(log(k)), np.empty((k, x.shape[1]))
    centres[0] = x[rng.integers(len(x))]
    distance = _distance(x, centres[0])
    for i in range(1, k):
        total = np.cumsum(distance)
        if not total[-1] > 0:
            raise ArgumentError("n_components", f"be at most {i}, the number of different rows", k)
        # The last row with a positive weight is the last that may be drawn, whatever the rounding of the sum.
        last = int(np.searchsorted(total, total[-1], side="left"))
        drawn = np.minimum(np.searchsorted(total, rng.random(trials) * total[-1], side="right"), last)
        left = [np.minimum(distance, _distance(x, x[row].astype(np.float64))) for row in drawn]
        best = int(np.argmin([part.sum() for part in left]))
        centres[i], distance = x[drawn[best]], left[best]
    return centres


def _distance(x: NDArray, centre: NDArray) -> NDArray:
    """The squared distance of every row from one centre, (n,)."""
    distance = np.empty(len(x))
    for rows in blocks(len(x), x.shape[1]):
        deviation = x[rows] - centre
        np.einsum("nd,nd->n", deviation, deviation, out=distance[rows])
    return distance


def nearest(x: NDArray, centres: NDArray) -> tuple[NDArray, NDArray]:
    """The index of the nearest centre of every row, (n,), and the squared distance to it, (n,)."""
    index, distance = np.empty(len(x), np.intp), np.empty(len(x))
    shift = centres.mean(axis=0)  # ‖x − c‖² = ‖x‖² − 2 xᵀc + ‖c‖² cancels fewer digits near the origin
    moved = centres - shift
    half_norms = 0.5 * np.einsum("kd,kd->k", moved, moved)
    for rows in blocks(len(x), max(x.shape[1], len(centres))):
        index[rows] = np.argmax((x[rows] - shift) @ moved.T - half_norms, axis=1)
        deviation = x[rows] - centres[index[rows]]
        distance[rows] = np.einsum("nd,nd->n", deviation, deviation)
    return index, distance


def k_means(x: NDArray, centres: NDArray, max_iter: int = 20) -> tuple[NDArray, NDArray]:
    """Lloyd's iteration: rows go to their nearest centre, centres to the mean of their rows, until no row moves.

    A centre that loses all of its rows moves to the row that lies farthest from its own centre.

    Parameters
    ----------
    x : (n, d) array
    centres : (k, d) array
        Where it starts, from `k_means_plus_plus`.
    max_iter : int, default 20

    Returns
    -------
    centres : (k, d) array of float64
    index : (n,) array of int
        The centre of every row.
    """
    k, (index, distance) = len(centres), nearest(x, centres)
    for _ in range(max_iter):
        counts = np.bincount(index, minlength=k)
        for empty in np.flatnonzero(counts == 0):
            far = int(np.argmax(distance))
            counts[index[far]] -= 1
            index[far], distance[far], counts[empty] = empty, 0, 1
        sums = np.stack([np.bincount(index, x[:, j], minlength=k) for j in range(x.shape[1])], axis=1)
        # A row that moved to an emptied centre may have emptied its own: that one stays where it is.
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        before, (index, distance) = index, nearest(x, centres)
        if np.array_equal(index, before):
            break
    return centres, index
