"""What every reproduction reports: rows for the README's table, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from npvae import evaluation
from npvae.models import GaussianVAE
from npvae.parameters import Parameters
from npvae.training import evaluate

__all__ = ["active_units", "bound", "row", "thinned", "write"]

DRAWS = 10


def bound(model: GaussianVAE, theta: Parameters, x: NDArray) -> float:
    """−ELBO over the rows of x, nats, with the analytic KL and ten draws a row, the same ones at every call.

    A prior on the weights does not count.
    """
    single = replace(model, bound="elbo", n_samples=DRAWS, weight_precision=0)
    return evaluate(single, theta, x, np.random.default_rng(0), batch_size=500)["loss"]


def active_units(model: GaussianVAE, theta: Parameters, x: NDArray) -> int:
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
    files.write(path, "quality", settings, name=name, rows=rows, results=results)
