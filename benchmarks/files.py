"""Results on disk, the machine that they were measured on, and tables in Markdown."""

from __future__ import annotations

import json
import os
import platform
import re
from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import npvae

__all__ = ["RESULTS", "THREAD_VARIABLES", "count", "describe", "markdown", "one_line", "read", "result_file", "write"]

RESULTS = Path(__file__).parent / "results"
"""Where the published results lie."""

PACKAGES = ("numpy", "torch", "jax", "jaxlib", "optax", "scikit-learn")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def write(path: Path | None, command: str, settings: dict, **results: Any) -> None:
    """Write a result with the machine it was measured on; without a path, nothing."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"command": command, "machine": describe(), "settings": settings, **results}
    text = re.sub(r"\[[^][{}]*\]", _on_one_line, json.dumps(document, indent=1, ensure_ascii=False))
    path.write_text(text + "\n", encoding="utf-8")
    print(f"written to {path}")


def _on_one_line(array: re.Match) -> str:
    return " ".join(array[0].split())


def read(path: str | Path, command: str) -> dict:
    """A result that `command` wrote.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{path} must be JSON that `python -m benchmarks {command}` wrote") from None
    if not isinstance(document, dict) or document.get("command") != command:
        raise ValueError(f"{path} must be a result of `python -m benchmarks {command}`")
    return document


def count(text: str) -> int:
    """For argparse: an integer that is at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be an integer of at least 1, got {text}")
    return int(text)


def result_file(name: str) -> Path:
    """For argparse: a path that ends in .json."""
    if not name.endswith(".json"):
        raise ArgumentTypeError(f"must end in .json, got {name}")
    return Path(name)


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


def markdown(rows: list[list[str]], right: bool = True) -> str:
    """Rows of cells as a table; the first row is the header, all columns but the first are aligned right, or left."""
    rule = ["---", *["---:" if right else "---"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])
