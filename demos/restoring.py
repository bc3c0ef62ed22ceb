"""p(x) as a prior: an image restored from half of it, from noise, from few pixels, from random projections.

What was seen is y = A x + noise with a known matrix A. With a trained decoder as the prior of images, p(z|y) ∝ p(z)
N(y; A x(z), σ² I), and Hamiltonian Monte Carlo draws from it along the decoder's hand-written gradient. Where y
leaves several images possible the draws differ, and the standard deviation says at which pixels. What the decoder
cannot draw is not restored, and a chain seldom leaves the digit that it has found.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets, plots
from npvae.evaluation import operators, restore

SHAPE = (28, 28)
ROWS = 4
SEEN = {
    "the upper half, σ = 0.4": (operators.mask(np.arange(784) < 14 * 28), 0.4),
    "noise, σ = 0.6": (operators.identity(784), 0.6),
    "7 × 7 pixels, σ = 0.15": (operators.downsample(SHAPE, 4), 0.15),
    "40 projections, σ = 0.5": (operators.projection(784, 40), 0.5),
}
"""The operator and the standard deviation of the noise."""


def run() -> Figure:
    """Train a VAE, restore four digits in each of four ways, measure and draw."""
    digits, test = datasets.digits(10_000, seed=0), datasets.digits(ROWS, seed=1)
    vae = VAE(12, 256, binarize="dynamic", epochs=12, batch_size=100, random_state=0).fit(digits.x)
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    for ax, (name, (operator, sigma)) in zip(figure.subplots(2, 2).flat, SEEN.items(), strict=True):
        rng = np.random.default_rng(0)
        y = operator.forward(test.x) + sigma * rng.standard_normal((ROWS, operator.n_out)).astype(np.float32)
        found = restore(vae.model_, vae.theta_, y, operator, sigma, rng, warm_up=150, steps=100)
        seen = np.clip(operator.adjoint(y), 0, None)
        seen /= seen.max(axis=1, keepdims=True)
        error = ((found.mean - test.x) ** 2).mean()
        print(f"{name:24} PSNR {-10 * np.log10(error):5.1f} dB, accepted {found.acceptance.mean():.2f}", flush=True)
        columns = [test.x, seen, found.mean, *found.draws, found.std / 0.5]
        plots.image_grid(np.stack(columns, axis=1).reshape(-1, 784), n_columns=len(columns), ax=ax)
        ax.set_title(f"from {name}", fontsize=10)
        names = ["x", "seen", "mean", "", "draws", "", "", "std"]
        ax.set_xticks(14 + 29 * np.arange(len(columns)), names, fontsize=8)
        ax.tick_params(length=0)
    return figure
