"""``python -m benchmarks speed``: training steps and inference against the peers, in turns."""

from __future__ import annotations

import argparse
import os
from statistics import median

from benchmarks import files
from benchmarks.compare import fastest, geometric_mean, ratio
from benchmarks.contestants import lined_up, take_turns
from benchmarks.data import image_file, images
from benchmarks.implementations import IMPLEMENTATIONS, LEFT_OUT, SWEEPS, WORKLOADS, Workload

__all__ = ["fastest_peer", "main", "race", "report"]

BUSY = 0.5
"""Load average above which something else keeps a core busy: threads that wait for each other then wait for it."""


def main(argv: list[str]) -> int:
    """Race, print, and write what was asked for."""
    args = _parser().parse_args(argv)
    if args.quick:
        args.rounds, args.seconds = 3, 0.3
    data = images()
    print(f"{data.name}, {len(data):,} images; ratios are npvae / other, medians [quartiles] of {args.rounds} rounds")
    for name, reason in LEFT_OUT.items():
        print(f"{name}: left out, {reason}")
    load = os.getloadavg()[0]
    if load > BUSY:
        print(f"the machine is busy with something else (load {load:.1f}): these ratios will be rough")
    workloads = {name: WORKLOADS[name] for name in args.workload} if args.sweep is None else SWEEPS[args.sweep]
    results = {}
    with image_file(data) as path:
        for name, workload in workloads.items():
            results[name] = race(workload, args.implementations, path, args.rounds, args.seconds)
            print(f"\n{name}: {results[name]['title']}\n{report(results[name])}", flush=True)
    print(f"\n{summary(results, workloads)}")
    settings = {
        "rounds": args.rounds,
        "seconds_per_block": args.seconds,
        "data": data.name,
        "load_before": round(load, 2),
    }
    files.write(args.output, "speed", settings, workloads=results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    parser.add_argument("--sweep", choices=SWEEPS, help="instead, the usual one with other hidden widths or batches")
    parser.add_argument(
        "--implementations", nargs="+", choices=IMPLEMENTATIONS, default=list(IMPLEMENTATIONS), metavar="NAME"
    )
    parser.add_argument("--rounds", type=files.count, default=21, help="blocks of steps of each implementation (21)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="seconds of npvae's blocks; all run as many steps (1)"
    )
    parser.add_argument("--quick", action="store_true", help="three short rounds: does it run?")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    return parser


def race(workload: Workload, names: list[str], path: str, rounds: int, seconds: float) -> dict:
    """One workload: seconds per step of every block, peak memory, mean loss of the last block, and who was skipped."""
    names = [name for name in names if IMPLEMENTATIONS[name].takes_part(workload)]
    with lined_up(names, workload, path, warm_up=20 if workload.task == "train" else 2) as (contestants, skipped):
        pilot = contestants.get("npvae") or next(iter(contestants.values()))
        steps = max(1, round(seconds / pilot.seconds_per_step))
        answers = take_turns(contestants, steps, rounds)
    measured = {
        name: {
            "seconds_per_step": [float(f"{a['seconds'] / a['steps']:.5g}") for a in blocks],
            "images_per_second": round(workload.batch / median(a["seconds"] / a["steps"] for a in blocks)),
            "peak_mb": round(blocks[-1]["peak_mb"], 1) if "peak_mb" in blocks[-1] else None,
            "loss": round(blocks[-1]["mean"], 3) if workload.task == "train" and name != "products" else None,
        }
        for name, blocks in answers.items()
    }
    return {"title": str(workload), "steps_per_block": steps, "measured": measured, "skipped": skipped}


def report(result: dict) -> str:
    """A workload as a table of text."""
    measured = result["measured"]
    ours = measured.get("npvae")
    lines = [f"{'':24}{'ms/step':>9}{'images/s':>11}{'peak MB':>9}{'loss':>9}   npvae / it"]
    for name, row in measured.items():
        times = row["seconds_per_step"]
        against = str(ratio(ours["seconds_per_step"], times)) if ours and row is not ours else ""
        peak = "" if row["peak_mb"] is None else f"{row['peak_mb']:.0f}"
        loss = "" if row["loss"] is None else f"{row['loss']:.2f}"
        lines.append(
            f"{IMPLEMENTATIONS[name].title:24}{1000 * median(times):9.2f}{row['images_per_second']:11,}{peak:>9}"
            f"{loss:>9}   {against}"
        )
    lines += [f"{IMPLEMENTATIONS[name].title}: skipped, {reason}" for name, reason in result["skipped"].items()]
    return "\n".join(lines)


def fastest_peer(result: dict) -> str | None:
    """The name of the peer that is ahead of the others in a workload, if any took part."""
    times = {name: row["seconds_per_step"] for name, row in result["measured"].items()}
    return fastest(times["npvae"], {name: t for name, t in times.items() if IMPLEMENTATIONS[name].is_peer})


def summary(results: dict[str, dict], workloads: dict[str, Workload]) -> str:
    """The ratio to the fastest peer over the training workloads of dense layers, in one line."""
    ratios = {}
    for name, result in results.items():
        peer = fastest_peer(result) if "npvae" in result["measured"] else None
        if peer is not None and workloads[name].task == "train" and not workloads[name].channels:
            measured = result["measured"]
            ratios[name] = ratio(measured["npvae"]["seconds_per_step"], measured[peer]["seconds_per_step"]).median
    if not ratios:
        return "no peer took part in training"
    each = ", ".join(f"{name} {value:.2f}" for name, value in ratios.items())
    return f"npvae / fastest peer in training: {each}; geometric mean {geometric_mean(list(ratios.values())):.2f}"
