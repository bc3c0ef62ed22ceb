"""A training of hours: it keeps to its time, averages its last quarter, and goes on where it stopped.

It may be done in legs: a run begins with the mean of an ended one, of another k or rate, whose settings it keeps.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from benchmarks import files
from npvae.models import Model
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from npvae.schedules import Cosine
from npvae.training import Averaged, TrainingRun, Transform, load_checkpoint, save_checkpoint, train

__all__ = [
    "BOUNDS",
    "Allowance",
    "Recipe",
    "Trained",
    "add_options",
    "add_start",
    "begin",
    "earlier_run",
    "legs",
    "long_run",
    "recipe",
    "told",
]

LONGEST_STEP = 5.0
"""Seconds; in a longer step the process was stopped, and only so much of it counts."""

SAVE_EVERY = 60.0
"""Seconds between two checkpoints, rounded up to epochs."""

AVERAGED = 0.25
"""The last part of a run, over which the parameters are averaged: before it the rate is too high for a good mean."""

NEVER = 1 << 60

BOUNDS = {"dreg": ("stl", "dreg"), "plain": ("elbo", "iwae")}
"""The model's bound by the gradient's name: with one sample, and with more."""

GRADIENTS = {"stl": "path gradient", "dreg": "DReG gradient", "elbo": "analytic KL", "iwae": "plain gradient"}


@dataclass(frozen=True)
class Recipe:
    """How to train: for a number of epochs, or else for a number of minutes.

    Adam with the given ε, its rate falling from `rate` to a hundredth along half a cosine; the parameters are averaged
    over the last quarter. By epochs, a seed gives the same bits however often the run is interrupted; by minutes, rate
    and end follow the time spent, pauses not counted. With several `jobs`, processes that share the rows of a step,
    another number of them is another rounding, and a pause counts.
    """

    epochs: int | None
    minutes: float | None
    batch_size: int = 100
    rate: float = 2e-3
    epsilon: float = 1e-4
    seed: int = 0
    jobs: int = 1


@dataclass(frozen=True)
class Trained:
    """What a long run leaves: the last parameters, their mean over the last quarter, the seconds that it took."""

    run: TrainingRun
    mean: Parameters
    seconds: float


class Allowance:
    """A learning-rate schedule that knows how much of the run is over, as `fraction`, and the seconds `spent`."""

    def __init__(self, recipe: Recipe, steps: int | None, spent: float = 0.0) -> None:
        self.spent, self._steps, self._last = spent, steps, perf_counter()
        self._seconds = 60 * (recipe.minutes or 0)
        self._longest = LONGEST_STEP if recipe.jobs == 1 else inf  # several processes see epochs, where one sees steps
        self._cosine = Cosine(recipe.rate, 1)
        self.fraction = min(1.0, spent / self._seconds) if steps is None else 0.0

    def __call__(self, t: int) -> float:
        """The rate of step t, which begins now."""
        self.advance(t)
        return self._cosine(self.fraction)

    def advance(self, t: int) -> None:
        """Count the time since this was last called, up to step t."""
        now = perf_counter()
        self.spent += min(now - self._last, self._longest)
        self._last = now
        self.fraction = min(1.0, self.spent / self._seconds if self._steps is None else t / self._steps)


def long_run(
    model: Model,
    x: NDArray,
    recipe: Recipe,
    work: Path,
    settings: Mapping[str, Any],
    start: Parameters,
    transform: Transform | None = None,
    x_val: NDArray | None = None,
) -> Trained:
    """Train, or go on with what lies in `work`; `settings`, plain JSON, are what the run there must have begun with.

    Raises
    ------
    ValueError
        If the run in `work` has other settings.
    KeyboardInterrupt
        After Ctrl-C. At most the last epoch, or the last minute of them, is lost.
    """
    steps = None if recipe.epochs is None else recipe.epochs * -(-len(x) // recipe.batch_size)
    path = work / "training.npz"
    run = _begun(path, settings)
    allowance = Allowance(recipe, steps, run.settings["spent"] if run else 0.0)
    adam = Adam(allowance, epsilon=recipe.epsilon)
    if run is None:
        work.mkdir(parents=True, exist_ok=True)
        averaged_from = NEVER if steps is None else steps - round(AVERAGED * steps)
        state = {"settings": dict(settings), "spent": 0.0, "averaged_from": averaged_from}
        run = TrainingRun.begin(start, Averaged(adam, NEVER), recipe.seed, state)
    saved = perf_counter()

    def after_epoch(run: TrainingRun) -> bool:
        nonlocal saved
        if recipe.jobs > 1:  # the steps were asked for their rates in other processes
            allowance.advance(run.optimizer_state.t)
        run.settings["spent"] = allowance.spent
        over = steps is None and allowance.fraction >= (1 - AVERAGED if run.settings["averaged_from"] == NEVER else 1)
        now = perf_counter()
        if over or now - saved >= SAVE_EVERY or run.epoch == 1:
            save_checkpoint(path, run)
            saved = now
            print(_progress(run, allowance), flush=True)
        return over

    def has_mean() -> bool:
        return run.optimizer_state.t >= run.settings["averaged_from"] + Averaged.every

    while not has_mean() or allowance.fraction < 1:
        averaged = Averaged(adam, run.settings["averaged_from"])
        epochs = recipe.epochs or NEVER
        run = train(
            model,
            run,
            x,
            optimizer=averaged,
            epochs=epochs,
            batch_size=recipe.batch_size,
            x_val=x_val,
            transform=transform,
            callbacks=[after_epoch],
            n_jobs=recipe.jobs,
        )
        if run.stopped == "interrupted":
            raise KeyboardInterrupt
        if run.stopped == "finished":
            break
        if run.settings["averaged_from"] == NEVER:
            run.settings["averaged_from"] = run.optimizer_state.t
    save_checkpoint(path, run)
    mean = Averaged(adam, run.settings["averaged_from"]).mean(run)
    return Trained(run, mean, run.settings["spent"])


def earlier_run(path: Path) -> Trained:
    """A run that has ended, from its checkpoint: another can begin with its mean, at a lower rate."""
    run = load_checkpoint(path)
    return Trained(run, Averaged(Adam(), run.settings["averaged_from"]).mean(run), run.settings["spent"])


def _begun(path: Path, settings: Mapping[str, Any]) -> TrainingRun | None:
    if not path.exists():
        return None
    run = load_checkpoint(path)
    if _but_jobs(run.settings["settings"]) != _but_jobs(settings) or "averaged_from" not in run.settings:
        raise ValueError(f"--work holds a run with other settings, {run.settings['settings']}, expected {settings}")
    print(f"goes on after epoch {run.epoch}, {run.settings['spent'] / 60:.1f} minutes, from {path}", flush=True)
    return run


def _but_jobs(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the number of processes, with which a run need not go on as it began."""
    return {name: value for name, value in settings.items() if name != "jobs"}


def _progress(run: TrainingRun, allowance: Allowance) -> str:
    means = run.history.last()
    done = max(allowance.fraction, 1e-9)
    left = timedelta(seconds=round(allowance.spent / done * (1 - done)))
    end = datetime.now() + left
    held_out = f", held-out {means['val_loss']:.2f}" if "val_loss" in means else ""
    return (
        f"epoch {run.epoch} of about {max(run.epoch, round(run.epoch / done))}: loss {means['loss']:.2f} nats{held_out}"
        f" | {1000 * allowance.spent / run.optimizer_state.t:.1f} ms a step | {left} left, until {end:%H:%M}"
    )


def add_options(parser: argparse.ArgumentParser, **default: float) -> None:
    """The options that every long run has; `default` is ``epochs=…`` or ``minutes=…``."""
    says = {name: f" ({default[name]:g})" if name in default else "" for name in ("epochs", "minutes")}
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=files.count, help=f"train for so many epochs{says['epochs']}")
    length.add_argument("--minutes", type=float, help=f"train for so long, pauses not counted{says['minutes']}")
    parser.set_defaults(length=default)
    parser.add_argument("--batch", type=files.count, default=100, help="images of a step (100)")
    parser.add_argument("--rate", type=float, default=2e-3, help="Adam's learning rate at the start (0.002)")
    parser.add_argument("--seed", type=int, default=0)
    says = "processes that share each step's rows (1); with several, pauses are counted"
    parser.add_argument("--jobs", type=files.count, default=1, help=says)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="what is done so far (runs/published/…)")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    parser.add_argument("--quick", action="store_true", help="a few steps on few images: does it run?")


def recipe(args: argparse.Namespace) -> Recipe:
    """What `add_options` was told; a quick run is just long enough to average the last quarter of its few steps."""
    length = {"epochs": args.epochs, "minutes": args.minutes}
    if args.quick:
        length = {"epochs": 5, "minutes": None}
    elif length == {"epochs": None, "minutes": None}:
        length |= args.length
    batch = 100 if args.quick else args.batch
    return Recipe(**length, batch_size=batch, rate=args.rate, seed=args.seed, jobs=args.jobs)


def add_start(parser: argparse.ArgumentParser) -> None:
    """The option that `begin` follows."""
    says = "begin with the mean of an ended run with any k, its training.npz; give another --work, and a lower --rate"
    parser.add_argument("--start", type=Path, metavar="FILE", help=says)


def begin(drawn: Parameters, path: Path | None, settings: Mapping[str, Any]) -> tuple[Parameters, dict[str, Any]]:
    """Where a run begins, and its settings: with an earlier run at `path`, its mean, and its settings as "before".

    What the earlier model had not, such as the baseline network of another estimator, is as it was drawn; what this one
    has not is left out.
    """
    if path is None:
        return drawn, dict(settings)
    before = earlier_run(path)
    took = {"epochs": before.run.epoch, "seconds": round(before.seconds, 1)}
    arrays = {name: before.mean[name] if name in before.mean.shapes else drawn[name] for name in drawn.shapes}
    start = Parameters.from_arrays(arrays, drawn.dtype)
    return start, {**settings, "before": {**before.run.settings["settings"], **took}}


def legs(settings: Mapping[str, Any], trained: Trained) -> list[Mapping[str, Any]]:
    """The settings of every leg, each with its "epochs" and "seconds", from the first to the one that is `trained`."""
    last = {**settings, "epochs": trained.run.epoch, "seconds": trained.seconds}
    return [*_before(settings), last]


def _before(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "before" not in settings:
        return []
    return [*_before(settings["before"]), settings["before"]]


def told(parts: Sequence[Mapping[str, Any]]) -> str:
    """How many epochs with which k and gradient, in words; legs of one kind that follow each other are one."""
    kinds = [
        (*kind, sum(part["epochs"] for part in same))
        for kind, same in groupby(parts, key=lambda part: (part["k"], part["bound"]))
    ]
    words = [f"{epochs} epochs by the {GRADIENTS[bound]}" for _, bound, epochs in kinds]
    if len(kinds) == 1:
        return words[0]
    return ", then ".join(f"{of_kind} with k = {k}" for of_kind, (k, _, _) in zip(words, kinds, strict=True))
