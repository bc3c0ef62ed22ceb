"""The noise of six gradient estimates at the same point.

A VAE is trained a little on the embedded digits. There, each bound's estimate of the encoder's gradient is drawn many
times, for the same images with fresh noise, and its signal-to-noise ratio taken: ‖mean‖ / √(trace of the covariance).
The first four estimate the gradient of the ELBO from k samples. The ratios of the first three grow as √k, that of the
score function faster, since its baseline improves with k as well. The last two estimate the gradient of L_k, which
shrinks as k grows; DReG's ratio grows with the effective sample size, and not where a draw or two have all the
weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from npvae import datasets
from npvae.evaluation import log_likelihood
from npvae.models import VAE
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from npvae.training import train

ELBO = {"elbo": "ELBO, analytic KL", "monte-carlo": "ELBO, sampled KL", "stl": "path derivative"}
ELBO["score-function"] = "score function"
L_K = {"iwae": "plain", "dreg": "doubly reparameterised"}
ROWS = 32


def model(bound: str, k: int) -> VAE:
    """The same networks for each bound."""
    return VAE.mlp(n_features=784, latent_dim=8, hidden=(64,), bound=bound, n_samples=k)


def trained(x: np.ndarray, epochs: int) -> Parameters:
    """Parameters on their way."""
    start = model("elbo", 1).init(np.random.default_rng(0), mean=x.mean(axis=0))
    return train(model("elbo", 1), start, x, optimizer=Adam(2e-3), epochs=epochs).theta


def signal_to_noise(model: VAE, theta: Parameters, x: np.ndarray, draws: int) -> float:
    """‖mean‖ / √(trace of the covariance) of the encoder's gradient, over fresh noise."""
    rng = np.random.default_rng(1)
    gradients = np.stack(
        [model.loss_and_grad(theta, x, model.draw_noise(rng, len(x)))[1].section("encoder").flat for _ in range(draws)]
    ).astype(np.float64)
    spread = gradients.var(axis=0, ddof=1).sum()
    signal = max(np.sum(gradients.mean(axis=0) ** 2) - spread / draws, 0.0)  # the mean of noise is not nothing
    return float(np.sqrt(signal / spread))


def measure(epochs: int = 4, draws: int = 100, samples: Sequence[int] = (2, 5, 20)) -> dict[str, list[float]]:
    """By bound, and for "worth of k draws", a number for each of the sample sizes."""
    x = (datasets.digits(5000, seed=0).x > 0.5).astype(np.float32)
    theta, x = trained(x, epochs), x[:ROWS]
    found = {b: [signal_to_noise(model(b, k), theta, x, draws) for k in samples] for b in ELBO | L_K}
    worth = [log_likelihood(model("elbo", 1), theta, x, 2, k).effective_samples for k in samples]
    return found | {"worth of k draws": [float(np.median(sizes)) for sizes in worth]}


def run() -> Figure:
    """Draw, print, and draw."""
    samples = (2, 5, 20)
    found = measure(samples=samples)
    print("signal-to-noise ratio of the encoder's gradient, higher is better")
    print(f"{'':16}" + "".join(f"{f'k = {k}':>10}" for k in samples))
    for name, numbers in found.items():
        print(f"{name:16}" + "".join(f"{number:10.2f}" for number in numbers))

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for ax, (target, bounds) in zip(panels, {"ELBO": ELBO, "$L_k$": L_K}.items(), strict=True):
        for bound, label in bounds.items():
            ax.loglog(samples, found[bound], "o-", label=label)
        ax.set(title=f"encoder's gradient of {target}, embedded digits", xlabel="k, samples an image")
        ax.set_xticks(samples, [str(k) for k in samples])
        ax.minorticks_off()
        ax.legend()
    panels[0].set_ylabel("signal to noise")
    return figure
