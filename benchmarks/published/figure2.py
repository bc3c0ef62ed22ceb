"""``python -m benchmarks published figure2``: figure 2 of Kingma & Welling, Auto-encoding variational Bayes (2013).

The bound against the number of training samples seen, AEVB and wake-sleep, on MNIST (500 hidden tanh units, binarised
anew at every visit) and Frey Face (200; Gaussian with a sigmoid mean, the last 200 frames for testing). Adagrad,
batches of 100, one draw of z, a prior N(0, I) on the weights. The published curves are pictures only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import ALGORITHMS, Scene, scene
from benchmarks.estimates import row, write
from benchmarks.files import RESULTS, THREAD_VARIABLES, count, read, result_file
from benchmarks.long_run import LONGEST_STEP, SAVE_EVERY
from npvae.models import Model
from npvae.numerics import keep_freed_memory
from npvae.optimizers import Adagrad
from npvae.plots.canvas import require_matplotlib, save
from npvae.training import TrainingRun, evaluate, load_checkpoint, save_checkpoint

BATCH = 100
STEPS = (0.01, 0.02, 0.1)
"""Rates of Adagrad; each curve takes the one with the best training bound after the first samples."""

FIRST_SAMPLES = 100_000
QUIET = dict.fromkeys(("over", "invalid", "divide"), "ignore")
"""Too long a step breaks a trial down, and then the trial loses; that is no news."""

PER_DECADE = 8

PANELS = {"mnist": (3, 5, 10, 20, 200), "frey": (2, 5, 10, 20)}
"""Numbers of latents in the panels of the two rows."""

NAMES = [f"{data}-{latents}" for data, numbers in PANELS.items() for latents in numbers]
TITLES = {"mnist": "MNIST", "frey": "Frey Face"}
COLOURS = {"aevb": "tab:red", "wake-sleep": "tab:green"}
LINES = {"train": "-", "test": "--"}
LOWEST = {"mnist": -160, "frey": -250}
"""Where the axes begin; they end with the curves."""

LEFT = 1e5
"""Samples, where the paper's axis begins."""


def main(argv: list[str]) -> int:
    """Train what is missing, draw, write."""
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published figure2", description=what)
    parser.add_argument("--panels", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=" ".join(NAMES))
    parser.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS))
    parser.add_argument("--samples", type=float, default=1e7, help="training samples of every curve (1e7)")
    parser.add_argument("--jobs", type=count, default=1, help="curves at a time, a process of one thread each (1)")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="what is done so far (runs/published/figure2)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it there (docs/figure2.png)")
    parser.add_argument("--output", type=result_file, metavar="FILE.json", help="write the result there")
    parser.add_argument("--keep", type=result_file, metavar="FILE.json", help="draw its other panels as well")
    parser.add_argument("--quick", action="store_true", help="4,000 samples of few images: does it run?")
    args = parser.parse_args(argv)
    work = args.work or Path("runs/published") / ("figure2" + "-quick" * args.quick)
    samples = 4000 if args.quick else round(args.samples / BATCH) * BATCH
    kept = _earlier(args.keep) if args.keep else None

    # Wide latents first: the longest curve should not be the last to begin.
    panels = sorted(args.panels, key=_size)
    tasks = [(p, a, samples, work, args.quick) for p in panels for a in args.algorithms]
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        found = list(pool.map(_curve, tasks))
    curves = {f"{panel} {algorithm}": columns for (panel, algorithm, *_), columns in zip(tasks, found, strict=True)}
    if kept:
        earlier = kept["results"]["curves"]
        curves = {name: earlier[name] for name in earlier if name.split()[0] not in panels} | curves

    settings = {"samples": samples, "batch": BATCH, "steps": list(STEPS), "panels": args.panels, "jobs": args.jobs}
    if kept:
        settings["kept"] = {what: kept[what] for what in ("machine", "settings")}
    output = args.output or (None if args.quick else RESULTS / "published-figure2.json")
    write(output, "figure2", settings, _rows(curves), {"curves": curves})
    save(draw(curves), args.picture or (work / "figure2.png" if args.quick else Path("docs/figure2.png")))
    return 0


def _curve(task: tuple) -> dict:
    return curve(*task)


def points(samples: int) -> list[int]:
    """Numbers of samples at which the bounds are taken: eight a decade from 1,000 on, in whole batches."""
    grid = (BATCH * round(10 ** (3 + i / PER_DECADE) / BATCH) for i in range(8 * PER_DECADE))
    return [point for point in grid if point < samples] + [samples]


def curve(panel: str, algorithm: str, samples: int, work: Path, quick: bool = False) -> dict:
    """Train to `samples`, or go on with what lies in `work`; `panel` is data set and number of latents: "mnist-3".

    Returns
    -------
    dict
        Columns "samples", "seconds" (without pauses), "train" and "test", the bounds in nats an image; the step "rate".
    """
    data, latents = panel.split("-")
    shown = scene(data, quick)
    model, judge = (shown.model(name, int(latents)) for name in (algorithm, "aevb"))
    path = work / f"{panel}-{algorithm}.npz"

    def bounds(run: TrainingRun) -> dict[str, float]:
        rng = np.random.default_rng(0)
        with np.errstate(**QUIET):
            return {part: -evaluate(judge, run.theta, x, rng)["loss"] for part, x in _parts(shown).items()}

    if path.exists():
        run = load_checkpoint(path)
    else:
        work.mkdir(parents=True, exist_ok=True)
        trials = {}
        for rate in STEPS:
            run = _begin(model, rate)
            _advance(run, model, shown, samples // 10 if quick else FIRST_SAMPLES)
            trials[rate] = bounds(run)["train"]
        run = _begin(model, max(trials, key=lambda rate: np.nan_to_num(trials[rate], nan=-np.inf)))
        print(f"{panel} {algorithm}: training bound by step {trials}", flush=True)
    seen: list[dict] = run.settings["curve"]
    for point in points(samples):
        if seen and seen[-1]["samples"] >= point:
            continue
        _advance(run, model, shown, point, path)
        found = bounds(run)
        seen.append({"samples": point, "seconds": round(run.settings["spent"], 1), **found})
        save_checkpoint(path, run)
        print(f"{panel} {algorithm}: {point:,} samples, {found['train']:.2f}, test {found['test']:.2f}", flush=True)
    columns = {name: [row[name] for row in seen if row["samples"] <= samples] for name in seen[0]}
    return {"rate": run.settings["rate"], **columns}


def _parts(shown: Scene) -> dict[str, NDArray]:
    return {"train": shown.x_train, "test": shown.x_test}


def _begin(model: Model, rate: float) -> TrainingRun:
    settings = {"rate": rate, "spent": 0.0, "curve": []}
    return TrainingRun.begin(model.init(np.random.default_rng(0)), Adagrad(rate), 0, settings)


def _advance(run: TrainingRun, model: Model, shown: Scene, samples: int, path: Path | None = None) -> None:
    """Train until so many samples have been seen; with a path, keep what is done there every minute.

    Step t draws its batch, binarisation and noise with a generator seeded by t, so a run goes on from anywhere with the
    same bits. The prior N(0, I) of the weights enters the mean loss of N images as |theta|² / 2N.
    """
    optimizer = Adagrad(run.settings["rate"])
    keep_freed_memory()
    dprior = np.empty_like(run.theta.flat)
    now = saved = perf_counter()
    with np.errstate(**QUIET):
        while run.optimizer_state.t * BATCH < samples:
            rng = np.random.default_rng([run.seed, run.optimizer_state.t])
            rows = rng.integers(len(shown.x), size=BATCH)
            batch = shown.transform(shown.x[rows], rng)
            _, dtheta = model.loss_and_grad(run.theta, batch, model.draw_noise(rng, BATCH))
            np.divide(run.theta.flat, len(shown.x), out=dprior)
            dtheta.flat += dprior
            optimizer.step(run.theta.flat, dtheta.flat, run.optimizer_state)
            before, now = now, perf_counter()
            run.settings["spent"] += min(now - before, LONGEST_STEP)
            if path is not None and now - saved >= SAVE_EVERY:
                save_checkpoint(path, run)
                saved = now


def _earlier(path: Path) -> dict:
    """An earlier result of this figure."""
    document = read(path, "published")
    if document.get("name") != "figure2":
        raise ValueError(f"--keep must be a result of `python -m benchmarks published figure2`, got {path}")
    return document


def _size(panel: str) -> tuple[bool, int]:
    data, latents = panel.split("-")
    return data == "frey", -int(latents)


def _rows(curves: dict[str, dict]) -> list[dict]:
    """A row for each data set: the last test bound of each algorithm, by number of latents."""
    rows = []
    for data, numbers in PANELS.items():
        names = [f"{data}-{n}" for n in numbers if all(f"{data}-{n} {a}" in curves for a in ALGORITHMS)]
        if not names:
            continue
        samples = min(curves[f"{name} {a}"]["samples"][-1] for name in names for a in ALGORITHMS)
        last = {a: [curves[f"{name} {a}"]["test"][-1] for name in names] for a in ALGORITHMS}
        above = {part: _wins(curves, names, lambda columns, part=part: columns[part][-1]) for part in LINES}
        highest = _wins(curves, names, lambda columns: max(columns["test"]))
        latents = ", ".join(name.split("-")[1] for name in names)
        told = "; ".join(f"{a} {', '.join(f'{value:.1f}' for value in values)}" for a, values in last.items())
        rows.append(
            row(
                f"AEVB figure 2, {latents} latents",
                {"mnist": "MNIST, dynamic", "frey": "Frey Face, last 200 frames"}[data],
                f"bound, one draw, test, {samples:,} samples",
                told,
                "AEVB above wake-sleep in every panel",
                f"of {len(names)} panels AEVB ends above in {above['train']} in training, in {above['test']} in test,"
                f" where its highest bound is above in {highest}; minutes of training with the best step",
                sum(columns["seconds"][-1] for name, columns in curves.items() if name.startswith(data)),
            )
        )
    return rows


def _wins(curves: dict[str, dict], panels: list[str], number: Callable[[dict], float]) -> int:
    """In how many panels a number of the first algorithm's curve is above that of the second's."""
    ours, theirs = ([number(curves[f"{panel} {algorithm}"]) for panel in panels] for algorithm in ALGORITHMS)
    return sum(a > b for a, b in zip(ours, theirs, strict=True))


def draw(curves: dict[str, dict]):
    """The panels that there are, in the paper's two rows."""
    mpl = require_matplotlib()
    names = list(dict.fromkeys(name.split()[0] for name in curves))
    by_row = {data: [f"{data}-{n}" for n in numbers if f"{data}-{n}" in names] for data, numbers in PANELS.items()}
    by_row = {data: panels for data, panels in by_row.items() if panels}
    figure = mpl.figure.Figure(figsize=(12, 2.9 * len(by_row)), layout="constrained")
    for (data, panels), strip in zip(by_row.items(), _strips(figure, len(by_row)), strict=True):
        for ax, panel in zip(strip.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for algorithm in ALGORITHMS:
                columns = curves.get(f"{panel} {algorithm}", {})
                for part, line in LINES.items() if columns else ():
                    ax.plot(columns["samples"], columns[part], line, color=COLOURS[algorithm], linewidth=1.2)
            ax.set(title=f"{TITLES[data]}, $N_z$ = {panel.split('-')[1]}", xscale="log")
            end = max(columns["samples"][-1] for name, columns in curves.items() if name.startswith(data))
            if end > LEFT:  # the first bounds of all are off any scale
                highest = max(max(line.get_ydata()) for line in ax.lines)
                lowest = min(LOWEST[data], highest - 20)
                ax.set(xlim=(LEFT, end), ylim=(lowest, highest + 0.05 * (highest - lowest)))
            ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())  # within a decade or two the labels would overlap
            ax.grid(alpha=0.3)
        strip.supxlabel("training samples seen", fontsize=9)
        strip.supylabel("bound, nats per image", fontsize=9)
    handles = [
        mpl.lines.Line2D([], [], color=COLOURS[a], linestyle=line, label=f"{a.replace('aevb', 'AEVB')} ({part})")
        for a in ALGORITHMS
        for part, line in LINES.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _strips(figure, n: int) -> list:
    strips = figure.subfigures(n, 1)
    return [strips] if n == 1 else list(strips)
