"""``python -m benchmarks published rbm``: a Boltzmann machine of 500 hidden units on fixed binary MNIST.

The figure is that of Salakhutdinov & Murray, On the quantitative analysis of deep belief networks (2008), for CD-25:
86.34 nats by annealed importance sampling. Forward annealing gives log Z from below, so that likelihoods come out too
good where it has not converged; the same way in reverse gives it from above, and both are printed. The machine is
trained by centred PCD, its rate falling along half a cosine, and the mean of the parameters over the last third is
taken. The settings were chosen by the validation images. The test images are seen once.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks import files
from benchmarks.data import fixed_images
from benchmarks.estimates import row, write
from benchmarks.files import RESULTS
from npvae.evaluation import LogPartition, annealed_importance_sampling, reverse_annealing
from npvae.models import RBM
from npvae.optimizers import SGD
from npvae.parameters import Parameters
from npvae.schedules import Cosine
from npvae.training import Averaged, TrainingRun, load_checkpoint, save_checkpoint, train

PUBLISHED = "86.34 (CD-25)"

HIDDEN, BATCH, MOMENTUM = 500, 100, 0.5

SAVE_EVERY = 60.0
"""Seconds between two checkpoints, rounded up to epochs."""

BURN_IN = 2000
"""Gibbs steps from training images to where reverse annealing begins."""


def main(argv: list[str]) -> int:
    """Train, estimate, print, write."""
    args = _arguments(argv)
    work = args.work or Path("runs/published") / ("rbm" + "-quick" * args.quick)
    x, x_val, x_test, data = fixed_images(args.quick)
    epochs, steps, runs = (5, 50, 10) if args.quick else (args.epochs, args.ais_steps, args.ais_runs)
    settings = {
        "data": data,
        "images": len(x),
        "hidden units": HIDDEN,
        "k": args.k,
        "chains": args.chains,
        "weight decay": args.weight_decay,
        "epochs": epochs,
        "batch": BATCH,
        "rate": args.rate,
        "momentum": MOMENTUM,
        "seed": args.seed,
    }
    if args.start is not None:
        settings["start"] = _legs(load_checkpoint(args.start))
    model = RBM(x.shape[1], HIDDEN, k=args.k, n_chains=args.chains, weight_decay=args.weight_decay)
    print(f"rbm: {settings}", flush=True)
    run = _trained(model, x, settings, work, args.start)
    theta, legs = _optimizer(run.settings["settings"], len(x)).mean(run), _legs(run)
    seconds = sum(leg["seconds"] for leg in legs)

    began, mean = perf_counter(), x.mean(axis=0)
    way, back = (np.random.default_rng([args.seed, stream]) for stream in (1, 2))
    forward = annealed_importance_sampling(model, theta, way, mean, steps, runs, _told("forward"))
    start = x[back.integers(0, len(x), runs)]
    reverse = reverse_annealing(model, theta, start, back, mean, steps, BURN_IN, _told("reverse"))
    F = {
        name: _free_energy(model, theta, rows) for name, rows in (("train", x), ("validation", x_val), ("test", x_test))
    }
    nll = {name: {"forward": f + forward.log_z, "reverse": f + reverse.log_z} for name, f in F.items()}
    print(f"negative log-likelihoods: {nll}", flush=True)
    seconds += perf_counter() - began
    notes = (
        f"reverse AIS {nll['test']['reverse']:.2f}; log Z {_bars(forward)} forwards, {_bars(reverse)} in reverse;"
        f" {steps:,} steps, {runs} runs; centred PCD-{args.k}, {args.chains} chains,"
        f" {', then '.join(map(_leg_told, legs))}, mean of the last third;"
        f" training images {nll['train']['forward']:.2f}"
    )
    here, estimate = f"{nll['test']['forward']:.2f}", f"−log p(x) by AIS, {len(x_test):,} images"
    rows = [row(f"RBM, {HIDDEN} hidden units", f"{data}, fixed", estimate, here, PUBLISHED, notes, seconds)]
    results = {"nll": nll, "forward": _summary(forward), "reverse": _summary(reverse), "seconds": round(seconds, 1)}
    output = args.output or (None if args.quick else RESULTS / "published-rbm.json")
    write(output, "rbm", settings | {"ais steps": steps, "ais runs": runs}, rows, results)
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published rbm", description=what)
    parser.add_argument("--epochs", type=files.count, default=120, help="passes over the training images (120)")
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate at the start (0.05)")
    parser.add_argument("--k", type=files.count, default=1, help="Gibbs steps a step (1)")
    parser.add_argument("--chains", type=files.count, default=100, help="persistent chains (100)")
    parser.add_argument("--weight-decay", type=float, default=3e-4, help="weight of ½‖W‖² (3e-4)")
    parser.add_argument("--ais-steps", type=files.count, default=20_000, help="machines on the way (20000)")
    parser.add_argument("--ais-runs", type=files.count, default=100, help="runs of it (100)")
    start = "begin with the mean of an ended run, its training.npz; give another --work, and a lower --rate"
    parser.add_argument("--start", type=Path, metavar="FILE", help=start)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="what is done so far (runs/published/rbm)")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    parser.add_argument("--quick", action="store_true", help="a few steps on few images: does it run?")
    return parser.parse_args(argv)


def _optimizer(settings: dict, n: int) -> Averaged:
    """Gradient descent whose rate falls along half a cosine, and the mean over the last third of the run."""
    steps = settings["epochs"] * -(-n // BATCH)
    return Averaged(SGD(Cosine(settings["rate"], steps, final=0.002), MOMENTUM), steps * 2 // 3)


def _trained(model: RBM, x: np.ndarray, settings: dict, work: Path, start: Path | None) -> TrainingRun:
    """The run, from its beginning or from where it was in `work`; a leg begins with mean and chains of `start`."""
    path, optimizer = work / "training.npz", _optimizer(settings, len(x))
    if path.exists():
        run = load_checkpoint(path)
        if run.settings["settings"] != settings:
            raise ValueError(f"--work holds a run with other settings, {run.settings['settings']}, expected {settings}")
        print(f"goes on after epoch {run.epoch} from {path}", flush=True)
    else:
        work.mkdir(parents=True, exist_ok=True)
        theta, state = model.init(np.random.default_rng(settings["seed"]), mean=x.mean(axis=0)), None
        if start is not None:
            earlier = load_checkpoint(start)
            theta, state = _optimizer(earlier.settings["settings"], len(x)).mean(earlier), earlier.state
        run = TrainingRun.begin(theta, optimizer, settings["seed"], {"settings": settings})
        run.state = state
    saved = perf_counter()

    def after_epoch(run: TrainingRun) -> None:
        nonlocal saved
        if perf_counter() - saved >= SAVE_EVERY:
            save_checkpoint(path, run)
            saved = perf_counter()
            gap, seconds = run.history["free_energy_gap"][-1], run.history["seconds"][-1]
            print(f"epoch {run.epoch} of {settings['epochs']}: gap {gap:.2f} nats, {seconds / 60:.0f} min", flush=True)

    run = train(
        model, run, x, optimizer=optimizer, epochs=settings["epochs"], batch_size=BATCH, callbacks=[after_epoch]
    )
    save_checkpoint(path, run)
    if run.stopped == "interrupted":
        raise KeyboardInterrupt
    return run


def _legs(run: TrainingRun) -> list[dict]:
    """What a run was, leg by leg."""
    settings = run.settings["settings"]
    leg = {name: settings[name] for name in ("epochs", "rate", "weight decay")}
    return [*settings.get("start", []), leg | {"seconds": round(run.history["seconds"][-1], 1)}]


def _leg_told(leg: dict) -> str:
    return f"{leg['epochs']} epochs from rate {leg['rate']:g} with weight decay {leg['weight decay']:g}"


def _told(direction: str):
    """A progress that prints at every tenth of the way."""

    def progress(done: int, steps: int) -> None:
        if done % max(1, steps // 10) == 0:
            print(f"{direction} annealing: step {done:,} of {steps:,}", flush=True)

    return progress


def _free_energy(model: RBM, theta: Parameters, x: np.ndarray) -> float:
    """The mean F(x), nats."""
    blocks = (model.free_energy(theta, x[i : i + 1000])[0] for i in range(0, len(x), 1000))
    return float(np.concatenate(list(blocks)).mean(dtype=np.float64))


def _bars(found: LogPartition) -> str:
    low, high = found.interval
    return f"{found.log_z:.2f} ({low:.2f} to {high:.2f})"


def _summary(found: LogPartition) -> dict[str, object]:
    return {"log_z": found.log_z, "interval": list(found.interval), "effective_runs": found.effective_runs}
