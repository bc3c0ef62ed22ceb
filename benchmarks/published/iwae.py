"""``python -m benchmarks published iwae``: table 1 of Burda et al., Importance weighted autoencoders (2015), one layer.

784-200-200-50 with tanh, MNIST binarised anew at every visit of an image, the test images by one fixed draw; k = 1 is
the VAE. Their schedule took 3,280 epochs of batches of 20; this one keeps to a time. The gradient of the bound is the
doubly reparameterised one unless another is asked for: the same in expectation, and less noisy.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import files
from benchmarks.data import TEST_DRAW, binarize, digit_images
from benchmarks.estimates import active_units, likelihood, row, thinned, write
from benchmarks.files import RESULTS
from benchmarks.long_run import BOUNDS, add_options, add_start, begin, legs, long_run, recipe, told
from npvae.models import VAE

PUBLISHED = {1: (86.76, 19), 5: (85.54, 22), 50: (84.78, 25)}
"""−L₅₀₀₀ and number of active units of the IWAE, by k."""

UNAVERAGED = 1000
"""Images on which the last parameters are tried as well."""


def main(argv: list[str]) -> int:
    """Train, estimate, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published iwae", description=__doc__.split(": ", 1)[1])
    parser.add_argument("--k", type=int, choices=PUBLISHED, default=1, help="samples in the training's bound (1)")
    parser.add_argument("--gradient", choices=BOUNDS, default="dreg", help="how the bound's gradient is taken (dreg)")
    add_start(parser)
    parser.add_argument("--samples", type=files.count, default=5000, help="samples in the final estimate (5000)")
    add_options(parser, minutes=85)
    args = parser.parse_args(argv)
    name = f"iwae-{args.k}" + "-plain" * (args.gradient == "plain")
    work = args.work or Path("runs/published") / (name + "-quick" * args.quick)
    samples = 10 if args.quick else args.samples

    x, x_test, data = digit_images(args.quick)
    model = build(args.k, args.gradient)
    drawn = model.init(np.random.default_rng(args.seed), mean=(x / 255).mean(axis=0))
    plan = recipe(args)
    settings = {"k": args.k, "bound": model.bound, "data": data, "images": len(x), "test draw": TEST_DRAW}
    start, settings = begin(drawn, args.start, settings | asdict(plan))
    print(f"{name}: {data}, {len(x):,} images, binarised at every visit; {plan}", flush=True)
    trained = long_run(model, x, plan, work, settings, start, transform=binarize)

    nll = likelihood(model, trained.mean, x_test, samples, work, "averaged", args.jobs)
    last = likelihood(model, trained.run.theta, x_test[:UNAVERAGED], samples, work, "last", args.jobs)
    elbo, active = float(nll.negative_elbo.mean()), active_units(model, trained.mean, x_test)
    published, units = PUBLISHED[args.k]
    parts = legs(settings, trained)
    epochs, seconds = (sum(part[what] for part in parts) for what in ("epochs", "seconds"))
    first = len(last.nll)
    results = {
        "epochs": epochs,
        "training_seconds": round(seconds, 1),
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
            f"{published} ({units} active{'' if samples == 5000 else ', by L5000'})",
            f"standard error {nll.standard_error:.2f}; −ELBO {elbo:.2f}; {told(parts)}",
            seconds + nll.seconds,
        )
    ]
    output = args.output or (None if args.quick else RESULTS / f"published-{name}.json")
    write(output, name, settings | {"samples": samples}, rows, results)
    return 0


def build(k: int, gradient: str) -> VAE:
    """The paper's network with one stochastic layer, its bound with k samples and the gradient by name."""
    return VAE.mlp(784, 50, (200, 200), "tanh", bound=BOUNDS[gradient][k > 1], n_samples=k)
