"""A belief network's mean-field bound beside its exact likelihood.

A sigmoid belief network with 8 latents is trained on 8×8 binary digits by variational EM, and the same network with an
encoder in the place of the E step. The likelihood is a sum over all 256 states of the latents. Over the sweeps of the E
step the bound rises and the gap to the likelihood falls; what is left of it is also told for a quarter of the training,
and grows with it. An encoder is there at once, after one product, and learns further in a fraction of the time.
"""

from __future__ import annotations

from time import process_time

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npvae import SigmoidBeliefNetwork, datasets
from npvae.evaluation import enumerate_latents

LATENTS = 8

SWEEPS = (0, 1, 2, 5, 10, 20, 50)


def small_digits(n: int) -> NDArray:
    """Digits of 8×8 binary pixels, each the mean of 3×3 of the middle of the embedded ones."""
    grey = datasets.digits(n, seed=0).x.reshape(-1, 28, 28)[:, 2:26, 2:26]
    return (grey.reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)) > 0.3).astype(np.float32).reshape(-1, 64)


def exact_loss(net: SigmoidBeliefNetwork, x: NDArray) -> float:
    """The mean of −log p(x) of a network trained by mean field, nats, a sum over all states of the latents."""
    model, theta = net.model_, net.theta_
    return -float(enumerate_latents(lambda z: model.log_joint(theta, x, z), LATENTS, np.float32).log_px.mean())


def run(rows: int = 300, epochs: int = 60) -> Figure:
    """Train both, print and draw bounds and likelihoods; the encoder gets ten times as many epochs."""
    x = small_digits(rows)
    common = {"latent_dims": LATENTS, "batch_size": 50, "learning_rate": 0.01, "random_state": 0}

    began = process_time()
    early = SigmoidBeliefNetwork(sweeps=5, epochs=epochs // 4, **common).fit(x)
    net = SigmoidBeliefNetwork(sweeps=5, epochs=epochs, **common).fit(x, resume_from=early.run_)
    took = process_time() - began
    at_first, exact = exact_loss(early, x), exact_loss(net, x)
    print(f"mean field, {epochs // 4} epochs: exact −log p(x) {at_first:.3f} nats, ", end="")
    print(f"gap after 5 sweeps {-float(early.score(x)) - at_first:.3f}")
    print(f"mean field, {epochs} epochs, {took:.0f} s of the processor: exact −log p(x) {exact:.3f} nats")
    print(f"{'sweeps':>8} {'−bound':>9} {'gap':>8}")
    model, theta = net.model_, net.theta_
    q, done, losses = model.begin(theta, x), 0, []
    for sweeps in SWEEPS:
        if sweeps > done:
            q, done = model.e_step(theta, x, q, sweeps - done), sweeps
        losses.append(float(model.bound(theta, x, q).value))
        print(f"{sweeps:8} {losses[-1]:9.3f} {losses[-1] - exact:8.3f}", flush=True)

    began = process_time()
    amortised = SigmoidBeliefNetwork(inference="amortised", epochs=10 * epochs, **common).fit(x)
    took = process_time() - began
    decoder, params = amortised.model_.decoder, amortised.theta_.section("decoder")
    table = enumerate_latents(lambda states: decoder.log_joint(params, x, states), LATENTS, np.float32)
    likelihood, loss = -table.log_px.mean(), -float(amortised.score_samples(x, n_samples=20).mean())
    print(
        f"encoder, {10 * epochs} epochs, {took:.0f} s of the processor: exact −log p(x) {likelihood:.3f} nats, ", end=""
    )
    print(f"−ELBO {loss:.3f}, gap {loss - likelihood:.3f}")

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    ax = figure.subplots()
    ax.plot(range(len(SWEEPS)), np.array(losses) - exact, marker="o", label="mean field")
    ax.axhline(loss - likelihood, color="tab:orange", label="encoder, of its own likelihood")
    ax.set_xticks(range(len(SWEEPS)), SWEEPS)
    ax.set(yscale="log", xlabel="sweeps of the E step", ylabel="log p(x) − bound, nats")
    ax.legend()
    return figure
