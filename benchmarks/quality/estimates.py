"""Likelihoods of many images, block by block, that go on where they were interrupted."""

from __future__ import annotations

import zlib
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.evaluation import log_likelihood
from npvae.evaluation.autoencoder import AutoEncoder
from npvae.files import replacing
from npvae.parameters import Parameters

__all__ = ["BLOCK", "Estimate", "likelihood"]

BLOCK = 500
"""Images between two notes of what is done."""

SEED = 0
"""Of the draws."""


class Estimate(NamedTuple):
    """What k draws say of each image, (n,) arrays, nats; and the seconds that they took, pauses not counted."""

    nll: NDArray
    negative_elbo: NDArray
    effective_samples: NDArray
    seconds: float

    @property
    def mean(self) -> float:
        """The mean −L_k of the images."""
        return float(self.nll.mean())

    @property
    def standard_error(self) -> float:
        """Of the mean, as one over all images that there might be: how much another test set would change it."""
        return float(self.nll.std(ddof=1) / len(self.nll) ** 0.5)

    def summary(self) -> dict[str, float]:
        """The means for a result."""
        return {
            "nll": self.mean,
            "nll_standard_error": self.standard_error,
            "negative_elbo": float(self.negative_elbo.mean()),
            "median_effective_samples": float(np.median(self.effective_samples)),
            "images": len(self.nll),
            "seconds": round(self.seconds, 1),
        }


def likelihood(model: AutoEncoder, theta: Parameters, x: NDArray, k: int, work: Path, name: str) -> Estimate:
    """−L_k of each row of x, the importance-weighted bound with k draws, and −ELBO from the same draws.

    Each block has a generator of its own, so an estimate that was interrupted ends with the same numbers. The blocks
    that are done lie in `work` under `name` and the checksum of theta: other parameters never meet old numbers.
    """
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}-{k}-{len(x)}-{zlib.crc32(theta.flat.tobytes()):08x}.npz"
    values, seconds = np.full((len(x), 3), np.nan), 0.0
    if path.exists():
        with np.load(path) as kept:
            values, seconds = kept["values"], float(kept["seconds"])
    for start in range(0, len(x), BLOCK):
        block = slice(start, start + BLOCK)
        if not np.isnan(values[block]).any():
            continue
        began = perf_counter()
        found = log_likelihood(model, theta, x[block], np.random.default_rng([SEED, start]), k)
        values[block] = np.stack([-found.log_px, -found.elbo, found.effective_samples], axis=1)
        seconds += perf_counter() - began
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, values=values, seconds=seconds)
        done = min(start + BLOCK, len(x))
        left = seconds / done * (len(x) - done) / 60
        print(f"{name}: {done} of {len(x)} images, {values[:done, 0].mean():.2f}, {left:.0f} minutes left", flush=True)
    return Estimate(*values.T, seconds)
