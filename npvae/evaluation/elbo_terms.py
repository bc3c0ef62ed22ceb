"""The two terms of −ELBO, row by row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import AnalyticKL
from npvae.evaluation.row_noise import row_generators
from npvae.evaluation.rows import model_rows
from npvae.models import LatentVariableModel
from npvae.models.densities import densities
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.validation import integer

__all__ = ["elbo_terms", "mean_over_draws"]


def elbo_terms(
    model: LatentVariableModel,
    theta: Parameters,
    x: ArrayLike,
    seed: int,
    n_samples: int = 1,
    max_rows: int = 1000,
) -> dict[str, NDArray]:
    """ "reconstruction" −E_q[log p(x|z)] and "kl" KL(q(z|x) ‖ p(z)) of every row, nats, each (n,).

    The first is a mean over draws of z. The KL is the analytic one where posterior and prior have it, else the mean of
    log q(z|x) − log p(z) over the same draws. What was trained, and with which β, plays no part.

    Parameters
    ----------
    x : (n, n_features) array
        From the likelihood's support.
    seed : int
        A row's draws depend on the row and the seed, not on the other rows.
    n_samples : int, default 1
        L, the draws for each row.
    max_rows : int, default 1000
        Latents decoded at once; it bounds the memory.

    Raises
    ------
    TypeError, ValueError
        If x is no finite matrix of that width from the likelihood's support, or n_samples no positive integer.
    """
    x = model_rows(model, theta, x)
    n_samples, max_rows = integer("n_samples", n_samples, at_least=1), integer("max_rows", max_rows, at_least=1)
    seed = integer("seed", seed, at_least=0)
    posterior = model.posterior
    analytic = isinstance(posterior, AnalyticKL) and posterior.has_kl(model.prior)
    keep_freed_memory()

    def terms(rows: NDArray) -> NDArray:
        a_z, generators = model.encode(theta, rows)[:, None], row_generators(rows, seed, "latents")

        def of_draws(n: int) -> NDArray:
            draws = [posterior.draw_noise(rng, (n, model.latent_dim), theta.dtype) for rng in generators]
            return of_noise(rows, a_z, np.stack(draws))

        return mean_over_draws(of_draws, n_samples, max_rows)

    def of_noise(rows: NDArray, a_z: NDArray, eps: NDArray) -> NDArray:
        z, _ = posterior.sample(a_z, eps)
        needs = ("log_px_z", "kl") if analytic else ("log_px_z", "log_pz", "log_qz_x")
        found = densities(model, theta, rows[:, None], a_z, z, model.decode(theta, z), needs, eps).densities
        kl = found["kl"] if analytic else found["log_qz_x"] - found["log_pz"]
        return np.stack([-found["log_px_z"].mean(axis=1), kl.mean(axis=1)])

    step = max(1, max_rows // n_samples)
    reconstruction, kl = np.concatenate([terms(x[i : i + step]) for i in range(0, len(x), step)], axis=1)
    return {"reconstruction": reconstruction, "kl": kl}


def mean_over_draws(of_draws: Callable[[int], NDArray], n_samples: int, at_once: int) -> NDArray:
    """The mean over `n_samples` draws, `at_once` of them at a time: ``of_draws(n)`` is the mean over the next n."""
    sizes = [min(at_once, n_samples - start) for start in range(0, n_samples, at_once)]
    return sum(of_draws(n) * (n / n_samples) for n in sizes)
