"""Results on disk."""

from __future__ import annotations

import json
import re
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

__all__ = ["RESULTS", "count", "read", "result_file", "write"]

RESULTS = Path(__file__).parent / "results"
"""Where the published results lie."""


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
