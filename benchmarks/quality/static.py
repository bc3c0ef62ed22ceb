"""``python -m benchmarks quality static``: 784-400-40 on the fixed binarisation of MNIST, against 89.78 nats.

The figure is that of the library pythae (Chadebec et al., 2022), which trained the plain VAE of Rezende & Mohamed,
Variational inference with normalizing flows (2015), table 1, again; there it is 89.9. Adam began at 1e-4, and the
likelihood was estimated with 200 samples. Here the gradient is the path derivative of the ELBO. On the fixed
binarisation a VAE overfits. Against that stands a Gaussian prior on the weights, of a precision that was chosen by the
bound of the validation images; these also choose between the parameters at the end and the mean of those of the last
quarter. The test images are seen once.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import files
from benchmarks.files import RESULTS
from benchmarks.images import data_folder
from benchmarks.quality.data import digit_images
from benchmarks.quality.estimates import likelihood
from benchmarks.quality.long_run import add_options, long_run, recipe
from benchmarks.quality.result import active_units, bound, row, thinned, write
from npvae import datasets
from npvae.models import GaussianVAE

PUBLISHED = "89.78 (pythae; 89.9 in the paper)"

ACTIVATION = "relu"


def main(argv: list[str]) -> int:
    """Train, choose, estimate, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality static", description=__doc__.split(": ", 1)[1])
    parser.add_argument(
        "--samples", type=files.count, nargs="+", default=[200, 5000], help="samples of the estimates (200 5000)"
    )
    prior = "precision of a Gaussian prior on the weights; 0 is none (20)"
    parser.add_argument("--weight-prior", type=float, default=20.0, metavar="TAU", help=prior)
    add_options(parser, epochs=700)
    args = parser.parse_args(argv)
    work = args.work or Path("runs/quality") / ("static" + "-quick" * args.quick)
    samples = [5, 10] if args.quick else args.samples

    x, x_val, x_test, data = _images(args.quick)
    model = GaussianVAE(784, 40, (400,), ACTIVATION, bound="stl", weight_precision=args.weight_prior / len(x))
    start = model.init(np.random.default_rng(args.seed), mean=x.mean(axis=0))
    plan = recipe(args)
    settings = {"data": data, "images": len(x), "activation": ACTIVATION, "bound": model.bound}
    settings |= {"weight prior": args.weight_prior, **asdict(plan)}
    print(f"static: {data}, {len(x):,} images; {plan}", flush=True)
    trained = long_run(model, x, plan, work, settings, start, x_val=x_val)

    candidates = {"mean of the last quarter": trained.mean, "end": trained.run.theta}
    on_validation = {name: bound(model, theta, x_val) for name, theta in candidates.items()}
    chosen = min(on_validation, key=on_validation.get)
    theta = candidates[chosen]
    print(f"−ELBO on the validation images: {on_validation}; chosen: {chosen}", flush=True)
    active = active_units(model, theta, x_test)
    prior = f", prior of precision {args.weight_prior:g} on the weights" * (args.weight_prior > 0)
    estimates = {k: likelihood(model, theta, x_test, k, work, "nll") for k in samples}
    rows = [
        row(
            f"VAE, 784-400-40 {ACTIVATION}",
            f"{data}, fixed",
            f"−L{k}, {len(x_test):,} images",
            f"{estimate.mean:.2f}",
            PUBLISHED if k == samples[0] else "–",
            f"standard error {estimate.standard_error:.2f}; −ELBO {estimate.negative_elbo.mean():.2f}; {active} active;"
            f" {trained.run.epoch} epochs by the path gradient{prior}, {chosen}",
            trained.seconds + estimate.seconds,
        )
        for k, estimate in estimates.items()
    ]
    results = {
        "chosen": chosen,
        "validation": on_validation,
        "test": {str(k): estimate.summary() for k, estimate in estimates.items()},
        "active_units": active,
        "training_seconds": round(trained.seconds, 1),
        "history": thinned(trained.run.history),
    }
    output = args.output or (None if args.quick else RESULTS / "quality-static.json")
    write(output, "static", settings | {"samples": samples}, rows, results)
    return 0


def _images(quick: bool) -> tuple:
    """Training, validation and test images, and the name of the data."""
    if quick:
        grey, test, name = digit_images(quick)
        fixed = (grey > 127).astype(np.float32)
        return fixed[:1800], fixed[1800:], test, name
    parts = (datasets.binarized_mnist(split, data_folder()).x for split in ("train", "valid", "test"))
    return *parts, "MNIST"
