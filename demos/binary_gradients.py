"""Ten estimates of a gradient for binary latents: exact means and variances, and their course in a training.

A small binary VAE is trained a little on 7×7 digits. There, for one image, every estimate of the encoder's gradient is
summed over all the noise that makes a difference: its mean is then exact, and so is its variance. The unbiased ones
have the gradient of the exact bound as their mean, up to rounding; what the two others are off by is their bias.
VIMCO's mean is the gradient of another bound, L₂, the importance-weighted one of two samples, and its row is marked so.
NVIL trains the model. The baseline network by itself, which has no running average to rely on, learns from the same
draws beside it. The variances are those of one step, with as few draws as the estimate can do with. The picture follows
those of the unbiased ones over a training with 20 latents, where they are estimated from draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npvae import datasets, plots
from npvae.bounds import ESTIMATORS
from npvae.evaluation import binary_states, moments, uniform_points
from npvae.models import BinaryVAE
from npvae.numerics import logsumexp, sigmoid
from npvae.optimizers import Adam
from npvae.parameters import Parameters

NODES = {"arm": 2, "concrete": 8}
"""Gauss-Legendre nodes between two jumps; one does for an estimate that is constant there."""

NVIL, ALONE = "nvil", "input-baseline"
"""What trains, and whose baseline networks learn beside it."""


class Point(NamedTuple):
    """Where a training is: what its estimates are compared at."""

    theta: Parameters
    """NVIL's."""
    alone: Parameters
    """The same encoder and decoder, with a baseline network that predicts the whole loss."""
    state: dict[str, NDArray]
    """NVIL's running averages."""

    def of(self, name: str) -> Parameters:
        """The parameters for the estimate of that name."""
        return self.alone if name == ALONE else self.theta


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


def reference(model: BinaryVAE, theta: Parameters, x: NDArray, k: int = 1) -> NDArray:
    """The gradient of the exact −L_k, a sum over all states of k samples of the latents, by the complex step."""
    d = model.latent_dim
    z = binary_states(k * d).reshape(-1, d)

    def bound(at: Parameters) -> complex:
        a, _ = model.encoder.logits(at.section("encoder"), x, [z[:, None]])
        log_q = model.encoder.log_prob(a, [z[:, None]])[0][0].reshape(-1, k)
        log_p = model.decoder.log_joint(at.section("decoder"), x, z).reshape(-1, k)
        return -(np.exp(log_q.sum(axis=1)) * (logsumexp(log_p - log_q, axis=1) - np.log(k))).sum()

    gradient = np.empty(theta.section("encoder").flat.size)
    for i in range(gradient.size):
        beside = theta.astype(np.complex128)
        beside.section("encoder").flat[i] += 1e-30j
        gradient[i] = bound(beside).imag / 1e-30
    return gradient


def bound_name(k: int) -> str:
    """L with k below, in print."""
    return "L" + chr(ord("₀") + k)


def remark(name: str) -> str:
    """What sets an estimate apart: another bound, or a bias."""
    how = ESTIMATORS[name]
    return f"of {bound_name(how.least_samples)}" if how.kind == "vimco" else "biased" * how.biased


def table(model: BinaryVAE, point: Point, x: NDArray) -> None:
    """Print bias and variance of every estimate at a point."""
    true = {k: reference(model, point.theta, x, k) for k in (1, ESTIMATORS["vimco"].least_samples)}
    for k, gradient in true.items():
        print(f"gradient of the exact {bound_name(k)}: norm {np.linalg.norm(gradient):.4f}")
    print(f"\n{'estimate':18} {'draws':>5} {'|mean − exact|':>15} {'variance':>12}")
    for name, how in ESTIMATORS.items():
        k = how.least_samples
        scale = max(1.0, float(np.sqrt(point.state["variance"][0]))) if how.normalised else 1.0
        mean, variance = exact(replace(model, estimator=name, n_samples=k), point.of(name), x, point.state)
        off = np.linalg.norm(scale * mean - true[k if how.kind == "vimco" else 1])
        draws = 2 * k if how.kind == "pair" else k
        line = f"{name:18} {draws:5} {off:15.1e} {scale**2 * variance.sum():12.4f}  {remark(name)}"
        print(line.rstrip(), flush=True)


def sampled_variance(model: BinaryVAE, point: Point, x: NDArray, draws: int) -> float:
    """Trace of the covariance of the encoder's gradient for a batch, from draws."""
    rng, how = np.random.default_rng(1), ESTIMATORS[model.estimator]
    theta, state = point.of(model.estimator), point.state
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
    table(model, trained(model, x, [steps])[0], x[:1])

    wide, marks = replace(model, latent_dims=(20,)), [steps * m // 3 for m in range(1, 9)]
    points, variances = trained(wide, x, marks), {}
    for name, how in ESTIMATORS.items():
        if not how.biased:
            one = replace(wide, estimator=name, n_samples=how.least_samples)
            label = f"{name}, {remark(name)}" if remark(name) else name
            variances[label] = [sampled_variance(one, point, x[:50], draws) for point in points]
    figure = plots.variance_curves(marks, variances)
    figure.axes[0].set_xlabel("steps of training by NVIL")
    return figure


def trained(model: BinaryVAE, x: NDArray, marks: Sequence[int]) -> list[Point]:
    """Where a training by NVIL is after so many steps each; `ALONE` learns its baseline from the same draws."""
    rng, adam, beside = np.random.default_rng(0), Adam(3e-3), replace(model, estimator=ALONE)
    theta, state = model.init(rng, np.float64, mean=x.mean(axis=0)), model.begin_state(rng)
    alone, kept = theta.copy(), []
    moving, moving_alone = adam.init(theta.flat), adam.init(alone.flat)
    for step in range(1, marks[-1] + 1):
        rows = x[rng.integers(0, len(x), 50)]
        noise = model.draw_noise(rng, 50, np.float64)
        adam.step(alone.flat, beside.loss_and_grad(alone, rows, noise, {})[1].flat, moving_alone)
        _, dtheta, state = model.loss_and_grad(theta, rows, noise, state)
        adam.step(theta.flat, dtheta.flat, moving)
        for part in ("encoder", "decoder"):
            alone.section(part).flat[:] = theta.section(part).flat
        if step in marks:
            kept.append(Point(theta.copy(), alone.copy(), state))
    return kept
