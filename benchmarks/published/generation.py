"""``python -m benchmarks published generation``: new digits from the codes of an autoencoder, and from a VAE, on MNIST.

The codes of the training images are given a density: a Gaussian with independent latents, or a mixture of 30 Gaussians
by EM. Draws from it are decoded. Autoencoder and VAE have one layer of 400 hidden units on either side. The figure is
minus the mean log-density of the test images' codes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from benchmarks.estimates import row
from benchmarks.published.autoencoders import add_options, finish, images, recipe, trained
from npvae import VAE, Autoencoder, GaussianMixture, plots

HIDDEN, COMPONENTS = 400, 30

EPOCHS = 6

SAMPLES = 64

GALLERY = {
    "generation": (
        "New digits: an autoencoder's codes need a density first, a VAE's have one",
        """
Left: where an autoencoder with two latents puts the test images, and the thirty ellipses by which the mixture
describes that. A single Gaussian with independent latents describes it badly: it has the middle where hardly any image
lies, and reaches where none does. Right: codes are drawn and decoded. With two latents the factored Gaussian gets away
with it, for the plane is full, apart from some broken shapes. With eight, half of its draws are no digits; nearly
all of the mixture's are. The VAE was trained so that N(0, I) is the density of its codes, and needs no second model;
after six epochs its draws are softer, and some are undecided. The codes of test images cost 19.8 nats under the mixture
of eight latents, and 23.1 under the factored Gaussian.
""",
    )
}


class Generated(NamedTuple):
    """Codes of test images, the mixture that was fitted to those of training images, and samples by their origin."""

    codes: NDArray
    mixture: GaussianMixture
    samples: Mapping[str, NDArray]


def main(argv: list[str]) -> int:
    """Train what is missing, fit the densities, sample, print, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published generation", description=__doc__)
    parser.add_argument("--latents", type=files.count, nargs="+", default=[2, 8], metavar="D", help="of a code (2 8)")
    add_options(parser, str(EPOCHS), "generation")
    args = parser.parse_args(argv)
    x, test, data = images(args.quick)
    rows, results, generated = [], {}, {}
    for d in args.latents:
        how = recipe(args, EPOCHS)
        model = trained(Autoencoder(d, HIDDEN, mean_link="sigmoid", **how), x.x, args, str(d))
        vae = trained(VAE(d, HIDDEN, **how), x.x, args, f"vae-{d}")
        codes, test_codes = model.transform(x.x), model.transform(test.x)
        factored = GaussianMixture(1, covariance="diagonal", random_state=0).fit(codes)
        began = perf_counter()
        mixture = GaussianMixture(COMPONENTS, random_state=0).fit(codes)
        seconds = perf_counter() - began
        found = {name: -density.score(test_codes) for name, density in (("mixture", mixture), ("factored", factored))}
        samples = {
            "factored Gaussian": model.sample(SAMPLES, 0, latent_model=factored),
            f"mixture of {COMPONENTS}": model.sample(SAMPLES, 0, latent_model=mixture),
            "VAE": vae.sample(SAMPLES, 0),
        }
        generated[d] = Generated(test_codes, mixture, samples)
        label = f"mixture of {COMPONENTS}, codes of {d} latents"
        notes = f"factored Gaussian {found['factored']:.2f}; {mixture.n_iter_} steps of EM on {len(codes):,} codes"
        rows.append(row(label, data, "−log p(code), test images", f"{found['mixture']:.2f}", "–", notes, seconds))
        results[str(d)] = found | {"seconds": round(seconds, 2), "steps": mixture.n_iter_}
    settings = {"data": data, "images": len(x), "components": COMPONENTS}
    finish(args, "generation", settings, rows, results, {"generation": draw(generated, test.labels)})
    return 0


def draw(generated: Mapping[int, Generated], labels: NDArray) -> Any:
    """The plane of two latents with the mixture's ellipses; beside it the samples, a row a number of latents."""
    figure = plots.require_matplotlib().figure.Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(5, 8))
    ax = left.subplots()
    codes, mixture, _ = generated[2]
    plots.latent_scatter(codes, labels, ax=ax)
    plots.ellipses(mixture.means_, mixture.covariances_, ax=ax)
    ax.set(xlabel="$h_1$", ylabel="$h_2$", title=f"codes of test images, {COMPONENTS} components")
    axes = right.subplots(len(generated), len(generated[2].samples))
    for row_axes, (d, found) in zip(np.atleast_2d(axes), generated.items(), strict=True):
        for sample_ax, (name, samples) in zip(row_axes, found.samples.items(), strict=True):
            plots.image_grid(samples, (28, 28), ax=sample_ax, title=f"{name}, {d} latents")
    return figure
