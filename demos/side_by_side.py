"""Principal components, an autoencoder and a VAE side by side.

All three squeeze an image through 2, 8 or 32 numbers and are judged by the squared error of what comes out. A linear
autoencoder finds no more than the principal components; one with hidden units bends the plane and gets more through
as few numbers. The VAE pays for its codes in KL: with 32 of them it reconstructs worse. The right column is what it
gets for that. Codes are drawn from a Gaussian with the mean and variance of the training codes, and decoded. Where
the codes lie is nobody's business in an autoencoder, so most draws are no digits; the VAE was trained to decode N(0,
I).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets, plots
from npvae.layers import mlp
from npvae.models import PCA, Autoencoder
from npvae.optimizers import Adam
from npvae.training import train

WIDTHS = (2, 8, 32)
HIDDEN, EPOCHS = 200, 10


class Shown(NamedTuple):
    """What a method makes of the test images, and of codes that are drawn."""

    reconstructed: np.ndarray
    drawn: np.ndarray


def gaussian(codes: np.ndarray, n: int) -> np.ndarray:
    """Draws (n, d) of independent Gaussians with the means and variances of codes."""
    eps = np.random.default_rng(0).standard_normal((n, codes.shape[1]))
    return (codes.mean(axis=0) + codes.std(axis=0) * eps).astype(codes.dtype)


def principal_components(x: np.ndarray, x_test: np.ndarray, d: int) -> Shown:
    """The best plane of d dimensions."""
    model = PCA(x.shape[1], d)
    theta = model.fit(x)
    codes = model.encode(theta, x)
    return Shown(model.decode(theta, model.encode(theta, x_test)), model.decode(theta, gaussian(codes, 8)))


def autoencoder(x: np.ndarray, x_test: np.ndarray, d: int) -> Shown:
    """Two networks, trained on the squared error alone."""
    encoder, decoder = mlp(x.shape[1], (HIDDEN,), d), mlp(d, (HIDDEN,), x.shape[1])
    model = Autoencoder(x.shape[1], d, encoder, decoder)
    start = model.init(np.random.default_rng(0), mean=x.mean(axis=0))
    theta = train(model, start, x, optimizer=Adam(1e-3), epochs=EPOCHS, batch_size=100).theta
    drawn = model.decode(theta, gaussian(model.encode(theta, x), 8))
    return Shown(model.decode(theta, model.encode(theta, x_test)), drawn)


def variational(x: np.ndarray, x_test: np.ndarray, d: int) -> Shown:
    """The same networks, with Bernoulli pixels."""
    vae = VAE(d, HIDDEN, epochs=EPOCHS, batch_size=100, random_state=0).fit(x)
    return Shown(vae.reconstruct(x_test), vae.sample(8, random_state=0))


METHODS = {"PCA": principal_components, "autoencoder": autoencoder, "VAE": variational}


def run() -> Figure:
    """Fit the nine, print their errors, draw."""
    x, x_test = datasets.digits(6000, seed=0).x, datasets.digits(300, seed=1).x
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(len(METHODS) * len(WIDTHS) + 1, 2, width_ratios=(12, 8))
    plots.image_grid(x_test[:12], n_columns=12, ax=axes[0, 0])
    axes[0, 0].set(title="embedded digits, and their reconstructions", ylabel="x")
    axes[0, 1].set_title("codes from a Gaussian, decoded")
    axes[0, 1].set_axis_off()
    rows = iter(axes[1:])
    for d in WIDTHS:
        for name, method in METHODS.items():
            shown = method(x, x_test, d)
            error = float(((x_test - shown.reconstructed) ** 2).sum(axis=1).mean())
            print(f"{d:2} numbers, {name:12} squared error {error:5.1f} an image", flush=True)
            left, right = next(rows)
            plots.image_grid(shown.reconstructed[:12], n_columns=12, ax=left)
            plots.image_grid(shown.drawn, n_columns=8, ax=right)
            left.set_ylabel(f"{name}, {d}\n{error:.1f}", rotation=0, ha="right", va="center", fontsize=9)
    axes[0, 0].set_ylabel("x", rotation=0, ha="right", va="center")
    return figure
