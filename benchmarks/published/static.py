"""``python -m benchmarks published static``: 784-400-40 on the fixed binarisation of MNIST, against 89.78 nats.

The figure is that of the library pythae (Chadebec et al., 2022), which trained the plain VAE of Rezende & Mohamed,
Variational inference with normalizing flows (2015), table 1, again; there it is 89.9. Adam began at 1e-4, and the
likelihood was estimated with 200 samples. Here the gradient is the path derivative of the ELBO; with --k the network is
trained as an importance-weighted autoencoder instead. On the fixed binarisation a VAE overfits. Against that stands a
Gaussian prior on the weights, of a precision that was chosen by the validation images; these also choose between the
parameters at the end and the mean of those of the last quarter. The test images are seen once.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import files
from benchmarks.data import fixed_images
from benchmarks.estimates import active_units, likelihood, row, thinned, write
from benchmarks.files import RESULTS
from benchmarks.long_run import BOUNDS, add_options, add_start, begin, legs, long_run, recipe, told
from npvae.models import VAE

PUBLISHED = "89.78 (pythae; 89.9 in the paper)"
"""The figure of the VAE, −L₂₀₀."""

ACTIVATION = "relu"


def main(argv: list[str]) -> int:
    """Train, choose, estimate, print, write."""
    args = _arguments(argv)
    name = "static" + f"-{args.k}" * (args.k > 1)
    work = args.work or Path("runs/published") / (name + "-quick" * args.quick)
    samples = [5, 10] if args.quick else args.samples

    x, x_val, x_test, data = fixed_images(args.quick)
    model = build(args.k, args.weight_prior / len(x))
    drawn = model.init(np.random.default_rng(args.seed), mean=x.mean(axis=0))
    plan = recipe(args)
    settings = {"k": args.k, "bound": model.bound, "data": data, "images": len(x), "activation": ACTIVATION}
    start, settings = begin(drawn, args.start, settings | {"weight prior": args.weight_prior, **asdict(plan)})
    print(f"{name}: {data}, {len(x):,} images; {plan}", flush=True)
    trained = long_run(model, x, plan, work, settings, start, x_val=x_val)

    candidates = {"mean of the last quarter": trained.mean, "end": trained.run.theta}
    on_validation = {
        which: likelihood(model, theta, x_val, samples[0], work, "validation", args.jobs).mean
        for which, theta in candidates.items()
    }
    chosen = min(on_validation, key=on_validation.get)
    theta = candidates[chosen]
    print(f"−L{samples[0]} of the validation images: {on_validation}; chosen: {chosen}", flush=True)
    parts = legs(settings, trained)
    seconds = sum(part["seconds"] for part in parts)
    active = active_units(model, theta, x_test)
    prior = f", prior of precision {args.weight_prior:g} on the weights" * (args.weight_prior > 0)
    estimates = {k: likelihood(model, theta, x_test, k, work, "nll", args.jobs) for k in samples}
    rows = [
        row(
            f"{'VAE' if args.k == 1 else f'IWAE, k = {args.k}'}, 784-400-40 {ACTIVATION}",
            f"{data}, fixed",
            f"−L{k}, {len(x_test):,} images",
            f"{estimate.mean:.2f}",
            (PUBLISHED if args.k == 1 else f"VAE: {PUBLISHED}") if k == samples[0] else "–",
            f"standard error {estimate.standard_error:.2f}; −ELBO {estimate.negative_elbo.mean():.2f}; {active} active;"
            f" {told(parts)}{prior}, {chosen}",
            seconds + estimate.seconds,
        )
        for k, estimate in estimates.items()
    ]
    results = {
        "chosen": chosen,
        "validation": on_validation,
        "test": {str(k): estimate.summary() for k, estimate in estimates.items()},
        "active_units": active,
        "training_seconds": round(seconds, 1),
        "history": thinned(trained.run.history),
    }
    output = args.output or (None if args.quick else RESULTS / f"published-{name}.json")
    write(output, name, settings | {"samples": samples}, rows, results)
    return 0


def build(k: int, weight_precision: float) -> VAE:
    """The network, and its bound with k samples."""
    bound = BOUNDS["dreg"][k > 1]
    return VAE.mlp(784, 40, (400,), ACTIVATION, bound=bound, n_samples=k, weight_precision=weight_precision)


def _arguments(argv: list[str]) -> argparse.Namespace:
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published static", description=what)
    parser.add_argument("--k", type=files.count, default=1, help="samples in the training's bound (1, the VAE)")
    add_start(parser)
    parser.add_argument(
        "--samples", type=files.count, nargs="+", default=[200, 5000], help="samples of the estimates (200 5000)"
    )
    prior = "precision of a Gaussian prior on the weights; 0 is none (20)"
    parser.add_argument("--weight-prior", type=float, default=20.0, metavar="TAU", help=prior)
    add_options(parser, epochs=700)
    return parser.parse_args(argv)
