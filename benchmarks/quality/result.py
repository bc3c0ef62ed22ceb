"""What every reproduction reports: rows for the README's table, and the numbers behind them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from npvae.models import GaussianVAE
from npvae.parameters import Parameters
from npvae.training import evaluate

__all__ = ["bound_and_units", "row", "write"]

ACTIVE = 0.01
"""Variance of the posterior mean over the data above which a latent unit is active."""

DRAWS = 10


def bound_and_units(model: GaussianVAE, theta: Parameters, x: NDArray) -> tuple[float, int]:
    """−ELBO over the rows of x, nats, with ten draws a row and the analytic KL; and the number of active latents."""
    single = replace(model, bound="elbo", n_samples=DRAWS)
    negative_elbo = evaluate(single, theta, x, np.random.default_rng(0), batch_size=500)["loss"]
    mu = model.encode(theta, x)[:, : model.latent_dim]
    return negative_elbo, int((mu.var(axis=0) > ACTIVE).sum())


def row(
    model: str, data: str, estimate: str, value: float, error: float, published: str, notes: str, seconds: float
) -> dict[str, Any]:
    """A row of the README's table, as `benchmarks.quality.table` reads it; nats, `seconds` without pauses."""
    return {
        "model": model,
        "data": data,
        "estimate": estimate,
        "value": round(value, 3),
        "error": round(error, 3),
        "published": published,
        "notes": notes,
        "seconds": round(seconds, 1),
    }


def write(path: Path | None, name: str, settings: dict, rows: list[dict], results: dict) -> None:
    """Print the rows and write the result."""
    for found in rows:
        print(", ".join(f"{key}: {value}" for key, value in found.items()))
    files.write(path, "quality", settings, name=name, rows=rows, results=results)
