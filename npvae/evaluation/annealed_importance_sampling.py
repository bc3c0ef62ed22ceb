"""Annealed importance sampling: the partition function of a Boltzmann machine, from below and from above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.models.rbm import RBM
from npvae.numerics import keep_freed_memory, log_mean_exp, sigmoid, softplus
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, data_matrix, integer

__all__ = [
    "LogPartition",
    "annealed_importance_sampling",
    "annealing_schedule",
    "base_rate_machine",
    "reverse_annealing",
]

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps in all."""


@dataclass(frozen=True)
class LogPartition:
    """An estimate of log Z.

    Attributes
    ----------
    log_weights : (runs,) array
        One for every run: forwards an estimate of log Z that is below it on average, in reverse one that is above.
    direction : {"forward", "reverse"}
    steps : int
        Intermediate machines.
    """

    log_weights: NDArray
    direction: str
    steps: int

    @property
    def log_z(self) -> float:
        """log of the mean weight, or in reverse −log of the mean of their inverses; nats."""
        return self._sign * float(log_mean_exp(self._sign * self.log_weights))

    @property
    def _sign(self) -> int:
        return 1 if self.direction == "forward" else -1

    def _relative_weights(self) -> NDArray:
        """What is averaged, divided by the largest."""
        weights = self._sign * self.log_weights
        return np.exp(weights - weights.max())

    @property
    def standard_error(self) -> float:
        """The error of log Z, nats: the relative one of the mean weight. It knows only what the runs have seen."""
        w = self._relative_weights()
        return float(w.std(ddof=1) / (w.mean() * sqrt(len(w))))

    @property
    def interval(self) -> tuple[float, float]:
        """log of the mean weight ± 3 standard errors, nats: the error bars of Salakhutdinov & Murray.

        The end on the far side is infinite where three standard errors are as much as the mean itself.
        """
        error = 3 * self.standard_error
        up, down = log(1 + error), -np.inf if error >= 1 else log(1 - error)
        if self.direction == "forward":
            return self.log_z + down, self.log_z + up
        return self.log_z - up, self.log_z - down

    @property
    def effective_runs(self) -> float:
        """(Σ w)²/Σ w²: how many runs of equal weight would be worth as much."""
        w = self._relative_weights()
        return float(w.sum() ** 2 / (w * w).sum())


def base_rate_machine(model: RBM, theta: Parameters, mean: ArrayLike | None = None) -> tuple[Parameters, float]:
    """A machine without weights whose visible units have the `mean` (n_features,) of the data, and its log Z.

    Without a mean the units keep the biases of theta. Gaussian units keep the variances of theta, which the way from
    one machine to the other does not change.
    """
    base = theta.copy()
    base["W"][...], base["b"][...] = 0, 0
    if mean is not None:
        mean = np.asarray(mean, theta.dtype)
        if mean.shape != (model.n_features,):
            raise ArgumentError("mean", f"have shape ({model.n_features},)", mean.shape)
        model.visible.set_mean(base, mean)
    field = np.zeros((1, model.n_features), theta.dtype)
    return base, float(model.visible.log_normalizer(base, field)[0]) + model.n_hidden * log(2)


def annealing_schedule(steps: int) -> NDArray:
    """`steps` inverse temperatures from 0 to 1 in three parts, finer towards 1.

    [0, 0.5], [0.5, 0.9] and [0.9, 1] have them in the proportions 500 : 4,000 : 10,000, those of Salakhutdinov & Murray
    (2008), section 4.2.
    """
    integer("steps", steps, at_least=2)
    knots = np.array([0, 500, 4500, 14500]) / 14500 * (steps - 1)
    return np.interp(np.arange(steps), knots, [0, 0.5, 0.9, 1])


def annealed_importance_sampling(
    model: RBM,
    theta: Parameters,
    rng: np.random.Generator,
    mean: ArrayLike | None = None,
    steps: int = 10_000,
    runs: int = 100,
    progress: Progress | None = None,
) -> LogPartition:
    """log Z by going from the machine of the data's base rates, whose Z is known, to that of theta.

    The machines between have the parameters θ_β = (1 − β) θ_base + β θ. Each run is a chain v_1, …, v_K through them,
    with one step of block Gibbs sampling in each, and its weight is

        log w = log Z_base + Σ_k [F_{β_{k−1}}(v_k) − F_{β_k}(v_k)].

    E[w] = Z for any number of steps. log Z is estimated by the logarithm of the mean weight, which lies below on
    average, so that likelihoods come out too high where it has not converged: hold it against `reverse_annealing`.

    Parameters
    ----------
    mean : (n_features,) array, optional
        Mean of the data. It only decides where the way begins, and by that how long it is.
    steps : int, default 10,000
        K, the machines on the way.
    runs : int, default 100
    progress : callable, optional

    Raises
    ------
    TypeError, ValueError
        If `mean` has another shape, a count is too small, or theta has only zero weights, whose Z needs no estimate.

    References
    ----------
    Neal, Annealed importance sampling (2001). Salakhutdinov & Murray, On the quantitative analysis of deep belief
    networks (2008), section 4.1.
    """
    integer("runs", runs, at_least=2)
    _require_trained(theta)
    base, log_z_base = base_rate_machine(model, theta, mean)
    path, betas = _Path(model, base, theta), annealing_schedule(steps)
    keep_freed_memory()
    noise = model.gibbs_noise(rng, 1, runs, theta.dtype)
    v = model.visible.sample(base, np.zeros((runs, model.n_features), theta.dtype), noise.visible[0])
    log_w = np.full(runs, log_z_base)
    for k in range(1, steps):
        logits = path.logits(v)
        log_w += path.free_energy_difference(v, logits, betas[k - 1], betas[k])
        v = path.gibbs(logits, betas[k], rng)
        if progress is not None:
            progress(k + 1, steps)
    return LogPartition(log_w, "forward", steps)


def reverse_annealing(
    model: RBM,
    theta: Parameters,
    v: NDArray,
    rng: np.random.Generator,
    mean: ArrayLike | None = None,
    steps: int = 10_000,
    burn_in: int = 1_000,
    progress: Progress | None = None,
) -> LogPartition:
    """log Z the other way: from draws of the machine of theta to the one whose Z is known.

    With exact draws E[1/w] = 1/Z, and log Z is estimated by −log mean(1/w), which lies above on average. Both ways
    together enclose log Z. Draws are not exact: the chains begin at `v` and take `burn_in` steps at β = 1. Chains that
    begin at data stay in the modes that the data have, and if the machine has others the estimate knows nothing of
    them.

    Parameters
    ----------
    v : (runs, n_features) array
        Where the chains begin: rows of the data, or chains that have been running for long.
    burn_in : int, default 1,000
        Steps of block Gibbs sampling before the way back begins.

    Others as in `annealed_importance_sampling`, and the same errors.

    References
    ----------
    Burda, Grosse & Salakhutdinov, Accurate and conservative estimates of MRF log-likelihood using reverse annealing
    (2015). Grosse, Ghahramani & Adams, Sandwiching the marginal likelihood using bidirectional Monte Carlo (2015).
    """
    v = data_matrix("v", v, model.n_features, theta.dtype)
    model.visible.require_support("v", v)
    integer("rows of v", len(v), at_least=2)
    integer("burn_in", burn_in, at_least=0)
    _require_trained(theta)
    base, log_z_base = base_rate_machine(model, theta, mean)
    path, betas = _Path(model, base, theta), annealing_schedule(steps)
    keep_freed_memory()
    for _ in range(burn_in):
        v = path.gibbs(path.logits(v), 1.0, rng)
    log_w = np.full(len(v), log_z_base)
    logits = path.logits(v)
    for k in range(steps - 1, 0, -1):
        log_w += path.free_energy_difference(v, logits, betas[k - 1], betas[k])
        v = path.gibbs(logits, betas[k - 1], rng)
        logits = path.logits(v)
        if progress is not None:
            progress(steps - k + 1, steps)
    return LogPartition(log_w, "reverse", steps)


def _require_trained(theta: Parameters) -> None:
    if not theta["W"].any():
        advice = "its units are independent, and base_rate_machine gives its log Z exactly"
        raise ArgumentError("theta", "be that of a trained machine", "weights that are all zero", advice)


class _Path:
    """The machines between two, with the parameters (1 − β) θ_0 + β θ_1, where θ_0 has neither W nor b."""

    def __init__(self, model: RBM, base: Parameters, theta: Parameters) -> None:
        self.model, self.theta = model, theta
        names = model.visible.shapes(model.n_features)
        self._ends = [Parameters.from_arrays({name: end[name] for name in names}, end.dtype) for end in (base, theta)]

    def _units(self, beta: float) -> Parameters:
        """The visible units' own parameters at β."""
        start, end = self._ends
        units = start.copy()
        units.flat += beta * (end.flat - start.flat)
        return units

    def logits(self, v: NDArray) -> NDArray:
        """b + s(v) W of the machine at β = 1; at β they are β times that."""
        return self.model.hidden_input(self.theta, v)

    def free_energy_difference(self, v: NDArray, logits: NDArray, low: float, high: float) -> NDArray:
        """F_low(v) − F_high(v), (runs,), in float64."""
        hidden = softplus(logits * high) - softplus(logits * low)
        visible = (self.model.visible.energy(self._units(beta), v) for beta in (low, high))
        return hidden.sum(axis=-1, dtype=np.float64) + np.subtract(*visible, dtype=np.float64)

    def gibbs(self, logits: NDArray, beta: float, rng: np.random.Generator) -> NDArray:
        """v ~ p_β(v|h) after h ~ p_β(h|v), from the logits of v at β = 1."""
        noise = self.model.gibbs_noise(rng, 1, len(logits), logits.dtype)
        h = (noise.hidden[0] < sigmoid(logits * beta)).astype(logits.dtype)
        field = h @ self.theta["W"].T
        field *= beta
        return self.model.visible.sample(self._units(beta), field, noise.visible[0])
