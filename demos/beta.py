"""β: what a nat of KL costs, and what it buys.

The loss is reconstruction + β · KL. A small β buys sharp reconstructions with many nats of KL, and the aggregated
posterior drifts away from the prior, so that draws from the prior decode to shapes that are no digits. A large β
saves the KL and blurs everything; latents that are not worth their price fall silent. β = 1 is the ELBO. Each column
is a VAE with ten latents (Higgins et al., β-VAE, 2017).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets, plots

BETAS = (0.05, 0.3, 1.0, 4.0, 16.0)


def run() -> Figure:
    """Train five, and draw reconstructions and samples of each below its place on the curve of the two terms."""
    digits, test = datasets.digits(8000, seed=0), datasets.digits(500, seed=1)
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.35))
    curve, columns = above.subplots(), below.subplots(2, len(BETAS))
    points = []
    for beta, (top, bottom) in zip(BETAS, columns.T, strict=True):
        vae = VAE(10, 256, beta=beta, binarize="dynamic", epochs=12, batch_size=100, random_state=0).fit(digits.x)
        mu, log_var = vae.encode(test.x)
        kl = (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1).mean() / 2
        x = vae.prepare(test.x)
        x_hat = np.clip(vae.reconstruct(x), 1e-6, 1 - 1e-6)
        reconstruction = -(x * np.log(x_hat) + (1 - x) * np.log1p(-x_hat)).sum(axis=1).mean()
        print(f"β = {beta:<5g} reconstruction {reconstruction:6.1f}, KL {kl:5.1f} nats", flush=True)
        points.append((kl, reconstruction))
        pairs = np.stack([test.x[:8], vae.reconstruct(test.x[:8])], axis=1).reshape(16, 784)
        plots.image_grid(pairs, n_columns=4, ax=top)
        plots.image_grid(vae.sample(16, random_state=0), n_columns=4, ax=bottom)
        top.set_title(f"β = {beta:g}")
    columns[0, 0].set_ylabel("$x$ beside $\\hat{x}$")
    columns[1, 0].set_ylabel("samples")
    curve.plot(*np.transpose(points), "o-")
    for (kl, reconstruction), beta in zip(points, BETAS, strict=True):
        curve.annotate(f"β = {beta:g}", (kl, reconstruction), (6, 5), textcoords="offset points")
    curve.set(title="VAE with ten latents, embedded digits, held out", xlabel="KL, nats an image")
    curve.set(ylabel="reconstruction, nats", xlim=(-2, 58), ylim=(70, 185))
    return figure
