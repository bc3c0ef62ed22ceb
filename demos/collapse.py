"""Posterior collapse, and its cures.

A latent has collapsed where q(z_j|x) is the prior whatever x is: it costs no KL and says nothing. The usual way there
is the squared error of pixels, a Gaussian with σ = 1: an error of a tenth of the range costs next to nothing, so
hardly any latent pays for itself. Warm-up of β and free bits keep latents alive through the beginning, or for ever;
but what they may say is still worth little. The cure at the root is the right noise: a smaller σ, or one that is
learned.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets, plots

CURES = {
    "σ = 1": {"likelihood": "gaussian", "sigma": 1.0},
    "σ = 1, warm-up of β": {"likelihood": "gaussian", "sigma": 1.0, "beta_schedule": "warm-up"},
    "σ = 1, free bits 0.2": {"likelihood": "gaussian", "sigma": 1.0, "free_bits": 0.2},
    "σ = 0.25": {"likelihood": "gaussian", "sigma": 0.25},
    "σ learned": {"likelihood": "gaussian-shared"},
}


def run() -> Figure:
    """Train one VAE a cure; draw the KL of each latent, from the highest on, and reconstructions."""
    digits, test = datasets.digits(6000, seed=0), datasets.digits(500, seed=1)
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
    ax, rows = left.subplots(), right.subplots(len(CURES) + 1, 1)
    plots.image_grid(test.x[:12], n_columns=12, ax=rows[0])
    rows[0].set_title("x, and its reconstructions", fontsize=10)
    for (name, options), row in zip(CURES.items(), rows[1:], strict=True):
        vae = VAE(20, 256, mean_link="sigmoid", epochs=10, batch_size=100, random_state=0, **options).fit(digits.x)
        mu, log_var = vae.encode(test.x)
        kl = np.sort((mu**2 + np.exp(log_var) - 1 - log_var).mean(axis=0) / 2)[::-1]
        x_hat = vae.reconstruct(test.x)
        error = float(((test.x - x_hat) ** 2).sum(axis=1).mean())
        print(f"{name:22} KL {kl.sum():5.1f} nats, squared error {error:5.1f} an image", flush=True)
        ax.semilogy(range(1, len(kl) + 1), kl, "o-", markersize=3, label=name)
        plots.image_grid(x_hat[:12], n_columns=12, ax=row)
        row.set_title(name, fontsize=10)
    ax.axhline(0.01, color="grey", linestyle=":")
    ax.annotate("silent below", (1, 0.0105), color="grey", fontsize=8, va="bottom")
    ax.set(title="20 latents, embedded digits", xlabel="latent, from the highest KL on", ylabel="KL, nats")
    ax.set_xticks(range(1, 21, 3))
    ax.legend(fontsize=8)
    return figure
