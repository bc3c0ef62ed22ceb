"""How many processes take part in a training."""

from __future__ import annotations

import os
from numbers import Integral

from npvae.validation import ArgumentError


def number_of_jobs(n_jobs: int | None) -> int:
    """The number of processes that `n_jobs` means: None is 1, −1 as many as there are cores, −2 one less, and so on."""
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool):
        raise TypeError(f"n_jobs must be an integer or None, got {n_jobs!r}")
    if n_jobs == 0:
        raise ArgumentError("n_jobs", "be a positive number of processes, or -1 for all cores", n_jobs)
    return int(n_jobs) if n_jobs > 0 else max(1, cores() + 1 + int(n_jobs))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
