"""``python -m benchmarks startup``: from the start of a process to the end of an epoch, import time, installed size."""

from __future__ import annotations

import argparse
import compileall
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import npvae
from benchmarks import files
from benchmarks.compare import ratio, spread
from benchmarks.contestants import ROOT, Skipped, alone
from benchmarks.data import image_file, images
from benchmarks.implementations import IMPLEMENTATIONS, WORKLOADS, Workload

__all__ = ["import_times", "installed_mb", "main", "start_to_epochs"]

CONTESTANTS = [name for name, implementation in IMPLEMENTATIONS.items() if implementation.is_peer or name == "npvae"]
MODULES = ("numpy", "npvae", "torch", "jax", "sklearn")
IMPORTED = {"npvae": "npvae.estimators.vae"}
"""What is imported in the place of a module that loads its parts when they are first used."""
DISTRIBUTIONS = {"npvae": "npvae", "PyTorch": "torch", "JAX with optax": "optax", "scikit-learn": "scikit-learn"}


def main(argv: list[str]) -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks startup", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--implementations", nargs="+", choices=CONTESTANTS, default=CONTESTANTS, metavar="NAME")
    parser.add_argument("--rounds", type=files.count, default=5, help="processes of each implementation (5)")
    parser.add_argument("--epochs", type=files.count, default=10, help="epochs of the long run (10)")
    parser.add_argument("--quick", action="store_true", help="two rounds of two epochs of few images: does it run?")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    args = parser.parse_args(argv)
    if args.quick:
        args.rounds, args.epochs = 2, 2
    compileall.compile_dir(Path(npvae.__file__).parent, quiet=1)  # as pip does with what it installs
    data, workload = images(2560 if args.quick else None), WORKLOADS["usual"]
    print(f"{data.name}, {len(data):,} images; {workload}; {args.rounds} processes each, in turns")
    with image_file(data) as path:
        epochs, skipped = start_to_epochs(args.implementations, workload, path, args.rounds, args.epochs)
    imports = import_times([name for name in MODULES if find_spec(name)], max(3, 2 * args.rounds))
    sizes = {name: installed_mb(package) for name, package in DISTRIBUTIONS.items()}
    print(report(epochs, skipped, imports, sizes))
    settings = {"rounds": args.rounds, "epochs": args.epochs, "data": data.name, "images": len(data)}
    files.write(
        args.output, "startup", settings, epochs=epochs, skipped=skipped, import_seconds=imports, installed_mb=sizes
    )
    return 0


def start_to_epochs(
    names: list[str], workload: Workload, path: str, rounds: int, epochs: int
) -> tuple[dict[str, dict[str, list[float]]], dict[str, str]]:
    """Seconds from the start of a fresh process to the end of its first and of its last epoch, round by round.

    Beside them the loss in nats, mean over the last epoch: the quality that these seconds bought.
    """
    taken: dict[str, dict[str, list[float]]] = {name: {"first": [], "last": [], "loss": []} for name in names}
    skipped: dict[str, str] = {}
    for _ in range(rounds):
        for name in [name for name in names if name not in skipped]:
            try:
                with alone(name, workload, path) as contestant:
                    steps = contestant.ready() // workload.batch
                    answer = contestant.run(steps)
                    first = perf_counter() - contestant.started
                    for _ in range(epochs - 1):
                        answer = contestant.run(steps)
                    last = perf_counter() - contestant.started
            except Skipped as reason:
                skipped[name] = str(reason)
                continue
            taken[name]["first"].append(round(first, 3))
            taken[name]["last"].append(round(last, 3))
            taken[name]["loss"].append(round(answer["mean"], 3))
    return {name: times for name, times in taken.items() if name not in skipped}, skipped


def import_times(modules: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds that ``import module`` takes in a fresh process, in turns; a first round fills the caches."""
    times: dict[str, list[float]] = {name: [] for name in modules}
    for i in range(rounds + 1):
        for name in modules:
            module = IMPORTED.get(name, name)
            code = f"from time import perf_counter as now; t = now(); import {module}; print(now() - t)"
            out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
            if i > 0:
                times[name].append(round(float(out.stdout), 4))
    return times


def installed_mb(package: str) -> dict[str, float] | None:
    """MB of 10⁶ bytes of a distribution's own files, and with all that it requires; None if it is not installed."""
    try:
        if package == "npvae":  # whose files are elsewhere where it is installed to be edited
            closure = _with_requirements("numpy", {}) | {"npvae": _folder_size(Path(npvae.__file__).parent)}
        else:
            closure = _with_requirements(package, {})
    except PackageNotFoundError:
        return None
    return {"own": round(closure[package] / 1e6, 1), "with_requirements": round(sum(closure.values()) / 1e6, 1)}


def _with_requirements(package: str, sizes: dict[str, int]) -> dict[str, int]:
    """Bytes of the package and of everything below it; what a marker kept from being installed counts nothing."""
    if package not in sizes:
        found = distribution(package)
        sizes[package] = sum(Path(file.locate()).stat().st_size for file in found.files or () if file.locate().exists())
        for name in _required(found.requires or []):
            try:
                _with_requirements(name, sizes)
            except PackageNotFoundError:
                continue
    return sizes


def _required(requirements: list[str]) -> Iterator[str]:
    for requirement in requirements:
        if "extra ==" not in requirement:
            yield re.match(r"[\w.-]+", requirement)[0].lower()


def _folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.py")) + (folder / "py.typed").stat().st_size


def report(
    epochs: dict[str, dict[str, list[float]]],
    skipped: dict[str, str],
    imports: dict[str, list[float]],
    sizes: dict[str, dict[str, float] | None],
) -> str:
    """All of it as text."""
    lines = [f"{'':26}{'1 epoch, s':>11}{'all, s':>9}{'loss':>9}   npvae / it: 1 epoch, all"]
    for name, times in epochs.items():
        against = ""
        if name != "npvae" and "npvae" in epochs:
            against = "   " + ", ".join(str(ratio(epochs["npvae"][end], times[end])) for end in ("first", "last"))
        first, last = median(times["first"]), median(times["last"])
        lines.append(f"{IMPLEMENTATIONS[name].title:26}{first:11.2f}{last:9.2f}{median(times['loss']):9.2f}{against}")
    lines += [f"{IMPLEMENTATIONS[name].title}: skipped, {reason}" for name, reason in skipped.items()]
    lines.append("import, ms over NumPy's own (medians [quartiles])")
    for name, times in imports.items():
        if name == "numpy":
            lines.append(f"  numpy itself {1000 * median(times):.0f}")
        else:
            over = spread([1000 * (t - n) for t, n in zip(times, imports["numpy"], strict=True)])
            lines.append(f"  {name} {over.median:.0f} [{over.low:.0f}–{over.high:.0f}]")
    lines.append("installed, MB (with all that is required)")
    for name, size in sizes.items():
        lines.append(f"  {name} " + (f"{size['own']} ({size['with_requirements']})" if size else "not installed"))
    return "\n".join(lines)
