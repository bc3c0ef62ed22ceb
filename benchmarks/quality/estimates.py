"""Estimates on many images, block by block, that go on where they were interrupted."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.files import replacing
from npvae.models import Model
from npvae.parameters import Parameters

__all__ = ["BLOCK", "Estimate", "in_blocks", "likelihood"]

BLOCK = 500
"""Images between two notes of what is done."""


class Estimate(NamedTuple):
    """A number per image, and the seconds that they took."""

    values: NDArray
    seconds: float

    @property
    def mean(self) -> float:
        """Over the images."""
        return float(self.values.mean())

    @property
    def standard_error(self) -> float:
        """Of that mean as one over all images that there might be: how much another test set would change it."""
        return float(self.values.std(ddof=1) / sqrt(len(self.values)))


def in_blocks(
    estimate: Callable[[NDArray, np.random.Generator], NDArray], x: NDArray, path: Path, seed: int = 0
) -> Estimate:
    """``estimate(rows, rng)`` for all rows of x; `path` keeps the blocks that are done."""
    values, seconds = np.full(len(x), np.nan), 0.0
    if path.exists():
        with np.load(path) as done:
            values, seconds = done["values"], float(done["seconds"])
    for start in range(0, len(x), BLOCK):
        block = slice(start, start + BLOCK)
        if not np.isnan(values[block]).any():
            continue
        began = perf_counter()
        values[block] = estimate(x[block], np.random.default_rng([seed, start]))
        seconds += perf_counter() - began
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, values=values, seconds=seconds)
        done = min(start + BLOCK, len(x))
        left = seconds / done * (len(x) - done) / 60
        print(
            f"{path.stem}: {done} of {len(x)} images, {values[:done].mean():.2f}, {left:.0f} minutes left", flush=True
        )
    return Estimate(values, seconds)


def likelihood(model: Model, theta: Parameters, x: NDArray, k: int, work: Path, name: str) -> Estimate:
    """−L_k of each row of x, nats: the importance-weighted bound with k samples.

    It is kept in `work` under `name` and the checksum of theta, so that other parameters never meet old numbers.
    """
    from npvae.evaluation import log_likelihood

    path = work / f"{name}-{k}-{len(x)}-{zlib.crc32(theta.flat.tobytes()):08x}.npz"
    return in_blocks(lambda rows, rng: -log_likelihood(model, theta, rows, k=k, rng=rng).log_px, x, path)
