"""The README's table of reproductions."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.machine import one_line
from benchmarks.markdown import markdown

__all__ = ["quality_table"]


def quality_table(documents: Iterable[dict]) -> str:
    """A row for each figure: what was found here, what was published, and how long it took."""
    rows = [["model", "data", "estimate, nats", "here", "published", "notes", "minutes"]]
    machines = []
    for document in documents:
        for row in document["rows"]:
            told = [row[name] for name in ("model", "data", "estimate", "here", "published", "notes")]
            rows.append([*told, f"{row['seconds'] / 60:.0f}"])
        machine = f"{one_line(document['machine'])}, {_threads(document['machine'])}"
        if machine not in machines:
            machines.append(machine)
    return f"{markdown(rows)}\n\nMinutes are of training and estimate, pauses not counted. {'; '.join(machines)}."


def _threads(machine: dict) -> str:
    found = sorted(set(machine["threads"].values()))
    return f"{' or '.join(found)} BLAS thread{'s' * (found != ['1'])}" if found else "BLAS threads as it chooses"
