"""A mixture of logistic distributions on grey levels: pixels that may be one of several things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.discretized_logistic import log_mass, log_mass_backward
from npvae.distributions.distribution import finite, sum_to_shape
from npvae.distributions.grey_levels import (
    GreyLevels,
    check_floor,
    mean_level,
    raw_scale,
    round_to_level,
    soft,
    unrounded_mean,
    unrounded_mean_backward,
)
from npvae.distributions.registry import register_likelihood
from npvae.numerics import logit, logsumexp, sigmoid
from npvae.validation import integer

__all__ = ["LogisticMixture"]


@register_likelihood("logistic-mixture", unit_interval=True)
@dataclass(frozen=True)
class LogisticMixture(GreyLevels):
    """P(x_j) = Σ_c w_jc P(x_j; m_jc, s_jc) with the terms of `DiscretizedLogistic`, and weights w_j = softmax(v_j).

    a = [v | m | r], each of C blocks d wide, with log s = min_log_scale + softplus(r − min_log_scale).

    Parameters
    ----------
    n_components : int, default 3
        C.
    levels : int, default 256
        K, the number of grey levels 0, 1/(K − 1), …, 1.
    min_log_scale : float, default −10.0
        The floor of log s, at least −30: gradients grow as 1/s.

    Raises
    ------
    TypeError, ValueError
        If a count is too small or no integer, or the floor is not in [−30, 0).

    References
    ----------
    Salimans, Karpathy, Chen & Kingma, PixelCNN++ (2017), eq. (2).
    """

    n_components: int = 3
    levels: int = 256
    min_log_scale: float = -10.0

    def __post_init__(self) -> None:
        integer("n_components", self.n_components, at_least=1)
        integer("levels", self.levels, at_least=2)
        check_floor(self.min_log_scale)

    def n_params(self, d: int) -> int:
        """A weight, a mean and a scale for every component and dimension: 3 C d."""
        return 3 * self.n_components * d

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, None]:
        """One uniform number draws both: the component by the cumulative weights, and the rest of it within that one.

        A step has no derivative, so there is no backward.
        """
        log_weights, mean, log_scale, _ = self._parts(a)
        ends = np.cumsum(np.exp(log_weights), axis=-2)
        ends = ends / ends[..., -1:, :]
        component = (eps[..., None, :] >= ends[..., :-1, :]).sum(axis=-2, keepdims=True)

        def chosen(values: NDArray) -> NDArray:
            shape = np.broadcast_shapes(values.shape[:-2], component.shape[:-2])
            whole = np.broadcast_to(values, (*shape, *values.shape[-2:]))
            index = np.broadcast_to(component, (*shape, *component.shape[-2:]))
            return np.take_along_axis(whole, index, axis=-2)[..., 0, :]

        start = chosen(np.concatenate([np.zeros_like(ends[..., :1, :]), ends[..., :-1, :]], axis=-2))
        tiny = np.finfo(eps.dtype)
        rest = np.minimum(np.maximum((eps - start) / (chosen(ends) - start), tiny.tiny), 1 - tiny.epsneg)
        with np.errstate(over="ignore"):
            x = chosen(mean) + finite(np.exp(chosen(log_scale))) * logit(rest)
        return round_to_level(x, self.levels).astype(eps.dtype), None

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """With the responsibilities ρ_c = w_c P_c/P: dv_c = ρ_c − w_c; dm_c and dr_c are ρ_c times those of log P_c."""
        return self._terms_backward(cache, dlog_prob[..., None])

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx, of the formula between the levels: Σ_c ρ_c times that of log P_c, of the shape of x."""
        inner, rho, *_, shape = cache
        return sum_to_shape(log_mass_backward(inner, rho * dlog_prob[..., None, None])[2].sum(axis=-2), shape)

    def mean(self, a: NDArray) -> NDArray:
        """E[x_j] = Σ_c w_jc E[x_j; m_jc, s_jc]."""
        log_weights, mean, log_scale, _ = self._parts(a)
        return (np.exp(log_weights) * mean_level(mean, log_scale, self.levels)).sum(axis=-2)

    def _unrounded_mean(self, a: NDArray) -> NDArray:
        log_weights, mean, log_scale, _ = self._parts(a)
        return (np.exp(log_weights) * unrounded_mean(mean, log_scale)).sum(axis=-2)

    def _unrounded_mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """With the means M_c of the components and M of all: dv_c = w_c (M_c − M) dmean; dm_c and dr_c are w_c times
        those of M_c."""
        log_weights, mean, log_scale, excess = self._parts(a)
        weighted = np.exp(log_weights) * dmean[..., None, :]
        means = unrounded_mean(mean, log_scale)
        total = (np.exp(log_weights) * means).sum(axis=-2, keepdims=True)
        dm, dlog_scale = unrounded_mean_backward(mean, log_scale, weighted)
        return np.stack([weighted * (means - total), dm, dlog_scale * sigmoid(excess)], axis=-3).reshape(a.shape)

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """Equal weights, means spread by a standard deviation about the mean, and scales as if there were one alone."""
        spread = np.linspace(-1, 1, self.n_components) if self.n_components > 1 else np.zeros(1)
        means = mean + spread[:, None].astype(mean.dtype) * np.sqrt(var)
        scales = np.broadcast_to(raw_scale(var, self.levels, self.min_log_scale), means.shape)
        return np.stack([np.zeros_like(means), means, scales]).reshape(-1)

    def components(self, a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Log-weights, means and log-scales, each (C, …, d)."""
        return tuple(np.moveaxis(part, -2, 0) for part in self._parts(a)[:3])

    def _parts(self, a: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """log w, m, log s and r − min_log_scale, each (…, C, d)."""
        v, mean, r = np.moveaxis(a.reshape(*a.shape[:-1], 3, self.n_components, -1), -3, 0)
        excess = r - self.min_log_scale
        return v - logsumexp(v, axis=-2)[..., None, :], mean, self.min_log_scale + soft(excess), excess

    def _terms(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log P(x_j) = log Σ_c e^{log w_jc + log P(x_j; m_jc, s_jc)}.

        The cache is that of `log_mass`, the responsibilities, log w, r − min_log_scale, and the shapes of a and x.
        """
        log_weights, mean, log_scale, excess = self._parts(a)
        log_p, inner = log_mass(mean, log_scale, x[..., None, :] if x.ndim else x, self.levels)
        log_joint = log_weights + log_p
        terms = logsumexp(log_joint, axis=-2)
        rho = np.exp(log_joint - terms[..., None, :])
        return terms, (inner, rho, log_weights, excess, a.shape, x.shape)

    def _terms_backward(self, cache: tuple, dterms: NDArray) -> NDArray:
        inner, rho, log_weights, excess, shape, _ = cache
        upstream = dterms[..., None, :]
        dmean, dlog_scale, _ = log_mass_backward(inner, rho * upstream)
        dweights = (rho - np.exp(log_weights)) * upstream
        dv, dm, dlog_s = (sum_to_shape(part, excess.shape) for part in (dweights, dmean, dlog_scale))
        return np.stack([dv, dm, dlog_s * sigmoid(excess)], axis=-3).reshape(shape)
