"""``python -m benchmarks published codes``: 64 binary latents beside Gaussian ones and an autoencoder's, on MNIST.

The pictures are those with which Huang & Zuo, Deep probabilistic generative models (2020), tell the models apart:
posterior means of the binary latents by class; then what each model draws, as the distribution of each pixel and as the
most probable image. All have one layer of 200 hidden units on either side and Bernoulli pixels, and learn the images of
MNIST with a threshold at ½.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from benchmarks.estimates import row, thinned
from benchmarks.published.autoencoders import add_options, finish, images, recipe, trained
from npvae import VAE, Autoencoder, BinaryVAE, GaussianMixture, datasets, plots
from npvae.datasets import Dataset

BITS, LATENTS, HIDDEN, COMPONENTS = 64, 20, 200, 30

EPOCHS = 5

SAMPLES = 36


def main(argv: list[str]) -> int:
    """Train the three, sample, print, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published codes", description=__doc__)
    add_options(parser, str(EPOCHS), "codes")
    args = parser.parse_args(argv)
    x, test, data = images(args.quick)
    x, x_test = (datasets.threshold(part.x) for part in (x, test))
    models = {name: trained(model, x, args, name) for name, model in untrained(args).items()}
    rows, results = [], {}
    for name in ("binary", "gaussian"):
        loss = -models[name].score(x_test)
        seconds = sum(models[name].history_["seconds"][-1:])
        what, notes = f"−ELBO, one sample, {len(x_test):,} images", f"{models[name].n_iter_} epochs"
        rows.append(row(LABELS[name], f"{data}, threshold", what, f"{loss:.1f}", "–", notes, seconds))
        results[name] = {"negative_elbo": loss, "history": thinned(models[name].history_)}
    mixture = GaussianMixture(COMPONENTS, random_state=0)
    models["autoencoder"].fit_latent_model(x.reshape(-1, 28, 28), mixture)
    figures = {"codes": draw(models), "bits": bits(models["binary"], test, x_test)}
    finish(args, "codes", {"data": data, "images": len(x), "samples": SAMPLES}, rows, results, figures)
    return 0


LABELS = {
    "binary": f"binary VAE, {BITS} bits",
    "gaussian": f"VAE, {LATENTS} Gaussian latents",
    "autoencoder": f"autoencoder, {LATENTS} latents, mixture of {COMPONENTS}",
}


def untrained(args: argparse.Namespace) -> dict[str, Any]:
    """The three models, by the names of `LABELS`."""
    how = recipe(args, EPOCHS)
    return {
        "binary": BinaryVAE(BITS, HIDDEN, **how),
        "gaussian": VAE(LATENTS, HIDDEN, **how),
        "autoencoder": Autoencoder(LATENTS, HIDDEN, likelihood="bernoulli", **how),
    }


def draw(models: Mapping[str, Any]) -> Any:
    """Draws of every model: above the distribution of the pixels, below the most probable image of each."""
    figure = plots.require_matplotlib().figure.Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, len(models))
    for (name, model), above, below in zip(models.items(), *axes, strict=True):
        means = model.sample(SAMPLES, 0)
        plots.image_grid(means, (28, 28), ax=above, title=LABELS[name])
        plots.image_grid(datasets.threshold(means), (28, 28), ax=below)
    axes[0, 0].set_ylabel("probability of each pixel")
    axes[1, 0].set_ylabel("most probable image")
    return figure


def bits(model: BinaryVAE, test: Dataset, x_test: NDArray) -> Any:
    """The posterior means of the bits by class."""
    return plots.bit_histograms(model.transform(x_test), test.labels)
