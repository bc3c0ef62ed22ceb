"""Tables of what a density is good for: compression, its rounding, restoring."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.files import markdown, one_line

__all__ = ["WAYS", "compression_table", "restoration_table", "rounding_table"]

NOTHING = "–"

WAYS = ("posterior mean", "most probable", "denoising", "total variation", "Wiener", "pseudo-inverse")
"""To restore an image."""


def compression_table(documents: Mapping[str, dict]) -> str:
    """Bits a pixel by every way, a column for each kind of images; what was published in brackets."""
    found = {kind: document["results"] for kind, document in documents.items()}
    rows = [["bits a pixel", *(f"{kind}, {results['images']:,} images" for kind, results in found.items())]]
    for label, name in (("bits-back coding, the whole file", "bits_back"), ("the model's −ELBO", "negative_elbo")):
        rows.append([label, *(f"{results[name]:.4f}" for results in found.values())])
    rows.append(["published", *(document["rows"][0]["published"] for document in documents.values())])
    for method in next(iter(found.values()))["formats"]:
        rows.append([method, *(f"{results['formats'][method]:.4f}" for results in found.values())])
    for way in ("compress", "decompress"):
        rows.append([f"images a second, {way}", *(f"{r['images_a_second'][way]:,.0f}" for r in found.values())])
    models = "; ".join(f"{kind}: {_model(document)}" for kind, document in documents.items())
    machine = next(iter(documents.values()))["machine"]
    return f"{markdown(rows)}\n\n{models}. Images a second are of one thread's processor time. {one_line(machine)}."


def _model(document: dict) -> str:
    row, results = document["rows"][0], document["results"]
    epochs = sum(leg["epochs"] for leg in document["settings"]["legs"])
    return f"{row['model']}, {epochs} epochs, {results['training_seconds'] / 60:.0f} minutes by the clock"


def rounding_table(document: dict) -> str:
    """A row for each kernel and kind: how many numbers differ, and how many still do when they are rounded."""
    header = ["model", "kernel", "numbers that differ", "by at most", "after rounding", "expected in a million images"]
    rows = [[*header, "expected without rounding", "file"]]
    first = document["rows"][0]["setting"]
    for row in document["rows"]:
        if row["setting"] == first:
            continue
        expected = [f"{row[name]:.1g}" if row[name] else "0" for name in ("expected", "expected_unrounded")]
        largest = f"{row['largest']:.0e}" if row["largest"] else "0"
        counts = [f"{row['numbers_apart']:.0%}", largest, str(row["disagreements"])]
        rows.append([row["kind"], row["setting"], *counts, *expected, "the same" if row["same_file"] else "another"])
    n = document["settings"]["images"]
    return f"{markdown(rows)}\n\nAgainst {first}; {n:,} embedded digits. {one_line(document['machine'])}."


def restoration_table(document: dict) -> str:
    """A row for each operator, a column for each way to restore; decibels."""
    rows = [["operator", "noise", *WAYS]]
    for row in document["rows"]:
        rows.append([row["operator"], f"{row['noise']:g}", *(f"{row[w]:.2f}" if w in row else NOTHING for w in WAYS)])
    settings = document["settings"]
    apart = ", ".join(f"{row['operator']} {row['disagree']}" for row in document["rows"])
    caption = (
        f"{settings['images']} test digits. The chains disagree in so many of them: {apart}."
        f" {one_line(document['machine'])}."
    )
    return f"{markdown(rows)}\n\n{caption}"
