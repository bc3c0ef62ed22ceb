"""``python -m benchmarks published manifolds``: figures 4 and 5 of Kingma & Welling, Auto-encoding variational Bayes.

Figure 4: what two latents decode to on a grid of equal probability, Frey Face and MNIST. Figure 5: samples of MNIST
with 2, 5, 10 and 20 latents. The networks are those of figure 2, trained with Adam, on the few faces for four times as
many epochs: with many more their test bound falls.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Scene, scene
from benchmarks.estimates import bound, row, write
from benchmarks.files import RESULTS
from benchmarks.long_run import Recipe, Trained, add_options, long_run, recipe
from npvae.models import VAE
from npvae.plots import image_grid, manifold, manifold_grid, save
from npvae.plots.canvas import require_matplotlib

SHAPES = {"frey": (28, 20), "mnist": (28, 28)}
TITLES = {"frey": "Frey Face", "mnist": "MNIST"}
MNIST_LATENTS = (2, 5, 10, 20)
EPOCHS = {"frey": 4, "mnist": 1}
SIDE = 14
"""Images along a side of a manifold."""

SAMPLES = 8
"""Images along a side of a field of samples."""


def main(argv: list[str]) -> int:
    """Train what is missing, draw, write."""
    description = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published manifolds", description=description)
    add_options(parser, epochs=60)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it there (docs/manifolds.png)")
    args = parser.parse_args(argv)
    work = args.work or Path("runs/published") / ("manifolds" + "-quick" * args.quick)
    plan = recipe(args)

    manifolds, fields, results = {}, {}, {}
    for data, numbers in {"frey": (2,), "mnist": MNIST_LATENTS[: 2 if args.quick else None]}.items():
        shown = scene(data, args.quick)
        planned = replace(plan, epochs=plan.epochs and plan.epochs * EPOCHS[data])
        for latents in numbers:
            name = f"{data}-{latents}"
            model = shown.model("aevb", latents)
            trained = _train(name, model, shown, planned, work)
            if latents == 2:
                manifolds[data] = _decoded(model, trained, manifold_grid(SIDE))
            if data == "mnist":
                z = np.random.default_rng(args.seed).standard_normal((SAMPLES**2, latents))
                fields[latents] = _decoded(model, trained, z)
            negative_elbo = bound(model, trained.mean, shown.x_test)
            print(f"{name}: test bound {-negative_elbo:.2f} nats", flush=True)
            results[name] = {
                "test_bound": -negative_elbo,
                "epochs": trained.run.epoch,
                "training_seconds": round(trained.seconds, 1),
            }
    rows = [_row(data, results) for data in TITLES]
    output = args.output or (None if args.quick else RESULTS / "published-manifolds.json")
    write(output, "manifolds", asdict(plan), rows, results)
    save(
        draw(manifolds, fields), args.picture or (work / "manifolds.png" if args.quick else Path("docs/manifolds.png"))
    )
    return 0


def _row(data: str, results: dict[str, dict]) -> dict:
    """A row of the README's table: the test bounds by number of latents."""
    found = {name.split("-")[1]: result for name, result in results.items() if name.startswith(data)}
    latents = ", ".join(found)
    return row(
        f"AEVB figures 4 and 5, {latents} latents",
        {"mnist": "MNIST, dynamic", "frey": "Frey Face, last 200 frames"}[data],
        "bound, ten draws, test",
        ", ".join(f"{result['test_bound']:.1f}" for result in found.values()),
        "pictures only",
        f"{next(iter(found.values()))['epochs']} epochs",
        sum(result["training_seconds"] for result in found.values()),
    )


def _train(name: str, model: VAE, shown: Scene, plan: Recipe, work: Path) -> Trained:
    start = model.init(np.random.default_rng(plan.seed))
    print(f"{name}: {plan}", flush=True)
    return long_run(model, shown.x, plan, work / name, {"model": name, **asdict(plan)}, start, shown.transform)


def _decoded(model: VAE, trained: Trained, z: NDArray) -> NDArray:
    """The means of p(x|z)."""
    return model.likelihood.mean(model.decode(trained.mean, z.astype(np.float32)))


def draw(manifolds: dict[str, NDArray], fields: dict[int, NDArray]):
    """The manifolds above, the samples below."""
    figure = require_matplotlib().figure.Figure(figsize=(9, 8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(4.5, 2.5))
    for ax, (data, images) in zip(above.subplots(1, len(manifolds)), manifolds.items(), strict=True):
        manifold(images, image_shape=SHAPES[data], ax=ax)
        ax.set_title(f"{TITLES[data]}: two latents, equal steps in probability")
        ax.set(xticks=[], yticks=[], xlabel="$z_1$", ylabel="$z_2$")
    for ax, (latents, images) in zip(below.subplots(1, len(fields)), fields.items(), strict=True):
        image_grid(images, SHAPES["mnist"], ax=ax)
        ax.set_title(f"samples, {latents} latents")
    return figure
