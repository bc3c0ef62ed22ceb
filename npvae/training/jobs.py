"""How many processes take part in a training."""

from __future__ import annotations

import os
import sys
from math import prod
from numbers import Integral

import numpy as np

from npvae.models import Model
from npvae.validation import ArgumentError, ArgumentTypeError

WORTH_WORKERS = 2e11
"""Operations of a training from which on workers pay: one core does as many in five to ten seconds, and the workers
take about half a second to start."""


def number_of_jobs(n_jobs: int | None) -> int:
    """The number of processes that `n_jobs` means: None is 1, −1 as many as there are cores, −2 one less, and so on."""
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool):
        raise ArgumentTypeError("n_jobs", "be an integer or None", repr(n_jobs))
    if n_jobs == 0:
        raise ArgumentError("n_jobs", "be a positive number of processes, or -1 for all cores", n_jobs)
    return int(n_jobs) if n_jobs > 0 else max(1, cores() + 1 + int(n_jobs))


def fastest_jobs(model: Model, n_rows: int, epochs: int) -> int:
    """The number of processes with which a training is fastest: all cores, or 1 where it is short or cannot be shared.

    Where the model does not tell its `operations`, a step costs about six a weight and row: two each for the forward
    pass and for either gradient of the backward pass.
    """
    a_row = getattr(model, "operations", 6 * sum(map(prod, model.shapes.values())))
    hands_on = hasattr(model, "begin_state") and bool(model.begin_state(np.random.default_rng(0)))
    shared = getattr(model, "mean_over_rows", True) and not hands_on and sys.platform != "win32"
    return cores() if shared and a_row * n_rows * epochs >= WORTH_WORKERS else 1


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
