"""The noise of six gradient estimates at the same point: ``python demos/gradient_variance.py``.

A VAE is trained a little on the embedded digits. There, each bound's estimate of the encoder's gradient is drawn many
times, for the same images with fresh noise, and its signal-to-noise ratio printed: ‖mean‖ / √(trace of the covariance).
The first four estimate the gradient of the ELBO from k samples. The ratios of the first three grow as √k, that of the
score function faster, since its baseline improves with k as well. The last two estimate the gradient of L_k, which
shrinks as k grows; DReG's ratio grows with the effective sample size, the last row, and not where a draw or two have
all the weight.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from npvae import datasets
from npvae.evaluation import log_likelihood
from npvae.models import VAE
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from npvae.training import train

ELBO = ("elbo", "monte-carlo", "stl", "score-function")
L_K = ("iwae", "dreg")


def trained(epochs: int) -> tuple[VAE, Parameters, np.ndarray]:
    """A model on its way, and images that it has seen."""
    x = (datasets.digits(5000, seed=0).x > 0.5).astype(np.float32)
    model = VAE.mlp(n_features=784, latent_dim=8, hidden=(64,))
    start = model.init(np.random.default_rng(0), mean=x.mean(axis=0))
    return model, train(model, start, x, optimizer=Adam(2e-3), epochs=epochs).theta, x


def signal_to_noise(model: VAE, theta: Parameters, x: np.ndarray, draws: int) -> float:
    """‖mean‖ / √(trace of the covariance) of the encoder's gradient, over fresh noise."""
    rng = np.random.default_rng(1)
    gradients = np.stack(
        [model.loss_and_grad(theta, x, model.draw_noise(rng, len(x)))[1].section("encoder").flat for _ in range(draws)]
    ).astype(np.float64)
    spread = gradients.var(axis=0, ddof=1).sum()
    signal = max(np.sum(gradients.mean(axis=0) ** 2) - spread / draws, 0.0)  # the mean of noise is not nothing
    return float(np.sqrt(signal / spread))


def main(argv: Sequence[str] | None = None) -> None:
    """Train, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__.split(":", 1)[0])
    parser.add_argument("--epochs", type=int, default=5, help="of the training before (5)")
    parser.add_argument("--draws", type=int, default=200, help="of every estimate (200)")
    parser.add_argument("--samples", type=int, nargs="+", default=[2, 5, 20], metavar="K", help="samples per image")
    args = parser.parse_args(argv)
    model, theta, x = trained(args.epochs)
    print("signal-to-noise ratio of the encoder's gradient, higher is better")
    print(f"{'':16}" + "".join(f"{f'k = {k}':>10}" for k in args.samples))
    for bound in (*ELBO, *L_K):
        ratios = [
            signal_to_noise(replace(model, bound=bound, n_samples=k), theta, x[:32], args.draws) for k in args.samples
        ]
        print(f"{bound:16}" + "".join(f"{ratio:10.2f}" for ratio in ratios), flush=True)
    worth = [np.median(log_likelihood(model, theta, x[:32], 2, k).effective_samples) for k in args.samples]
    print(f"{'worth of k draws':16}" + "".join(f"{size:10.2f}" for size in worth))


if __name__ == "__main__":
    main()
