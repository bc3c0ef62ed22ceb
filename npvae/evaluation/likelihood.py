"""log p(x) of single data, by importance sampling with the posterior as the proposal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import log, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike, NDArray

from npvae.evaluation.pareto_tail import LargestWeights, trusted_index
from npvae.evaluation.row_noise import row_generators
from npvae.evaluation.rows import model_rows
from npvae.models import LatentVariableModel
from npvae.models.densities import log_weights
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.validation import integer

__all__ = ["LogLikelihood", "Mean", "log_likelihood", "mean_with_error"]


RELIABLE = 30
"""Effective samples from which on a standard error is at most a sixth too small, if the weights are log-normal."""


class Mean(float):
    """A mean over data, and how far it is from that over endless data.

    It is a float, so whatever is done to it is done to its value; only ``-mean`` keeps the error. ``value, error =
    mean`` takes it apart.

    Parameters
    ----------
    value : float
    standard_error : float
        NaN for a single datum, which says nothing about the others.
    """

    standard_error: float

    def __new__(cls, value: float, standard_error: float) -> Mean:
        """A float has its value from here, not from a constructor."""
        mean = super().__new__(cls, value)
        mean.standard_error = standard_error
        return mean

    @property
    def value(self) -> float:
        """The mean as a plain float."""
        return float(self)

    def __neg__(self) -> Mean:
        return Mean(-self.value, self.standard_error)

    def __iter__(self) -> Iterator[float]:
        return iter((self.value, self.standard_error))

    def __repr__(self) -> str:
        return f"Mean(value={self.value!r}, standard_error={self.standard_error!r})"

    def __getnewargs__(self) -> tuple[float, float]:
        return self.value, self.standard_error

    def _asdict(self) -> dict[str, float]:
        return {"value": self.value, "standard_error": self.standard_error}


def mean_with_error(values: NDArray) -> Mean:
    """The mean of independent values (n,), with standard error s/√n, s² = Σ (v − mean)²/(n − 1)."""
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    return Mean(float(values.mean()), float(values.std(ddof=1)) / n**0.5 if n > 1 else nan)


class _Estimates(NamedTuple):
    """The fields of a `LogLikelihood`."""

    log_px: NDArray
    """L_k, an estimate of log p(x) that lies below it in the mean, the less the larger k."""
    standard_error: NDArray
    """Standard error of log_px, from the spread of the k weights; NaN for k = 1. Too small where not `reliable`."""
    elbo: NDArray
    """mean_l log w_l ≤ L_k, an unbiased estimate of the ELBO."""
    effective_samples: NDArray
    """(Σ w)²/Σ w², from 1 (one draw outweighs all others: do not trust log_px) to k (q is the true posterior)."""
    pareto_k: NDArray
    """Index of the tail of the weights, see `npvae.evaluation.pareto_tail`: from ½ on they have no variance."""
    reliable: NDArray
    """Where log_px and its standard error are to be trusted, bool: at least 30 effective samples, and a tail that is
    not too heavy for k weights; nowhere for k = 1, which tells no error. Elsewhere the error is larger than it says, by
    half at 9 effective samples, and L_k lies far below log p(x): take more draws, or train a better posterior."""


class LogLikelihood(NDArrayOperatorsMixin, _Estimates):
    """log p(x) of every datum, in nats, with what the same draws tell beside it; arrays of shape (n,).

    In arithmetic and in NumPy's functions it is `log_px`: ``-lik``, ``lik - other``, ``np.mean(lik)``.
    """

    __slots__ = ()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        return np.array(self.log_px, dtype=dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **how: Any) -> Any:
        plain = (given.log_px if isinstance(given, LogLikelihood) else given for given in inputs)
        return getattr(ufunc, method)(*plain, **how)

    def mean(self, axis: None = None, dtype: None = None, out: None = None) -> Mean:
        """The mean log p(x) over the data; its standard error has the draws' in it. The arguments are NumPy's."""
        return mean_with_error(self.log_px)


def log_likelihood(
    model: LatentVariableModel, theta: Parameters, x: ArrayLike, seed: int, k: int = 5000, max_rows: int = 500
) -> LogLikelihood:
    """L_k = log (1/k) Σ_l w_l with w_l = p(x|z_l) p(z_l) / q(z_l|x), z_l ~ q(z|x), of every row of x.

    E[L_k] ≤ E[L_{k+1}] ≤ log p(x), so a number without its k says little. The standard error is the delta method's,
    Var L_k ≈ Var(w)/(k w̄²). Densities are computed in the precision of theta, weights are summed in float64.

    Parameters
    ----------
    model, theta
        A model with latents, and its parameters. Where the latents have more than one layer the model brings
        ``weight_sampler(theta, x)`` for rows x (m, d), a function of m generators and a number s that returns log w of
        s draws a row, (m, s) in float64.
    x : (n, n_features) array
        Grey pixels under a Bernoulli likelihood give no log-likelihood, see `Distribution.is_density`.
    seed : int
        A row's draws depend on the row and the seed, not on the other rows, nor on `max_rows`.
    k : int, default 5000
        Draws for each datum.
    max_rows : int, default 500
        Latents decoded at once, of one datum or of several. It bounds the memory, whatever k and n: a handful of arrays
        of that many rows, about 10 MB for 784 float32 pixels (64 MB for 5,000).

    Raises
    ------
    TypeError, ValueError
        If x is no finite matrix of that width from the likelihood's support, or k or max_rows no positive integer.

    References
    ----------
    Rezende, Mohamed & Wierstra, Stochastic backpropagation (2014), appendix E. Burda, Grosse & Salakhutdinov,
    Importance weighted autoencoders (2016), eq. (8) and theorem 1.
    """
    x = model_rows(model, theta, x)
    k, max_rows = integer("k", k, at_least=1), integer("max_rows", max_rows, at_least=1)
    seed = integer("seed", seed, at_least=0)
    keep_freed_memory()
    step = max(1, max_rows // k)
    parts = [_sum_weights(model, theta, x[i : i + step], seed, k, max_rows) for i in range(0, len(x), step)]
    top, total, squares, logs, pareto_k = np.concatenate(parts, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # no draw of a row need have a weight
        effective = np.where(squares > 0, total * total / squares, 0)
        variance = np.maximum(k / effective - 1, 0) / (k - 1) if k > 1 else np.full(len(x), nan)
        log_px = top + np.log(total) - log(k)
    # Weights that are all alike have no tail, and are the best that can be.
    light = np.where(np.isnan(pareto_k), effective > 0.5 * k, pareto_k <= trusted_index(k))
    reliable = light & (effective >= min(RELIABLE, k)) & (k > 1)
    return LogLikelihood(log_px, np.sqrt(variance), logs / k, effective, pareto_k, reliable)


def _sum_weights(
    model: LatentVariableModel, theta: Parameters, x: NDArray, seed: int, k: int, max_rows: int
) -> NDArray:
    """For data x (m, d): M = max log w, Σ e^{log w − M}, Σ e^{2(log w − M)}, Σ log w and k̂, (5, m), as one stream."""
    draw = model.weight_sampler(theta, x) if hasattr(model, "weight_sampler") else _weight_sampler(model, theta, x)
    generators = row_generators(x, seed, "latents")
    top, total, squares, logs, pareto_k = sums = np.zeros((5, len(x)))
    top[:] = -np.inf
    largest = LargestWeights(len(x), k)
    for start in range(0, k, max_rows):
        log_w = draw(generators, min(max_rows, k - start))
        before = top.copy()
        np.maximum(top, log_w.max(axis=1), out=top)
        finite_top = np.where(np.isfinite(top), top, 0)  # −∞ − (−∞) would be NaN
        shrink, w = np.exp(before - finite_top), np.exp(log_w - finite_top[:, None])
        total *= shrink
        total += w.sum(axis=1)
        squares *= shrink * shrink
        squares += (w * w).sum(axis=1)
        logs += log_w.sum(axis=1)
        largest.add(log_w)
    pareto_k[:] = largest.index()
    return sums


def _weight_sampler(
    model: LatentVariableModel, theta: Parameters, x: NDArray
) -> Callable[[Sequence[np.random.Generator], int], NDArray]:
    """log w of draws from q(z|x), for a model with one layer of latents."""
    a_z, posterior = model.encode(theta, x)[:, None], model.posterior

    def draw(generators: Sequence[np.random.Generator], n: int) -> NDArray:
        eps = np.stack([posterior.draw_noise(rng, (n, model.latent_dim), theta.dtype) for rng in generators])
        z, _ = posterior.sample(a_z, eps)
        return log_weights(model, theta, x[:, None], a_z, z, model.decode(theta, z), eps)

    return draw
