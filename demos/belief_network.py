"""A belief network's mean-field bound beside its exact likelihood: ``python demos/belief_network.py``.

A sigmoid belief network with 8 latents is trained on 8×8 binary digits by variational EM, and the same network with an
encoder in the place of the E step. The likelihood is a sum over all 256 states of the latents. Over the sweeps of the E
step the bound rises and the gap to the likelihood falls; the encoder's bound is there at once, after one product.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from npvae import SigmoidBeliefNetwork, datasets
from npvae.evaluation import enumerate_latents

LATENTS = 8

SWEEPS = (0, 1, 2, 5, 10, 20, 50)


def small_digits(n: int) -> NDArray:
    """Digits of 8×8 binary pixels, each the mean of 3×3 of the middle of the embedded ones."""
    grey = datasets.digits(n, seed=0).x.reshape(-1, 28, 28)[:, 2:26, 2:26]
    return (grey.reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)) > 0.3).astype(np.float32).reshape(-1, 64)


def main(argv: Sequence[str] | None = None) -> None:
    """Train both, print bounds and likelihoods."""
    parser = argparse.ArgumentParser(description=__doc__.split(":", 1)[0])
    parser.add_argument("--rows", type=int, default=1000, help="digits (1000)")
    parser.add_argument("--epochs", type=int, default=20, help="of variational EM; an encoder gets ten times as many")
    args = parser.parse_args(argv)
    x = small_digits(args.rows)
    common = {"latent_dims": LATENTS, "batch_size": 50, "learning_rate": 0.01, "random_state": 0}

    began = perf_counter()
    net = SigmoidBeliefNetwork(sweeps=5, epochs=args.epochs, **common).fit(x)
    took = perf_counter() - began
    model, theta = net.model_, net.theta_
    log_px = enumerate_latents(lambda states: model.log_joint(theta, x, states), LATENTS, np.float32).log_px.mean()
    print(f"mean field, {args.epochs} epochs, {took:.0f} s: exact −log p(x) {-log_px:.3f} nats")
    print(f"{'sweeps':>8} {'−bound':>9} {'gap':>8}")
    q, done = model.begin(theta, x), 0
    for sweeps in SWEEPS:
        if sweeps > done:
            q, done = model.e_step(theta, x, q, sweeps - done), sweeps
        loss = float(model.bound(theta, x, q).value)
        print(f"{sweeps:8} {loss:9.3f} {loss + log_px:8.3f}", flush=True)

    began = perf_counter()
    amortised = SigmoidBeliefNetwork(inference="amortised", epochs=10 * args.epochs, **common).fit(x)
    took = perf_counter() - began
    decoder, params = amortised.model_.decoder, amortised.theta_.section("decoder")
    log_px = enumerate_latents(lambda states: decoder.log_joint(params, x, states), LATENTS, np.float32).log_px.mean()
    loss = -float(amortised.score_samples(x, n_samples=20).mean())
    print(f"encoder, {10 * args.epochs} epochs, {took:.0f} s: exact −log p(x) {-log_px:.3f} nats, ", end="")
    print(f"−ELBO {loss:.3f}, gap {loss + log_px:.3f}")


if __name__ == "__main__":
    main()
