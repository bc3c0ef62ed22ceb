"""Shuffled minibatches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["minibatches"]


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray]:
    """Visit the rows 0 … n − 1 once, in random order, `batch_size` at a time.

    The last batch holds what is left and may be smaller; no row is dropped.

    Yields
    ------
    (m,) array of int, m ≤ batch_size
    """
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
