"""The parts of the KL to the prior: information on x, dependence between latents, latents unlike the prior."""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import DiagonalGaussian
from npvae.distributions.distribution import LOG_2PI, finite
from npvae.evaluation.likelihood import Mean, mean_with_error
from npvae.evaluation.posteriors import posterior_moments
from npvae.evaluation.row_noise import row_noise
from npvae.evaluation.rows import model_rows
from npvae.models import LatentVariableModel
from npvae.models.densities import prior_section
from npvae.numerics import keep_freed_memory, logsumexp
from npvae.parameters import Parameters
from npvae.validation import integer

__all__ = ["KLDecomposition", "decompose_kl"]

_ELEMENTS = 1 << 18  # numbers of float64 in an array: a few of them stay in the cache


class KLDecomposition(NamedTuple):
    """The mean KL(q(z|x) ‖ p(z)) over the data, nats, and its three parts, which add up to it."""

    kl: Mean
    mutual_information: Mean
    """I(x; z) = E KL(q(z|x) ‖ q(z)): at most log n for n rows, so near that it says nothing but "more rows"."""
    total_correlation: Mean
    """KL(q(z) ‖ Π_j q(z_j)): 0 for independent latents."""
    dimension_wise_kl: Mean
    """Σ_j KL(q(z_j) ‖ p(z_j)): 0 where every latent alone is normal."""


def decompose_kl(model: LatentVariableModel, theta: Parameters, x: ArrayLike, seed: int) -> KLDecomposition:
    """E_x KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ Π_j q(z_j)) + Σ_j KL(q(z_j) ‖ p(z_j)), by one draw of z for each row.

    The aggregate posterior q(z) = (1/n) Σ_i q(z|x_i) is the mixture over all given rows, not over a minibatch, so the
    estimates are unbiased for these rows as the whole data. The standard errors are those over draws and rows.
    Time goes with n² d, about 25 s for 10,000 rows and 20 latents; memory with n d.

    Raises
    ------
    TypeError
        If the posterior's latents are not independent: q(z_j) is a mixture of its marginals only then.

    References
    ----------
    Hoffman & Johnson, ELBO surgery (2016); Chen et al., Isolating sources of disentanglement in VAEs (2018), eq. (2).
    """
    seed = integer("seed", seed, at_least=0)
    mu, log_var = posterior_moments(model, theta, x, "the decomposition of the KL")
    n, d = mu.shape
    rows = model_rows(model, theta, x)
    z = mu + np.exp(0.5 * log_var) * row_noise(rows, seed, "latents", lambda rng: rng.standard_normal(d))
    keep_freed_memory()
    step = max(1, _ELEMENTS // (n * d))
    columns = np.ascontiguousarray(mu.T), np.ascontiguousarray(log_var.T)
    parts = [_log_aggregate(z[i : i + step], *columns) for i in range(0, n, step)]
    log_qz, log_qz_each = np.concatenate(parts, axis=1)
    log_qz_x = DiagonalGaussian().log_prob(np.concatenate([mu, log_var], axis=1), z)[0]
    log_pz = model.prior.log_prob(z, prior_section(model, theta))[0]
    terms = (log_qz_x - log_pz, log_qz_x - log_qz, log_qz - log_qz_each, log_qz_each - log_pz)
    return KLDecomposition(*map(mean_with_error, terms))


def _log_aggregate(z: NDArray, mu: NDArray, log_var: NDArray) -> NDArray:
    """log q(z) and Σ_j log q(z_j) of the rows of z (m, d), under the mixture of moments (d, n): (2, m)."""
    log_q = z[:, :, None] - mu  # log N(z_ij; mu_jl, σ_jl²), (m, d, n), in place: the time goes here
    log_q *= log_q
    log_q *= -0.5 * finite(np.exp(-log_var))
    log_q -= 0.5 * (LOG_2PI + log_var)
    joint, each = logsumexp(log_q.sum(axis=1), axis=1), logsumexp(log_q, axis=2).sum(axis=1)
    return np.stack([joint, each]) - log(mu.shape[1]) * np.array([[1], [len(mu)]])
