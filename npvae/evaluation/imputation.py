"""Missing entries of data, from those that are seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.evaluation.row_noise import row_generators
from npvae.models import LatentVariableModel
from npvae.models.densities import log_weights, prior_section
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, data_matrix, integer

__all__ = ["Filled", "fill_in", "seen_mask"]


class Filled(NamedTuple):
    """Data with their missing entries filled; the seen ones are as they were."""

    mean: NDArray
    """E[x_missing | x_seen], (n, n_features): blurred where x_seen leaves several possibilities."""
    draw: NDArray
    """One draw of p(x_missing | x_seen), (n, n_features): the chain's last."""
    acceptance: NDArray
    """Share of accepted proposals of each row, (n,): near 0 the chain stood still, and mean is not to be trusted."""
    r_hat: NDArray
    """Split R̂ of each row, (n,): 1 where both halves of the averaged steps agree; above 1.1 the chain needs more steps.

    NaN where nothing is missing, nothing moved, or a half has fewer than two steps.
    """
    draws: NDArray
    """Several draws, (m, n, n_features), the first of which is `draw`; those of a chain are evenly spaced in it."""
    spread: NDArray
    """Standard deviation of p(x_missing | x_seen), (n, n_features); 0 where nothing is missing."""


def fill_in(
    model: LatentVariableModel,
    theta: Parameters,
    x: ArrayLike,
    seen: ArrayLike,
    seed: int,
    steps: int = 200,
    batch_size: int = 500,
    draws: int = 1,
) -> Filled:
    """Fill missing entries from p(x_missing | x_seen) = ∫ p(x_missing|z) p(z|x_seen) dz, by a Markov chain.

    A step draws z ~ q(z|x) at the present x and x_missing ~ p(x_missing|z), in turns (Rezende et al.). That alone has
    the right limit only where q(z|x) is the true posterior. So the new z is accepted with probability
    min(1, w(z_new)/w(z_old)), w(z) = p(x|z) p(z)/q(z|x) (Mattei & Frellsen), which is right for any q. The first
    quarter of the steps accepts all, to find a place to start from; the second quarter is the burn-in of the chain that
    accepts by the rule; `mean` is the average of E[x|z] over the second half.

    Limits: z and x_missing hold each other where they are, so the more is missing the longer the chain remembers the
    draw from the prior that it began with; where x_seen allows fillings far apart it may find only one of them.

    Parameters
    ----------
    x : (n, n_features) array
        What is not seen may be anything, NaN too.
    seen : (n, n_features) or (n_features,) array of bool
        True where x counts.
    seed : int
        A row's draws depend on what is seen of it, on its mask and on the seed, not on the other rows.
    steps : int, default 200
        At least 2. The Monte Carlo error falls with the root of it.
    batch_size : int, default 500
        Rows filled at once; it bounds the memory.
    draws : int, default 1
        Imputations of every row, at most half the steps.

    Raises
    ------
    TypeError, ValueError
        If x, where seen, is not finite or not from the likelihood's support, or `seen` is no such mask.

    References
    ----------
    Rezende, Mohamed & Wierstra, Stochastic backpropagation (2014), appendix F. Mattei & Frellsen, Leveraging the exact
    likelihood of deep latent variable models (2018), algorithm 1. Gelman et al., Bayesian data analysis (2013), section
    11.4, for split R̂.
    """
    x = np.asarray(x)
    seen = seen_mask(x, seen)
    x = data_matrix("x", np.where(seen, x, 0), model.n_features, theta.dtype)
    seen = seen.reshape(x.shape)
    model.likelihood.require_support("x", x)
    steps, batch_size = integer("steps", steps, at_least=2), integer("batch_size", batch_size, at_least=1)
    seed = integer("seed", seed, at_least=0)
    keep_freed_memory()
    starts = range(0, len(x), batch_size)
    if integer("draws", draws, at_least=1) > steps - steps // 2:
        raise ArgumentError("draws", f"be at most half the steps, {steps - steps // 2}", draws)
    parts = [_chain(model, theta, x[i : i + batch_size], seen[i : i + batch_size], seed, steps, draws) for i in starts]
    mean, draw, acceptance, r_hat, many, spread = zip(*parts, strict=True)
    whole = (np.concatenate(part) for part in (mean, draw, acceptance, r_hat))
    return Filled(*whole, np.concatenate(many, axis=1), np.concatenate(spread))


def seen_mask(x: NDArray, seen: ArrayLike) -> NDArray:
    """`seen` as bool of the shape of x, from that of x or of one row; a ValueError if it is no such mask."""
    seen = np.asarray(seen)
    if seen.dtype != bool or seen.shape not in (x.shape, x.shape[1:]):
        what = f"shape {seen.shape} of {seen.dtype}"
        raise ArgumentError("seen", f"be of bool and have shape {x.shape} or {x.shape[1:]}", what)
    return np.broadcast_to(seen, x.shape)


def _chain(
    model: LatentVariableModel, theta: Parameters, x: NDArray, seen: NDArray, seed: int, steps: int, draws: int
) -> Filled:
    generators = row_generators(np.concatenate([x, seen.astype(x.dtype)], axis=1), seed, "imputation")

    def draw_x(a_x: NDArray) -> NDArray:
        """x where seen, a draw of p(x|z) elsewhere."""
        noise = [model.likelihood.draw_noise(rng, x.shape[1:], theta.dtype) for rng in generators]
        return np.where(seen, x, model.likelihood.sample(a_x, np.stack(noise))[0])

    def draw_z(a_z: NDArray) -> tuple[NDArray, NDArray]:
        eps = np.stack([model.posterior.draw_noise(rng, (model.latent_dim,), theta.dtype) for rng in generators])
        return model.posterior.sample(a_z, eps)[0], eps

    start = [model.prior.draw_noise(rng, (model.latent_dim,), theta.dtype) for rng in generators]
    z = model.prior.sample(np.stack(start), prior_section(model, theta))
    a_x = model.decode(theta, z)
    warm_up, burnt_in, acceptance = steps // 4, steps // 2, np.zeros(len(x))
    averages, drawn = _Averages(steps - burnt_in), _Averages(steps - burnt_in)
    kept, many = set(np.linspace(steps, burnt_in, draws, endpoint=False).astype(int).tolist()), []
    for step in range(steps):
        x_now = draw_x(a_x)
        a_z = model.encode(theta, x_now)
        z_new, eps = draw_z(a_z)
        a_new = model.decode(theta, z_new)
        if step < warm_up:
            z, a_x = z_new, a_new
            continue
        log_ratio = log_weights(model, theta, x_now, a_z, z_new, a_new, eps)
        log_ratio -= log_weights(model, theta, x_now, a_z, z, a_x)
        log_u = -np.array([rng.standard_exponential() for rng in generators])  # of uniform numbers u
        accepted = log_u < log_ratio
        z, a_x = (np.where(accepted[:, None], new, old) for new, old in ((z_new, z), (a_new, a_x)))
        if step >= burnt_in:
            acceptance += accepted
            averages.add(model.likelihood.mean(a_x))
            drawn.add(x_now)
            if step in kept:
                many.append(x_now)
    mean = np.where(seen, x, averages.mean().astype(x.dtype))
    many = np.stack([draw_x(a_x), *many[::-1]])
    return Filled(
        mean, many[0], acceptance / averages.n, averages.split_r_hat(~seen), many, np.where(seen, 0, drawn.deviation())
    )


class _Averages:
    """Mean and split R̂ of `n` arrays (rows, d) that come one after the other."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._half, self._added = n // 2, 0
        self._first: NDArray | None = None  # deviations from it lose no digits where the mean is far from zero
        self._sum: NDArray | float = 0.0
        self._sums: list[NDArray | float] = [0.0, 0.0]
        self._squares: list[NDArray | float] = [0.0, 0.0]

    def add(self, values: NDArray) -> None:
        if self._first is None:
            self._first = values.astype(np.float64)
        deviation = values - self._first
        self._sum = self._sum + deviation
        if self._added < 2 * self._half:  # of an odd number the last one is in neither half
            half = int(self._added >= self._half)
            self._sums[half] = self._sums[half] + deviation
            self._squares[half] = self._squares[half] + deviation * deviation
        self._added += 1

    def mean(self) -> NDArray:
        return self._first + self._sum / self.n

    def deviation(self) -> NDArray:
        """The standard deviation, of an even number of them."""
        mean = sum(self._sums) / max(2 * self._half, 1)
        return np.sqrt(np.maximum(sum(self._squares) / max(2 * self._half, 1) - mean * mean, 0))

    def split_r_hat(self, counts: NDArray) -> NDArray:
        """√(between/within + (m − 1)/m) of both halves of m, variances summed over the entries that count: (rows,)."""
        m = self._half
        if m < 2:
            return np.full(len(counts), np.nan)
        means = [total / m for total in self._sums]
        between = np.where(counts, (means[0] - means[1]) ** 2 / 2, 0).sum(axis=1)
        variances = [(squares - m * mean * mean) / (m - 1) for squares, mean in zip(self._squares, means, strict=True)]
        within = np.where(counts, (variances[0] + variances[1]) / 2, 0).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(within > 0, between / within, np.nan)
        return np.sqrt(ratio + (m - 1) / m)
