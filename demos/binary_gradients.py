"""Eight estimates of one gradient for binary latents: exact means and variances, and their course in a training.

A small binary VAE is trained a little on 7×7 digits. There, for one image, every estimate of the encoder's gradient is
summed over all the noise that makes a difference: its mean is then exact, and so is its variance. The unbiased ones
have the gradient of the exact bound as their mean, up to rounding; what the two others are off by is their bias.
VIMCO is not among them, since it estimates the gradient of another bound. Neither is the baseline network by itself: it
is NVIL's, which learns what the running average leaves. The variances are those of one step, with as few draws as the
estimate can do with. The picture follows the variances over a training with 20 latents, where they are estimated from
draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npvae import datasets, plots
from npvae.bounds import ESTIMATORS
from npvae.evaluation import binary_states, moments, uniform_points
from npvae.models import BinaryVAE
from npvae.numerics import sigmoid
from npvae.optimizers import Adam
from npvae.parameters import Parameters

NODES = {"arm": 2, "concrete": 8}
"""Gauss-Legendre nodes between two jumps; one does for an estimate that is constant there."""

OTHERS = ("vimco", "input-baseline")
"""The gradient of another bound, and a baseline that would have to be trained by itself."""

NVIL = "nvil"
"""What trains: it has all the parameters that the others need."""


def small_digits() -> NDArray:
    """Digits of 7×7 binary pixels, each the mean of 4×4 of the embedded ones."""
    grey = datasets.digits(2000, seed=0).x.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
    return (grey > 0.3).astype(np.float64)


def exact(model: BinaryVAE, theta: Parameters, x: NDArray, state: dict) -> tuple[NDArray, NDArray]:
    """Mean and variance of the encoder's gradient for the row x (1, d), by a sum over the noise."""
    p = sigmoid(model.encode(theta, x))[0]
    pairs = ESTIMATORS[model.estimator].kind == "pair"
    breaks = [[one, 1 - one] if pairs else [one] for one in p] * model.n_samples
    u, weights = uniform_points(breaks, NODES.get(model.estimator, 1))
    noises = u.reshape(len(u), model.n_samples, 1, len(p))
    gradients = (model.loss_and_grad(theta, x, (noise,), state)[1].section("encoder").flat for noise in noises)
    return moments(np.stack(list(gradients)), weights)


def reference(model: BinaryVAE, theta: Parameters, x: NDArray) -> NDArray:
    """The gradient of the exact bound, a sum over all states of the latents, by the complex step."""
    states = binary_states(model.latent_dim)

    def bound(at: Parameters) -> complex:
        a, _ = model.encoder.logits(at.section("encoder"), x, [states[:, None]])
        log_q = model.encoder.log_prob(a, [states[:, None]])[0][0, :, 0]
        log_p = model.decoder.log_joint(at.section("decoder"), x, states)[:, 0]
        return (np.exp(log_q) * (log_q - log_p)).sum()

    gradient = np.empty(theta.section("encoder").flat.size)
    for i in range(gradient.size):
        beside = theta.astype(np.complex128)
        beside.section("encoder").flat[i] += 1e-30j
        gradient[i] = bound(beside).imag / 1e-30
    return gradient


def table(model: BinaryVAE, theta: Parameters, x: NDArray, state: dict) -> None:
    """Print bias and variance of every estimate at theta."""
    true = reference(model, theta, x)
    print(f"gradient of the exact bound: norm {np.linalg.norm(true):.4f}\n")
    print(f"{'estimate':18} {'draws':>5} {'|mean − exact|':>15} {'variance':>12}")
    for name, how in ESTIMATORS.items():
        if name in OTHERS:
            continue
        k = how.least_samples
        scale = max(1.0, float(np.sqrt(state["variance"][0]))) if how.normalised else 1.0
        mean, variance = exact(replace(model, estimator=name, n_samples=k), theta, x, state)
        off, draws = np.linalg.norm(scale * mean - true), 2 * k if how.kind == "pair" else k
        biased = "  biased" if how.biased else ""
        print(f"{name:18} {draws:5} {off:15.1e} {scale**2 * variance.sum():12.4f}{biased}", flush=True)


def sampled_variance(model: BinaryVAE, theta: Parameters, x: NDArray, state: dict, draws: int) -> float:
    """Trace of the covariance of the encoder's gradient for a batch, from draws."""
    rng, how = np.random.default_rng(1), ESTIMATORS[model.estimator]
    gradients = np.stack(
        [
            model.loss_and_grad(theta, x, model.draw_noise(rng, len(x), np.float64), state)[1].section("encoder").flat
            for _ in range(draws)
        ]
    )
    scale = max(1.0, float(np.sqrt(state["variance"][0]))) if how.normalised else 1.0
    return float(scale**2 * gradients.var(axis=0, ddof=1).sum())


def run(latents: int = 3, steps: int = 300, draws: int = 100) -> Figure:
    """Train, sum, print; then draw the variances of the unbiased ones, of 20 latents, as the training goes on."""
    x = small_digits()
    model = BinaryVAE(49, (latents,), estimator=NVIL, baseline_hidden=(8,), centre=x.mean(axis=0))
    (theta, state), *_ = trained(model, x, [steps])
    table(model, theta, x[:1], state)

    wide, marks = replace(model, latent_dims=(20,)), [steps * m // 3 for m in range(1, 9)]
    points, variances = trained(wide, x, marks), {}
    for name, how in ESTIMATORS.items():
        if not how.biased and name not in OTHERS:
            one = replace(wide, estimator=name, n_samples=how.least_samples)
            variances[name] = [sampled_variance(one, t, x[:50], s, draws) for t, s in points]
    figure = plots.variance_curves(marks, variances)
    figure.axes[0].set_xlabel("steps of training by NVIL")
    return figure


def trained(model: BinaryVAE, x: NDArray, marks: Sequence[int]) -> list[tuple[Parameters, dict]]:
    """Parameters and running averages after so many steps each."""
    rng, adam = np.random.default_rng(0), Adam(3e-3)
    theta, state = model.init(rng, np.float64, mean=x.mean(axis=0)), model.begin_state(rng)
    moving, kept = adam.init(theta.flat), []
    for step in range(1, marks[-1] + 1):
        rows = x[rng.integers(0, len(x), 50)]
        _, dtheta, state = model.loss_and_grad(theta, rows, model.draw_noise(rng, 50, np.float64), state)
        adam.step(theta.flat, dtheta.flat, moving)
        if step in marks:
            kept.append((theta.copy(), state))
    return kept
