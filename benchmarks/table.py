"""``python -m benchmarks table``: the README's table from the results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

from benchmarks import files
from benchmarks.implementations import IMPLEMENTATIONS
from benchmarks.machine import one_line
from benchmarks.ratios import ratio, spread
from benchmarks.speed import fastest_peer

__all__ = ["BEGIN", "END", "insert", "main", "speed_table", "startup_table"]

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
NOTHING = "–"


def main(argv: list[str]) -> int:
    """Print the table, or put it into a file between its two markers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks table", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--speed", default=files.RESULTS / "speed.json", help="a result of `speed`")
    parser.add_argument("--startup", default=files.RESULTS / "startup.json", help="a result of `startup`")
    parser.add_argument("--insert", type=Path, metavar="FILE", help=f"put it between the lines {BEGIN} and {END}")
    args = parser.parse_args(argv)
    try:
        table = speed_table(files.read(args.speed, "speed"))
        if Path(args.startup).exists():
            table += "\n\n" + startup_table(files.read(args.startup, "startup"))
        if args.insert is None:
            print(table)
        else:
            text = insert(args.insert.read_text(encoding="utf-8"), table)
            args.insert.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    return 0


def speed_table(document: dict) -> str:
    """A row for each workload: npvae's speed, and its ratios to the others with their quartiles."""
    header = ["workload", "ms/step", "images/s", "/ fastest peer", "/ PyTorch", "/ matrix products", "memory / PyTorch"]
    rows = [header]
    for result in document["workloads"].values():
        measured = result["measured"]
        ours = measured["npvae"]
        peer = fastest_peer(result)
        against_peer = f"{_against(measured, peer)} ({IMPLEMENTATIONS[peer].title})" if peer else NOTHING
        rows.append(
            [
                result["title"],
                f"{1000 * median(ours['seconds_per_step']):.2f}",
                f"{ours['images_per_second']:,}",
                against_peer,
                _against(measured, "torch"),
                _against(measured, "products"),
                _memory(measured, "torch"),
            ]
        )
    rounds = document["settings"]["rounds"]
    caption = (
        f"Times of npvae divided by those of the others, below 1 is faster: medians [quartiles] of {rounds} rounds in"
        f" which each ran for about a second in turn. PyTorch is eager with its default Adam; the peers are"
        f" {', '.join(i.title for i in IMPLEMENTATIONS.values() if i.is_peer)}. {one_line(document['machine'])}."
    )
    return f"{markdown(rows)}\n\n{caption}"


def startup_table(document: dict) -> str:
    """A row for each implementation: seconds to the end of the first and last epoch, and npvae's share of them."""
    epochs = document["epochs"]
    n_epochs = document["settings"]["epochs"]
    rows = [["process start to the end of", "1 epoch, s", f"{n_epochs} epochs, s", "npvae / it (1 epoch)", "loss"]]
    for name, times in epochs.items():
        against = ratio(epochs["npvae"]["first"], times["first"])
        seconds = [f"{median(times[end]):.1f}" for end in ("first", "last")]
        loss = f"{median(times['loss']):.2f}"
        rows.append([IMPLEMENTATIONS[name].title, *seconds, NOTHING if name == "npvae" else str(against), loss])
    imports = document["import_seconds"]
    over = spread([1000 * (t - n) for t, n in zip(imports["npvae"], imports["numpy"], strict=True)])
    sizes = "; ".join(
        f"{name} {size['with_requirements']:,.0f} MB" for name, size in document["installed_mb"].items() if size
    )
    return (
        f"{markdown(rows)}\n\nThe loss is the mean of the last epoch, nats. `import npvae` takes {over.median:.0f} ms"
        f" over NumPy's own {1000 * median(imports['numpy']):.0f} ms. Installed with all that is required: {sizes}."
    )


def markdown(rows: list[list[str]]) -> str:
    """Rows of cells as a table; the first row is the header, and all columns but the first are aligned right."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def insert(text: str, table: str) -> str:
    """`text` with `table` between the markers.

    Raises
    ------
    ValueError
        If the markers are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the text must have the lines {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _against(measured: dict, other: str) -> str:
    if other not in measured:
        return NOTHING
    return str(ratio(measured["npvae"]["seconds_per_step"], measured[other]["seconds_per_step"]))


def _memory(measured: dict, other: str) -> str:
    theirs = measured.get(other, {}).get("peak_mb")
    ours = measured["npvae"]["peak_mb"]
    return f"{ours / theirs:.2f}" if ours and theirs else NOTHING
