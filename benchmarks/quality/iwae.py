"""``python -m benchmarks quality iwae``: table 1 of Burda et al., Importance weighted autoencoders (2015), one layer.

784-200-200-50 with tanh, MNIST binarised anew at every visit of an image, the test images by one fixed draw; k = 1 is
the VAE with its analytic KL. Their schedule took 3,280 epochs of batches of 20; this is one of batches of 100.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.files import RESULTS
from benchmarks.quality.data import TEST_DRAW, binarize, digit_images
from benchmarks.quality.estimates import likelihood
from benchmarks.quality.long_run import add_options, long_run, recipe
from benchmarks.quality.result import active_units, row, thinned, write
from npvae.models import GaussianVAE

PUBLISHED = {1: (86.76, 19), 5: (85.54, 22), 50: (84.78, 25)}
"""−L₅₀₀₀ and number of active units of the IWAE, by k."""

UNAVERAGED = 1000
"""Images on which the last parameters are tried as well."""


def main(argv: list[str]) -> int:
    """Train, estimate, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality iwae", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--k", type=int, choices=PUBLISHED, default=1, help="samples in the training's bound (1)")
    parser.add_argument("--samples", type=int, default=5000, help="samples in the final estimate (5000)")
    add_options(parser, minutes=85)
    args = parser.parse_args(argv)
    name = f"iwae-{args.k}"
    work = args.work or Path("runs/quality") / (name + "-quick" * args.quick)
    samples = 10 if args.quick else args.samples

    x, x_test, data = digit_images(args.quick)
    model = build(args.k)
    start = model.init(np.random.default_rng(args.seed), mean=(x / 255).mean(axis=0))
    plan = recipe(args)
    settings = {"k": args.k, "data": data, "images": len(x), "test draw": TEST_DRAW, **asdict(plan)}
    print(f"{name}: {data}, {len(x):,} images, binarised at every visit; {plan}", flush=True)
    trained = long_run(model, x, plan, work, settings, start, transform=binarize)

    nll = likelihood(model, trained.mean, x_test, samples, work, "averaged")
    last = likelihood(model, trained.run.theta, x_test[:UNAVERAGED], samples, work, "last")
    elbo, active = float(nll.negative_elbo.mean()), active_units(model, trained.mean, x_test)
    published, units = PUBLISHED[args.k]
    first = len(last.nll)
    results = {
        "epochs": trained.run.epoch,
        "steps": trained.run.optimizer_state.t,
        "training_seconds": round(trained.seconds, 1),
        "test": nll.summary(),
        "active_units": active,
        f"first_{first}_images": {"averaged": float(nll.nll[:first].mean()), "last": last.mean},
        "history": thinned(trained.run.history),
    }
    rows = [
        row(
            f"{'VAE' if args.k == 1 else f'IWAE, k = {args.k}'}, 784-200-200-50 tanh",
            f"{data}, dynamic",
            f"−L{samples}, {len(x_test):,} images",
            f"{nll.mean:.2f} ({active} active)",
            f"{published} ({units} active)",
            f"standard error {nll.standard_error:.2f}; −ELBO {elbo:.2f}; {trained.run.epoch} epochs",
            trained.seconds + nll.seconds,
        )
    ]
    output = args.output or (None if args.quick else RESULTS / f"quality-{name}.json")
    write(output, name, settings | {"samples": samples}, rows, results)
    return 0


def build(k: int) -> GaussianVAE:
    """The paper's network with one stochastic layer."""
    model = GaussianVAE(784, 50, (200, 200), "tanh")
    return model if k == 1 else replace(model, bound="iwae", n_samples=k)
