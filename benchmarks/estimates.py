"""What a trained model is worth: likelihoods that go on where they were interrupted, and rows of the table."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from npvae import evaluation
from npvae.evaluation import LogLikelihood, log_likelihood
from npvae.evaluation.processes import over_blocks
from npvae.files import replacing
from npvae.models import VAE, LatentVariableModel
from npvae.parameters import Parameters

__all__ = ["BLOCK", "Estimate", "active_units", "bound", "likelihood", "row", "thinned", "write"]

BLOCK = 500
"""Images between two notes of what is done."""

SEED = 0
"""Seed of the draws."""

DRAWS = 10
"""Draws of z for each image in `bound`."""


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
        """How much another test set would change the mean."""
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


def likelihood(
    model: LatentVariableModel, theta: Parameters, x: NDArray, k: int, work: Path, name: str, jobs: int = 1
) -> Estimate:
    """−L_k of each row of x, the importance-weighted bound with k draws, and −ELBO from the same draws.

    A row's draws are its own, so an estimate that was interrupted ends with the same numbers, and so does one by
    several `jobs`, processes that share the blocks. The blocks that are done lie in `work` under `name` and the
    checksum of theta: other parameters never meet old numbers.
    """
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}-{k}-{len(x)}-{zlib.crc32(theta.flat.tobytes()):08x}.npz"
    values, seconds = np.full((len(x), 3), np.nan), 0.0
    if path.exists():
        with np.load(path) as kept:
            values, seconds = kept["values"], float(kept["seconds"])
    blocks = [slice(start, start + BLOCK) for start in range(0, len(x), BLOCK)]
    blocks = [block for block in blocks if np.isnan(values[block]).any()]
    began = perf_counter()
    of_rows = over_blocks(partial(_of_rows, model, theta, k), [x[block] for block in blocks], jobs)
    for block, found in zip(blocks, of_rows, strict=True):
        values[block] = np.stack([-found.log_px, -found.elbo, found.effective_samples], axis=1)
        now = perf_counter()
        seconds, began = seconds + now - began, now
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, values=values, seconds=seconds)
        done = min(block.stop, len(x))
        left = seconds / done * (len(x) - done) / 60
        print(f"{name}: {done} of {len(x)} images, {values[:done, 0].mean():.2f}, {left:.0f} minutes left", flush=True)
    return Estimate(*values.T, seconds)


def _of_rows(model: LatentVariableModel, theta: Parameters, k: int, x: NDArray) -> LogLikelihood:
    return log_likelihood(model, theta, x, SEED, k)


def bound(model: VAE, theta: Parameters, x: NDArray) -> float:
    """−ELBO over the rows of x, nats, with the analytic KL and ten draws a row, the same ones at every call.

    A prior on the weights does not count.
    """
    terms = evaluation.elbo_terms(model, theta, x, seed=0, n_samples=DRAWS)
    return float((terms["reconstruction"] + terms["kl"]).mean(dtype=np.float64))


def active_units(model: VAE, theta: Parameters, x: NDArray) -> int:
    """How many latents have a posterior mean whose variance over the rows of x exceeds 0.01."""
    return int(evaluation.active_units(evaluation.activity(model, theta, x)).sum())


def thinned(history: Mapping[str, list[float]], most: int = 100) -> dict[str, list[float]]:
    """At most `most` rows of a history, evenly, the last one among them, to three decimals."""
    n = len(next(iter(history.values())))
    step = -(-n // most)
    return {name: [round(value, 3) for value in column[(n - 1) % step :: step]] for name, column in history.items()}


def row(model: str, data: str, estimate: str, here: str, published: str, notes: str, seconds: float) -> dict[str, Any]:
    """A row of the README's table, as `benchmarks.table` reads it; nats, `seconds` without pauses."""
    told = {"model": model, "data": data, "estimate": estimate, "here": here, "published": published, "notes": notes}
    return told | {"seconds": round(seconds, 1)}


def write(path: Path | None, name: str, settings: dict, rows: list[dict], results: dict) -> None:
    """Print the rows and write the result."""
    for found in rows:
        print(", ".join(f"{key}: {value}" for key, value in found.items()))
    files.write(path, "published", settings, name=name, rows=rows, results=results)
