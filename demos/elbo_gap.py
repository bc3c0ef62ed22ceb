"""log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)), with all three numbers exact.

A VAE with a single latent is small enough to integrate: p(x) = ∫ p(x|z) p(z) dz is a sum over a fine grid of z.
Training raises the ELBO; that raises log p(x), and keeps the gap between them, the KL from q to the true posterior,
small but not zero, since q is a Gaussian and the posterior is not. The importance-weighted bound L_k closes the gap
as k grows (Burda et al., arXiv 1509.00519).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets

GRID = np.linspace(-6, 6, 1201)
"""Values of z, two standard deviations wider than any that matter."""


def exact(vae: VAE, x: np.ndarray) -> tuple[float, float]:
    """ELBO and log p(x), means over binary rows of x, nats, by sums over the grid."""
    pixel = np.clip(vae.inverse_transform(GRID[:, None]).astype(np.float64), 1e-12, 1 - 1e-12)
    log_px_given_z = x @ np.log(pixel).T + (1 - x) @ np.log1p(-pixel).T
    log_prior = -(GRID**2 + np.log(2 * np.pi)) / 2
    log_px = np.logaddexp.reduce(log_px_given_z + log_prior, axis=1) + np.log(GRID[1] - GRID[0])
    mu, log_var = (array.astype(np.float64) for array in vae.encode(x))
    log_q = -((GRID - mu) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi)) / 2
    q = np.exp(log_q) * (GRID[1] - GRID[0])
    elbo = (q * (log_px_given_z + log_prior - log_q)).sum(axis=1)
    return float(elbo.mean()), float(log_px.mean())


def run() -> Figure:
    """Train for longer and longer, and compare; then L_k for one of the models."""
    x, x_test = ((datasets.digits(n, seed).x > 0.5).astype(np.float32) for n, seed in ((5000, 0), (300, 1)))
    epochs, rows = (1, 4, 8, 16, 32), []
    for n in epochs:
        vae = VAE(1, 200, "tanh", epochs=n, batch_size=100, random_state=0).fit(x)
        rows.append(exact(vae, x_test))
        elbo, log_px = rows[-1]
        print(f"{n:2} epochs: ELBO {elbo:8.2f} + KL {log_px - elbo:5.2f} = log p(x) {log_px:8.2f} nats", flush=True)
    draws = (1, 2, 5, 10, 50, 200, 1000)
    bounds = [float(vae.log_likelihood(x_test, k=k).log_px.mean()) for k in draws]
    for k, bound in zip(draws, bounds, strict=True):
        print(f"L_{k:<4} {bound:8.2f}, below log p(x) by {log_px - bound:.3f}")

    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    elbos, sums = np.transpose(rows)
    names = [str(n) for n in epochs]
    floor = elbos[1:].min() - 12
    left.bar(names, elbos - floor, bottom=floor, color="tab:blue", label="ELBO")
    left.bar(names, sums - elbos, bottom=elbos, color="tab:orange", label="KL(q(z|x) ‖ p(z|x))")
    left.set(title="one latent, embedded digits: ELBO + KL = log p(x)", xlabel="epochs", ylabel="nats an image")
    left.set_ylim(floor, sums.max() + 12)
    left.legend(loc="upper left")
    right.semilogx(draws, bounds, "o-", label="$L_k$")
    right.axhline(elbo, color="tab:blue", linestyle=":", label="ELBO")
    right.axhline(log_px, color="k", linewidth=1, label="log p(x)")
    right.set(title=f"after {n} epochs: the bound with k draws", xlabel="k")
    right.legend(loc="center right")
    return figure
