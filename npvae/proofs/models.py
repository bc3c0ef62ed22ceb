"""Cases of `npvae.models`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import BOUNDS
from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian, FullGaussian, LearnedGaussian
from npvae.layers import ACTIVATIONS
from npvae.models import VAE, WakeSleep
from npvae.proofs.case import Case, N
from npvae.proofs.definitions import phase_of_wake_sleep, surrogate


def cases() -> Iterator[Case]:
    """Cases of models."""

    yield from _vae()
    for bound in ("stl", "dreg", "score-function"):
        yield _estimate(bound, 1, DiagonalGaussian())
        yield _estimate(bound, 3, FullGaussian())
    for phase in ("wake", "sleep"):
        yield _wake_sleep(phase, Bernoulli(), FullGaussian())
        yield _wake_sleep(phase, DiagonalGaussian(), DiagonalGaussian())


def _batch(rng: np.random.Generator, likelihood: object, rows: int, features: int) -> NDArray:
    x = rng.standard_normal((rows, features))
    return (x > 0).astype(np.float64) if isinstance(likelihood, Bernoulli) else x


def _vae() -> Iterator[Case]:
    def case(title: str, likelihood: object, n_samples: int, activation: str = "tanh", **settings: object) -> Case:
        # One sample: all sizes alike. Several: all different, for what is hidden by sizes that are alike.
        rows, features, latents = (N, N, N // 2) if n_samples == 1 else (5, 6, 2)
        model = VAE.mlp(features, latents, (N,), activation, likelihood, n_samples, **settings)
        name = f"models.VAE {type(likelihood).__name__} {title} L={n_samples}"
        return Case(name, lambda rng: (model, _batch(rng, likelihood, rows, features)), (VAE,))

    for likelihood in (Bernoulli(), DiagonalGaussian(), FixedGaussian(0.7)):
        for activation in ACTIVATIONS:
            yield case(activation, likelihood, 1, activation)
            yield case(activation, likelihood, 3, activation, beta=1.7)
        yield case("iwae", likelihood, 3, bound="iwae")
    full = {"posterior": FullGaussian(), "weight_precision": 0.3}
    yield case("full covariance", Bernoulli(), 3, beta=1.7, **full)
    yield case("full covariance iwae", Bernoulli(), 3, bound="iwae", **full)
    yield case("monte-carlo", Bernoulli(), 3, beta=1.7, bound="monte-carlo")
    yield case("free bits", Bernoulli(), 3, beta=1.7, free_bits=0.02)
    yield case("shared variance", LearnedGaussian(shared=True), 3)


def _estimate(bound: str, n_samples: int, posterior: object) -> Case:
    beta = 1.7 if BOUNDS[bound].weighs_kl else 1.0
    model = VAE.mlp(6, 2, (N,), "tanh", n_samples=n_samples, beta=beta, bound=bound, posterior=posterior)

    def make(rng: np.random.Generator) -> tuple:
        theta = model.init(rng, np.float64)
        theta.flat += 0.1 * rng.standard_normal(theta.flat.size)
        x, eps = _batch(rng, Bernoulli(), 5, 6), model.draw_noise(rng, 5, np.float64)
        return surrogate(model, theta, x, eps), theta

    return Case(f"models.VAE {bound} {type(posterior).__name__} L={n_samples}", make, (VAE,))


def _wake_sleep(phase: str, likelihood: object, posterior: object) -> Case:
    model = WakeSleep(VAE.mlp(6, 2, (N,), "tanh", likelihood, 3, posterior=posterior))

    def make(rng: np.random.Generator) -> tuple:
        theta, noise = model.init(rng, np.float64), model.draw_noise(rng, 5, np.float64)
        return phase_of_wake_sleep(model, phase, theta, _batch(rng, likelihood, 5, 6), noise)

    return Case(f"models.WakeSleep {phase} {type(likelihood).__name__}", make, (WakeSleep,))
