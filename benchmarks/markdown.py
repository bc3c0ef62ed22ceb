"""Tables in Markdown."""

from __future__ import annotations

__all__ = ["markdown"]


def markdown(rows: list[list[str]]) -> str:
    """Rows of cells as a table; the first row is the header, and all columns but the first are aligned right."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])
