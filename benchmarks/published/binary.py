"""``python -m benchmarks published binary``: linear nets of binary latents, 200 or 200-200, on fixed binary MNIST.

The figures are those of Mnih & Gregor, Neural variational inference and learning in belief networks (2014), for the
bound by NVIL, and of Mnih & Rezende, Variational inference for Monte Carlo objectives (2016), for the likelihood by
VIMCO. As there, the prior of the topmost layer is learned. A single-sample bound and a likelihood of many samples
differ by 6 to 9 nats, so both are printed. The validation images choose between the parameters at the end and the mean
of those of the last quarter. The test images are seen once.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import files
from benchmarks.data import fixed_images
from benchmarks.estimates import likelihood, row, thinned, write
from benchmarks.files import RESULTS
from benchmarks.long_run import add_options, add_start, begin, legs, long_run, recipe
from npvae.bounds import ESTIMATORS
from npvae.models import BinaryVAE

PUBLISHED = {
    ("nvil", (200,)): ("113.1", "104.4 (50,000 samples)"),
    ("nvil", (200, 200)): ("99.8", "92.9 (50,000 samples)"),
    ("leave-one-out", (200, 200)): ("99.8 (NVIL)", "92.9 (NVIL, 50,000 samples)"),
    ("vimco", (200,)): ("–", "98.8 (K = 50, 50,000 samples)"),
    ("vimco", (200, 200)): ("–", "90.7 (K = 50, 50,000 samples)"),
}
"""By estimator and layers: the single-sample bound and the negative log-likelihood."""

EPSILON = 1e-8
"""ε of Adam: the gradients of nets this wide are small."""

CHOSEN_BY = 2000
"""Validation images that choose between the end and the mean."""


def main(argv: list[str]) -> int:
    """Train, choose, estimate, print, write."""
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published binary", description=what)
    layers = "widths of the layers of latents, from the pixels up (200)"
    parser.add_argument("--layers", type=files.count, nargs="+", default=[200], metavar="N", help=layers)
    parser.add_argument("--estimator", choices=ESTIMATORS, default="vimco", help="of the encoder's gradient (vimco)")
    parser.add_argument("--k", type=files.count, help="draws of a row in training (5 with vimco, else the fewest)")
    parser.add_argument("--samples", type=files.count, default=1000, help="draws of the likelihood (1000)")
    add_start(parser)
    add_options(parser, epochs=300)
    args = parser.parse_args(argv)
    k = args.k or (5 if args.estimator == "vimco" else ESTIMATORS[args.estimator].least_samples)
    layers = "-".join(map(str, args.layers))
    name = f"binary-{args.estimator}-{layers}"
    work = args.work or Path("runs/published") / (name + "-quick" * args.quick)
    samples = 10 if args.quick else args.samples

    x, x_val, x_test, data = fixed_images(args.quick)
    mean = x.mean(axis=0, dtype=np.float64)
    model = build(args.layers, args.estimator, k, mean.astype(np.float32))
    plan = replace(recipe(args), epsilon=EPSILON)
    settings = {"estimator": args.estimator, "k": k, "layers": args.layers, "data": data, "images": len(x)}
    drawn = model.init(np.random.default_rng(args.seed), mean=mean)
    start, settings = begin(drawn, args.start, settings | asdict(plan))
    print(f"{name}: {data}, {len(x):,} images; {plan}", flush=True)
    trained = long_run(model, x, plan, work, settings, start)

    candidates = {"mean of the last quarter": trained.mean, "end": trained.run.theta}
    by_bound = args.estimator != "vimco"
    on_validation = {}
    for which, theta in candidates.items():
        found = likelihood(model, theta, x_val[:CHOSEN_BY], min(samples, 100), work, "validation", args.jobs)
        on_validation[which] = float(found.negative_elbo.mean()) if by_bound else found.mean
    chosen = min(on_validation, key=on_validation.get)
    print(f"{'bound' if by_bound else 'likelihood'} of validation images: {on_validation}; {chosen}", flush=True)
    estimate = likelihood(model, candidates[chosen], x_test, samples, work, "nll", args.jobs)
    parts = legs(settings, trained)
    seconds = sum(part["seconds"] for part in parts) + estimate.seconds
    bound, nll = PUBLISHED.get((args.estimator, tuple(args.layers)), ("–", "–"))
    notes = f"{told(parts)}; prior learned; {chosen}"
    spread = f"standard error {estimate.standard_error:.2f}; {notes}"
    label = f"binary VAE, linear {layers}"
    of_bound = f"{estimate.negative_elbo.mean():.2f}"
    images = f"{len(x_test):,} images"
    rows = [
        row(label, f"{data}, fixed", f"−ELBO, single-sample, {images}", of_bound, bound, notes, seconds),
        row(label, f"{data}, fixed", f"−L{samples}, {images}", f"{estimate.mean:.2f}", nll, spread, seconds),
    ]
    rows = rows if by_bound else rows[::-1]  # what was chosen by comes first
    results = {
        "chosen": chosen,
        "validation": on_validation,
        "test": estimate.summary(),
        "training_seconds": round(sum(part["seconds"] for part in parts), 1),
        "history": thinned(trained.run.history),
    }
    output = args.output or (None if args.quick else RESULTS / f"published-{name}.json")
    write(output, name, settings | {"samples": samples}, rows, results)
    return 0


def build(layers: Sequence[int], estimator: str, k: int, mean: np.ndarray) -> BinaryVAE:
    """Linear maps between the layers, a learned prior, pixels less their mean."""
    return BinaryVAE(len(mean), tuple(layers), (), estimator=estimator, n_samples=k, learned_prior=True, centre=mean)


def told(parts: Sequence[Mapping[str, Any]]) -> str:
    """How many epochs by which estimator with which K; legs of one kind that follow each other are one."""
    kinds = groupby(parts, key=lambda part: (part["estimator"], part["k"]))
    return ", then ".join(
        f"{sum(part['epochs'] for part in same)} epochs by {estimator}, K = {k}" for (estimator, k), same in kinds
    )
