"""One curve of figure 2: the bound against the training samples seen, by one algorithm with one number of latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.images import data_folder
from benchmarks.quality.data import TEST_DRAW, binarize, digit_images
from benchmarks.quality.long_run import LONGEST_STEP, SAVE_EVERY
from npvae import datasets
from npvae.distributions import Bernoulli, LearnedGaussian
from npvae.models import GaussianVAE, Model, WakeSleep
from npvae.numerics import keep_freed_memory
from npvae.optimizers import Adagrad
from npvae.training import TrainingRun, evaluate, load_checkpoint, save_checkpoint

__all__ = ["ALGORITHMS", "BATCH", "STEPS", "Scene", "curve", "points", "scene"]

ALGORITHMS: dict[str, Callable[[GaussianVAE], Model]] = {"aevb": lambda vae: vae, "wake-sleep": WakeSleep}
"""The model that trains a VAE's networks by each algorithm."""

BATCH = 100
STEPS = (0.01, 0.02, 0.1)
"""Of Adagrad; each curve takes the one with the best training bound after the first samples."""

FIRST_SAMPLES = 100_000
QUIET = dict.fromkeys(("over", "invalid", "divide"), "ignore")
"""Too long a step breaks a trial down, and then the trial loses; that is no news."""

PER_DECADE = 8
TRAIN_IMAGES = 10_000
"""Of the training images, so many tell the training bound."""


@dataclass(frozen=True)
class Scene:
    """A data set of the figure: what is trained on, what the two bounds are taken on, and the network for it."""

    x: NDArray
    transform: Callable[[NDArray, np.random.Generator], NDArray]
    x_train: NDArray
    x_test: NDArray
    hidden: int
    likelihood: Bernoulli | LearnedGaussian

    def model(self, algorithm: str, latents: int) -> Model:
        """One hidden layer of tanh units; initial weights from N(0, 0.01)."""
        network = {"hidden": (self.hidden,), "activation": "tanh", "init_weights": "normal"}
        vae = GaussianVAE(self.x_test.shape[1], latents, likelihood=self.likelihood, **network)
        return ALGORITHMS[algorithm](vae)


def scene(data: str, quick: bool) -> Scene:
    """Return "mnist", binarised anew at every visit, or "frey", grey, of which the last 200 frames are for testing."""
    if data == "mnist":
        x, x_test, _ = digit_images(quick)
        x_train = binarize(x[:TRAIN_IMAGES], np.random.default_rng(TEST_DRAW + 1))
        return Scene(x, binarize, x_train, x_test, 500, Bernoulli())
    if quick:
        x, x_test = (datasets.digits(n, seed).x[:, 112:672] for seed, n in enumerate((2000, 200)))
    else:
        x, x_test = (datasets.frey_faces(part, data_folder()).x for part in ("train", "test"))
    return Scene(x, lambda rows, rng: rows, x, x_test, 200, LearnedGaussian(link="sigmoid"))


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
    for point in points(samples):
        if run.history and run.history["samples"][-1] >= point:
            continue
        _advance(run, model, shown, point, path)
        found = bounds(run)
        run.history.append({"samples": point, "seconds": round(run.settings["spent"], 1), **found})
        run.epoch += 1
        save_checkpoint(path, run)
        print(f"{panel} {algorithm}: {point:,} samples, {found['train']:.2f}, test {found['test']:.2f}", flush=True)
    kept = [row <= samples for row in run.history["samples"]]
    columns = {name: [v for v, keep in zip(column, kept, strict=True) if keep] for name, column in run.history.items()}
    return {"rate": run.settings["rate"], **columns}


def _parts(shown: Scene) -> dict[str, NDArray]:
    return {"train": shown.x_train, "test": shown.x_test}


def _begin(model: Model, rate: float) -> TrainingRun:
    return TrainingRun.begin(model.init(np.random.default_rng(0)), Adagrad(rate), 0, {"rate": rate, "spent": 0.0})


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
