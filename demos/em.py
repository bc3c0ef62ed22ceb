"""EM seen as two bars: the bound, and what is missing to the likelihood.

log p(x) = bound(q, θ) + KL(q(k) ‖ p(k|x, θ)) for any q. The E step sets q to the posterior: the second bar vanishes,
the sum stays. The M step raises the bound with q held: θ moves, q is no longer the posterior, the second bar is back,
and the sum has risen by both. A variational autoencoder does the same with a q that a network answers, and with both
steps at once; there the second bar never quite vanishes.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae.models.gaussian_mixture import GaussianMixture
from npvae.parameters import Parameters

STEPS = 5


def bars(model: GaussianMixture, theta: Parameters, x: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Bound and KL(q‖posterior), means over the rows of x, nats; q (n, k) sums to one along its rows."""
    posterior, log_px = model.e_step(theta, x)
    some = q > 0
    log_ratio = np.log(np.where(some, q, 1)) - np.log(np.where(some, np.maximum(posterior, 1e-300), 1))
    kl = float((q * log_ratio).sum(axis=1).mean())
    return float(log_px.mean()) - kl, kl


def run() -> Figure:
    """Fit a mixture of three to a mixture of three, from means that are all wrong."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(m, s, (200, 1)) for m, s in ((-4, 0.7), (0, 1.2), (5, 0.8))])
    model = GaussianMixture(n_features=1, n_components=3, covariance="diagonal")
    theta = Parameters(model.shapes, np.float64)
    theta["weights"][:], theta["means"][:, 0], theta["covariances"][:] = 1 / 3, (2.7, -1.4, -3.9), 4
    q = np.full((len(x), 3), 1 / 3)
    names, heights = ["start"], [bars(model, theta, x, q)]
    for step in range(1, STEPS + 1):
        q = model.e_step(theta, x)[0]
        names.append(f"E {step}")
        heights.append(bars(model, theta, x, q))
        theta = model.m_step(theta, model.moments(theta, x, q))
        names.append(f"M {step}")
        heights.append(bars(model, theta, x, q))
    for name, (bound, kl) in zip(names, heights, strict=True):
        print(f"{name:6} bound {bound:8.4f} + KL {kl:7.4f} = log p(x) {bound + kl:8.4f} nats a row")

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    ax = figure.subplots()
    bound, kl = np.transpose(heights)
    floor = bound[0] + kl[0] - 0.05  # the first bound is far below
    ax.bar(names, bound - floor, bottom=floor, color="tab:blue", label="bound(q, θ)")
    ax.bar(names, kl, bottom=bound, color="tab:orange", label="KL(q ‖ posterior)")
    ax.step(np.arange(len(names)), bound + kl, "k", where="mid", linewidth=1, label="log p(x)")
    for i, gap in enumerate(kl):
        ax.annotate(f"{gap:.3f}", (i, bound[i] + gap), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    title = "mixture of three Gaussians: an E step closes the gap (numbers), an M step raises the bound"
    ax.set(ylabel="nats a row", ylim=(floor, (bound + kl).max() + 0.03), title=title)
    ax.legend(loc="upper left")
    return figure
