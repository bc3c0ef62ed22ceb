"""Missing entries from those that are seen, by importance sampling: for models whose encoder takes gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.evaluation.imputation import Filled
from npvae.evaluation.row_noise import row_generators
from npvae.evaluation.rows import model_rows
from npvae.models import LatentVariableModel
from npvae.models.densities import log_weights
from npvae.numerics import keep_freed_memory, logsumexp
from npvae.parameters import Parameters
from npvae.validation import integer

__all__ = ["fill_in_by_weights"]


def fill_in_by_weights(
    model: LatentVariableModel,
    theta: Parameters,
    x: ArrayLike,
    seed: int,
    k: int = 200,
    draws: int = 1,
    max_rows: int = 4000,
) -> Filled:
    """Fill what is NaN in x from p(x_missing|x_seen), by k latents z_l ~ q(z|x_seen) with weights.

    The normalised weights w_l ∝ p(x_seen|z_l) p(z_l)/q(z_l|x_seen) make Σ_l w_l E[x|z_l] an estimate of the mean,
    and an l drawn by them makes a draw x ~ p(x|z_l). No chain has to be waited for.

    Parameters
    ----------
    x : (n, n_features) array
        With NaN, for a model whose likelihood takes it.
    seed : int
        A row's draws depend on the row and the seed, not on the other rows.
    k : int, default 200
    draws : int, default 1
        Imputations of every row.
    max_rows : int, default 4000
        Latents decoded at once; it bounds the memory.

    Returns
    -------
    Filled
        Its `acceptance` is the effective share of the draws, 1/(k Σ w²): near 1/k one outweighs all others. `r_hat` is
        NaN, since there is no chain.

    References
    ----------
    Mattei & Frellsen, MIWAE: deep generative modelling and imputation of incomplete data sets (2019), section 3.
    """
    x = model_rows(model, theta, x)
    k, draws = integer("k", k, at_least=1), integer("draws", draws, at_least=1)
    keep_freed_memory()
    step = max(1, max_rows // k)
    parts = [_weighted(model, theta, x[i : i + step], seed, k, draws) for i in range(0, len(x), step)]
    mean, draw, effective, many, spread = zip(*parts, strict=True)
    effective = np.concatenate(effective)
    return Filled(
        np.concatenate(mean),
        np.concatenate(draw),
        effective,
        np.full(len(x), np.nan),
        np.concatenate(many, axis=1),
        np.concatenate(spread),
    )


def _weighted(
    model: LatentVariableModel, theta: Parameters, x: NDArray, seed: int, k: int, draws: int
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    generators = row_generators(np.nan_to_num(x, nan=np.inf), seed, "imputation")
    a_z, dtype = model.encode(theta, x)[:, None], theta.dtype
    eps = np.stack([model.posterior.draw_noise(rng, (k, model.latent_dim), dtype) for rng in generators])
    z, _ = model.posterior.sample(a_z, eps)
    a_x = model.decode(theta, z)
    log_w = log_weights(model, theta, x[:, None], a_z, z, a_x, eps)
    w = np.exp(log_w - logsumexp(log_w, axis=1)[:, None])
    noise = np.stack([model.likelihood.draw_noise(rng, (k, x.shape[1]), dtype) for rng in generators])
    found = model.likelihood.sample(a_x, noise)[0]
    mean = np.einsum("nk,nkd->nd", w, model.likelihood.mean(a_x).astype(np.float64))
    square = np.einsum("nk,nkd->nd", w, (found - mean[:, None]) ** 2)
    unknown = np.isnan(x)
    ends = np.cumsum(w, axis=1)
    u = np.stack([rng.random(draws) for rng in generators])
    chosen = np.minimum((u[:, :, None] >= ends[:, None]).sum(axis=2), k - 1)
    many = np.where(unknown[:, None], np.take_along_axis(found, chosen[:, :, None], axis=1), x[:, None])
    many = np.moveaxis(many, 1, 0)
    spread = np.where(unknown, np.sqrt(square), 0)
    return np.where(unknown, mean, x).astype(dtype), many[0], 1 / (k * (w * w).sum(axis=1)), many, spread
