"""What a result was measured on: processor, versions, threads. Nothing that names the machine itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version

import numpy as np

import npvae

__all__ = ["describe", "one_line"]

PACKAGES = ("numpy", "torch", "jax", "jaxlib", "optax", "scikit-learn")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def describe() -> dict:
    """The machine and the software, ready for JSON. `threads` holds the variables that limit them, where set."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "blas": f"{blas['name']} {blas['version']}",
        "threads": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "versions": {"npvae": npvae.__version__, **_versions()},
    }


def one_line(machine: Mapping) -> str:
    """The description as a sentence for a caption."""
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if name != "npvae")
    return (
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores; Python {machine['python']}, {versions}"
    )


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """The model name as Linux tells it, else what Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            names = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
