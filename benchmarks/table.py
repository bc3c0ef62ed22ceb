"""``python -m benchmarks table``: the tables of README.md and docs/, from the results."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks import files
from benchmarks.compare import ratio, spread
from benchmarks.density_tables import compression_table, restoration_table, rounding_table
from benchmarks.files import markdown, one_line
from benchmarks.implementations import IMPLEMENTATIONS, WORKLOADS
from benchmarks.speed import BUSY, fastest_peer, summary

__all__ = [
    "checker_table",
    "insert",
    "main",
    "published_table",
    "short_published_table",
    "short_speed_table",
    "speed_table",
    "startup_table",
    "tables",
]

ROOT = Path(__file__).parents[1]
NOTHING = "–"


SHORT = ("iwae-1", "iwae-5", "rbm", "binary-vimco-200", "compression-binary", "autoencoders-8")
"""Reproductions whose first figure stands in README.md: one a family of models."""


def main(argv: list[str]) -> int:
    """Print the tables, or put each between its two markers wherever a page has them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks table", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--results", type=Path, default=files.RESULTS, metavar="FOLDER", help="of the .json files")
    says = "put them between the lines <!-- NAME: begin --> and <!-- NAME: end --> (README.md and docs/*.md)"
    parser.add_argument("--insert", type=Path, nargs="*", metavar="FILE", help=says)
    args = parser.parse_args(argv)
    try:
        made = tables(args.results)
        if args.insert is None:
            print("\n\n".join(f"{name}\n\n{table}" for name, table in made.items()))
            return 0
        for page in args.insert or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            page.write_text(insert(page.read_text(encoding="utf-8"), made), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    return 0


def tables(folder: Path) -> dict[str, str]:
    """All tables that the results in a folder give, by the names that the markers have.

    Raises
    ------
    ValueError
        If there is no result.
    """
    makers = {
        "speed": ("speed", speed_table),
        "short-speed": ("speed", short_speed_table),
        "scaling": ("scaling", scaling_table),
        "startup": ("startup", startup_table),
        "checker": ("gradcheck", checker_table),
        "rounding": ("rounding", rounding_table),
        "restoration": ("restoration", restoration_table),
    }
    made = {
        name: table(files.read(folder / f"{command}.json", command))
        for name, (command, table) in makers.items()
        if (folder / f"{command}.json").exists()
    }
    compressed = {path.stem.split("-")[1]: files.read(path, "published") for path in folder.glob("compression-*.json")}
    if compressed:
        made["compression"] = compression_table(dict(sorted(compressed.items())))
    published = [files.read(path, "published") for path in sorted(folder.glob("published-*.json"))]
    if published:
        made |= {"published": published_table(published), "short-published": short_published_table(published)}
    if not made:
        raise ValueError(f"--results must hold speed.json or another result, got {folder}")
    return made


def insert(text: str, made: dict[str, str]) -> str:
    """`text` with each table between its markers, where it has them; tables that are not in `made` stay as they are.

    Raises
    ------
    ValueError
        If a marker stands alone, twice, or in the wrong order.
    """
    for name in dict.fromkeys(re.findall(r"<!-- ([a-z-]+): (?:begin|end) -->", text)):
        begin, end = (f"<!-- {name}: {which} -->" for which in ("begin", "end"))
        before, _, rest = text.partition(begin)
        _, last, after = rest.partition(end)
        if not last or text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the text must have the lines {begin} and {end}, once each and in this order")
        if name in made:
            text = f"{before}{begin}\n{made[name]}\n{end}{after}"
    return text


def speed_table(document: dict) -> str:
    """A row for each workload: npvae's speed, and its ratios to the others with their quartiles."""
    header = [
        "workload",
        "ms/step",
        "images/s",
        "/ fastest peer",
        "/ PyTorch",
        "/ one process",
        "/ products",
        "memory / PyTorch",
    ]
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
                _against(measured, "npvae-one"),
                _against(measured, "products"),
                _memory(measured, "torch"),
            ]
        )
    settings = document["settings"]
    caption = (
        f"Times of npvae divided by those of the others, below 1 is faster: medians [quartiles] of {settings['rounds']}"
        f" rounds, in which each ran for {settings['seconds_per_block']:g} s in turn{_rough(settings)}."
        f"{_processes(document)} PyTorch is"
        f" eager with its default Adam; the peers are"
        f" {', '.join(i.title for i in IMPLEMENTATIONS.values() if i.is_peer)}. {one_line(document['machine'])}."
    )
    overall = summary(document["workloads"], WORKLOADS)
    return f"{markdown(rows)}\n\nIn short, {overall}. {caption}"


def short_speed_table(document: dict) -> str:
    """A row for each workload: time, share of PyTorch's and of the fastest peer's time, share of PyTorch's memory."""
    rows = [["npvae", "ms/step", "time / PyTorch", "time / fastest", "memory / PyTorch"]]
    for result in document["workloads"].values():
        measured = result["measured"]
        ours, peer = measured["npvae"]["seconds_per_step"], fastest_peer(result)
        times = {who: f"{ratio(ours, measured[who]['seconds_per_step']).median:.2f}" for who in measured}
        against = [times.get("torch", NOTHING), times[peer] if peer else NOTHING]
        rows.append([result["title"], f"{1000 * median(ours):.1f}", *against, _memory(measured, "torch")])
    machine = document["machine"]
    where = f"{machine['date']}; {machine['processor']}, {machine['cores']} cores"
    return f"{markdown(rows)}\n\n{where}.{_processes(document)}"


def _processes(document: dict) -> str:
    """By how many processes npvae worked, where they were compared with one."""
    compared = any("npvae-one" in result["measured"] for result in document["workloads"].values())
    cores = document["machine"]["cores"]
    return f" npvae trains by {cores} processes, one a core, and infers by one." if compared else ""


def scaling_table(document: dict) -> str:
    """A row for each workload: a step by one process, and how many times as fast the other ways are."""
    ways = list(next(iter(document["workloads"].values()))["seconds_per_step"])
    rows = [["workload", f"{ways[0]}, ms/step", *ways[1:]]]
    for result in document["workloads"].values():
        times = result["seconds_per_step"]
        gains = [f"{ratio(times[ways[0]], times[way])} times as fast" for way in ways[1:]]
        rows.append([result["title"], f"{1000 * median(times[ways[0]]):.2f}", *gains])
    settings = document["settings"]
    caption = (
        f"Medians [quartiles] of {settings['rounds']} turns of {settings['steps']} steps, one BLAS thread a process."
    )
    return f"{markdown(rows)}\n\n{caption} {one_line(document['machine'])}."


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
        f" mean of the last epoch, nats. `from npvae import VAE` takes {over.median:.0f} ms"
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


def published_table(documents: Iterable[dict]) -> str:
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


def short_published_table(documents: Iterable[dict]) -> str:
    """The first figure of each reproduction whose published figure is a number, if README.md is to have it."""
    columns = ("model", "data", "estimate", "here", "published")
    firsts = [document["rows"][0] for document in documents if document["name"] in SHORT]
    return markdown(
        [["model", "data", "estimate", "here", "published"], *([row[c] for c in columns] for row in firsts)]
    )


def _threads(machine: dict) -> str:
    found = sorted(set(machine["threads"].values()))
    return f"{' or '.join(found)} BLAS thread{'s' * (found != ['1'])}" if found else "BLAS threads as it chooses"


def _against(measured: dict, other: str) -> str:
    if other not in measured:
        return NOTHING
    return str(ratio(measured["npvae"]["seconds_per_step"], measured[other]["seconds_per_step"]))


def _memory(measured: dict, other: str) -> str:
    theirs = measured.get(other, {}).get("peak_mb")
    ours = measured["npvae"]["peak_mb"]
    return f"{ours / theirs:.2f}" if ours and theirs else NOTHING
