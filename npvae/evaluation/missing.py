"""Missing pixels, from those that are seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import standard_normal
from npvae.evaluation.autoencoder import AutoEncoder
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.validation import data_matrix, integer

__all__ = ["Filled", "fill_in"]


class Filled(NamedTuple):
    """Data with their missing entries filled; the seen ones are as they were."""

    mean: NDArray
    """E[x_missing | x_seen], (n, n_features): blurred where x_seen leaves several possibilities."""
    draw: NDArray
    """One draw of p(x_missing | x_seen), (n, n_features): the chain's last."""
    acceptance: NDArray
    """Share of accepted proposals of each row, (n,): near 0 the chain stood still, and mean is not to be trusted."""


def fill_in(
    model: AutoEncoder,
    theta: Parameters,
    x: ArrayLike,
    seen: ArrayLike,
    rng: np.random.Generator,
    steps: int = 200,
    batch_size: int = 500,
) -> Filled:
    """Fill missing entries from p(x_missing | x_seen) = ∫ p(x_missing|z) p(z|x_seen) dz, by a Markov chain.

    A step draws z ~ q(z|x) at the present x and x_missing ~ p(x_missing|z), in turns (Rezende et al.). That alone has
    the right limit only where q(z|x) is the true posterior. So the new z is accepted with probability
    min(1, w(z_new)/w(z_old)), w(z) = p(x|z) p(z)/q(z|x) (Mattei & Frellsen), which is right for any q. The first half
    of the steps accepts all, to find a place to start from; `mean` is the average of E[x|z] over the second half.

    Limits: z and x_missing hold each other where they are, so the more is missing the longer the chain remembers the
    draw from the prior that it began with; where x_seen allows fillings far apart it may find only one of them.

    Parameters
    ----------
    x : (n, n_features) array
        What is not seen may be anything, NaN too.
    seen : (n, n_features) or (n_features,) array of bool
        True where x counts.
    rng : Generator
    steps : int, default 200
        At least 2. The Monte Carlo error falls with the root of it.
    batch_size : int, default 500
        Rows filled at once; it bounds the memory.

    Raises
    ------
    TypeError, ValueError
        If x, where seen, is not finite or not from the likelihood's support, or `seen` is no such mask.

    References
    ----------
    Rezende, Mohamed & Wierstra, Stochastic backpropagation (2014), appendix F. Mattei & Frellsen, Leveraging the exact
    likelihood of deep latent variable models (2018), algorithm 1.
    """
    x = np.asarray(x)
    seen = seen_mask(x, seen)
    x = data_matrix("x", np.where(seen, x, 0), model.n_features, theta.dtype)
    seen = seen.reshape(x.shape)
    model.likelihood.require_support("x", x)
    steps, batch_size = integer("steps", steps, at_least=2), integer("batch_size", batch_size, at_least=1)
    keep_freed_memory()
    starts = range(0, len(x), batch_size)
    parts = [_chain(model, theta, x[i : i + batch_size], seen[i : i + batch_size], rng, steps) for i in starts]
    return Filled(*map(np.concatenate, zip(*parts, strict=True)))


def seen_mask(x: NDArray, seen: ArrayLike) -> NDArray:
    """`seen` as bool of the shape of x, from that of x or of one row; a ValueError if it is no such mask."""
    seen = np.asarray(seen)
    if seen.dtype != bool or seen.shape not in (x.shape, x.shape[1:]):
        what = f"shape {seen.shape} of {seen.dtype}"
        raise ValueError(f"seen must be of bool and have shape {x.shape} or {x.shape[1:]}, got {what}")
    return np.broadcast_to(seen, x.shape)


def _chain(
    model: AutoEncoder, theta: Parameters, x: NDArray, seen: NDArray, rng: np.random.Generator, steps: int
) -> Filled:
    def draw_x(a_x: NDArray) -> NDArray:
        """x where seen, a draw of p(x|z) elsewhere."""
        noise = model.likelihood.draw_noise(rng, x.shape, theta.dtype)
        return np.where(seen, x, model.likelihood.sample(a_x, noise)[0])

    def log_w(a_z: NDArray, z: NDArray, a_x: NDArray, x: NDArray) -> NDArray:
        log_qz_x = model.posterior.log_prob(a_z, z)[0]
        return model.likelihood.log_prob(a_x, x)[0] + standard_normal.log_prob(z)[0] - log_qz_x

    shape = (len(x), model.latent_dim)
    z = rng.standard_normal(shape, dtype=theta.dtype)
    a_x = model.decode(theta, z)
    mean, acceptance, warm_up = np.zeros(x.shape), np.zeros(len(x)), steps // 2
    for step in range(steps):
        x_now = draw_x(a_x)
        a_z = model.encode(theta, x_now)
        z_new, _ = model.posterior.sample(a_z, model.posterior.draw_noise(rng, shape, theta.dtype))
        a_new = model.decode(theta, z_new)
        if step < warm_up:
            z, a_x = z_new, a_new
            continue
        log_ratio = log_w(a_z, z_new, a_new, x_now) - log_w(a_z, z, a_x, x_now)
        accepted = -rng.standard_exponential(len(x)) < log_ratio  # log u of a uniform u
        z, a_x = (np.where(accepted[:, None], new, old) for new, old in ((z_new, z), (a_new, a_x)))
        acceptance += accepted
        mean += model.likelihood.mean(a_x)
    averaged = steps - warm_up
    return Filled(np.where(seen, x, (mean / averaged).astype(x.dtype)), draw_x(a_x), acceptance / averaged)
