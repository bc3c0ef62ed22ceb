"""``python -m benchmarks table``: the README's table from the results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

from benchmarks import files
from benchmarks.implementations import IMPLEMENTATIONS
from benchmarks.machine import one_line
from benchmarks.markdown import markdown
from benchmarks.quality.table import quality_table
from benchmarks.ratios import ratio, spread
from benchmarks.speed import BUSY, fastest_peer

__all__ = ["BEGIN", "END", "checker_table", "insert", "main", "quality_table", "speed_table", "startup_table"]

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
QUALITY_BEGIN, QUALITY_END = "<!-- quality: begin -->", "<!-- quality: end -->"
CHECKER_BEGIN, CHECKER_END = "<!-- checker: begin -->", "<!-- checker: end -->"
NOTHING = "–"


def main(argv: list[str]) -> int:
    """Print the tables, or put each into a file between its two markers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks table", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--speed", default=files.RESULTS / "speed.json", help="a result of `speed`")
    parser.add_argument("--startup", default=files.RESULTS / "startup.json", help="a result of `startup`")
    parser.add_argument("--checker", default=files.RESULTS / "gradcheck.json", help="a result of `gradcheck`")
    parser.add_argument(
        "--quality", nargs="*", help="results of `quality`", default=sorted(files.RESULTS.glob("quality-*.json"))
    )
    parser.add_argument("--insert", type=Path, metavar="FILE", help=f"put them between the lines {BEGIN}, …")
    args = parser.parse_args(argv)
    try:
        tables = {(BEGIN, END): speed_table(files.read(args.speed, "speed"))} if Path(args.speed).exists() else {}
        if tables and Path(args.startup).exists():
            tables[BEGIN, END] += "\n\n" + startup_table(files.read(args.startup, "startup"))
        if Path(args.checker).exists():
            tables[CHECKER_BEGIN, CHECKER_END] = checker_table(files.read(args.checker, "gradcheck"))
        if args.quality:
            tables[QUALITY_BEGIN, QUALITY_END] = quality_table([files.read(path, "quality") for path in args.quality])
        if not tables:
            raise ValueError(f"there is no result: neither {args.speed} nor {args.checker}")
        if args.insert is None:
            print("\n\n".join(tables.values()))
        else:
            text = args.insert.read_text(encoding="utf-8")
            for markers, table in tables.items():
                text = insert(text, table, *markers)
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
    settings = document["settings"]
    caption = (
        f"Times of npvae divided by those of the others, below 1 is faster: medians [quartiles] of {settings['rounds']}"
        f" rounds, in which each ran for {settings['seconds_per_block']:g} s in turn{_rough(settings)}. PyTorch is"
        f" eager with its default Adam; the peers are"
        f" {', '.join(i.title for i in IMPLEMENTATIONS.values() if i.is_peer)}. {one_line(document['machine'])}."
    )
    return f"{markdown(rows)}\n\n{caption}"


def _rough(settings: dict) -> str:
    load = settings["load_before"]
    return f"; the machine was not idle, load {load:g}, so they are rough" if load > BUSY else ""


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
        f"{markdown(rows)}\n\nMedians [quartiles] of {len(epochs['npvae']['first'])} processes each. The loss is the"
        f" mean of the last epoch, nats. `import npvae` takes {over.median:.0f} ms"
        f" over NumPy's own {1000 * median(imports['numpy']):.0f} ms. Installed with all that is required: {sizes}."
    )


def checker_table(document: dict) -> str:
    """What the gradient checker found among planted mistakes and in correct code, and how long it took."""
    planted, correct, seconds = document["planted"].values(), document["correct"], document["seconds"]
    named = sum(row["found"] and row["named"] for row in planted)
    alarms = sum(row["FAIL"] + row["INCONCLUSIVE"] for row in correct.values())
    worst = max(row["worst"] for row in correct.values())
    rows = [
        ["what", "result"],
        ["planted mistakes found and called by their names", f"{named} of {len(planted)}"],
        ["slowest of them, 326,824 parameters", f"{max(row['seconds'] for row in planted):.2f} s"],
        [f"false alarms: {len(correct)} correct parts, {document['settings']['seeds']:,} seeds each", str(alarms)],
        ["worst error among them, relative to the gradient", f"{worst:.0e}"],
        *([f"time: {what}", f"{time:.2f} s"] for what, time in seconds.items()),
    ]
    return f"{markdown(rows)}\n\n{one_line(document['machine'])}."


def insert(text: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """`text` with `table` between the markers.

    Raises
    ------
    ValueError
        If the markers are not there, once each and in order.
    """
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last or begin in rest or end in after:
        raise ValueError(f"the text must have the lines {begin} and {end}, once each and in this order")
    return f"{before}{begin}\n{table}\n{end}{after}"


def _against(measured: dict, other: str) -> str:
    if other not in measured:
        return NOTHING
    return str(ratio(measured["npvae"]["seconds_per_step"], measured[other]["seconds_per_step"]))


def _memory(measured: dict, other: str) -> str:
    theirs = measured.get(other, {}).get("peak_mb")
    ours = measured["npvae"]["peak_mb"]
    return f"{ours / theirs:.2f}" if ours and theirs else NOTHING
