"""The mixture of Gaussians, fitted by expectation maximisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.diagonal_gaussian import LOG_2PI
from npvae.models.covariances import COVARIANCES, Covariances, Factors
from npvae.models.k_means import blocks, k_means, k_means_plus_plus
from npvae.numerics import logsumexp
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer, number, one_of

__all__ = ["EMRun", "GaussianMixture", "Moments"]

EMPTY = 1e-10
"""A component that is responsible for fewer rows than this is emptied: a mean over so few would be rounding alone."""


class Moments(NamedTuple):
    """What an M step needs to know of the data, relative to the means m_k that the E step had.

    Sums over rows, so that blocks of rows add up. Deviations from the means before the step keep their digits where
    moments about the origin would lose them.
    """

    counts: NDArray
    """Σ_n r_nk, (k,)."""
    shifts: NDArray
    """Σ_n r_nk (x_n − m_k), (k, d)."""
    scatter: NDArray
    """Σ_n r_nk (x_n − m_k)(x_n − m_k)ᵀ, (k, d, d), or its diagonal, (k, d), where no more is needed."""


class EMRun(NamedTuple):
    """What `GaussianMixture.fit` comes to."""

    theta: Parameters
    log_likelihood: list[float]
    """(1/n) Σ_n log p(x_n) before the first step and after each one, nats; it never falls."""
    converged: bool
    """Whether the last step gained less than the tolerance."""


@dataclass(frozen=True)
class GaussianMixture:
    """p(x) = Σ_k w_k N(x; m_k, Σ_k).

    The parameters are "weights" w (k,), "means" m (k, d) and "covariances", whose shape is that of their kind: "full"
    (k, d, d), "diagonal" (k, d), "spherical" (k,), "tied" (d, d). They are float64, whatever the data are.

    Parameters
    ----------
    n_features : int
        d, the width of a row.
    n_components : int
        k.
    covariance : {"full", "diagonal", "spherical", "tied"}
        Which Σ_k there may be, see `npvae.models.covariances`.
    min_variance : float, default 1e-6
        The floor under the variance of every component in every direction, in squared units of x. It keeps the
        likelihood bounded where a component has only one row, or a feature is constant.

    Raises
    ------
    TypeError, ValueError
        If a count is no positive integer, the floor is not positive, or `covariance` is unknown.

    References
    ----------
    Dempster, Laird & Rubin, Maximum likelihood from incomplete data via the EM algorithm (1977), section 4.3.
    Bishop, Pattern recognition and machine learning (2006), eqs. (9.23) to (9.28).
    """

    n_features: int
    n_components: int
    covariance: str = "full"
    min_variance: float = 1e-6
    kind: Covariances = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        integer("n_features", self.n_features, at_least=1)
        integer("n_components", self.n_components, at_least=1)
        number("min_variance", self.min_variance, above=0)
        object.__setattr__(self, "kind", one_of("covariance", self.covariance, COVARIANCES))

    @property
    def shapes(self) -> Shapes:
        """Weights, means and covariances."""
        k, d = self.n_components, self.n_features
        return {"weights": (k,), "means": (k, d), "covariances": self.kind.shape(k, d)}

    @property
    def n_free(self) -> int:
        """How many numbers can be chosen freely: k − 1 weights, k d means, and the covariances."""
        k, d = self.n_components, self.n_features
        return k - 1 + k * d + self.kind.n_free(k, d)

    def start(self, rng: np.random.Generator, x: NDArray) -> Parameters:
        """The parameters that k-means suggests: one M step from its clusters, which begin with k-means++.

        Raises
        ------
        ArgumentError
            If x (n, d) has fewer different rows than there are components.
        """
        k, n = self.n_components, len(x)
        if k > n:
            raise ArgumentError("n_components", f"be at most {n}, the number of rows", k)
        centres, index = k_means(x, k_means_plus_plus(rng, x, k))
        theta = Parameters(self.shapes, np.float64)
        theta["weights"][:], theta["means"][:] = 1 / k, centres
        # A cluster without rows keeps the covariance of all rows.
        theta["covariances"][...] = self._pooled(x)
        moments = self._no_moments()
        for rows in self._blocks(n):
            one_of_k = (index[rows] == np.arange(k)[:, None]).astype(np.float64)
            self._add(moments, theta["means"], _columns(x[rows]), one_of_k)
        return self.m_step(theta, moments)

    def e_step(self, theta: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """The responsibilities r_nk = p(k|x_n) = w_k N(x_n; m_k, Σ_k)/p(x_n): the q(k) that makes the bound tight.

        Parameters
        ----------
        theta : Parameters
        x : (n, d) array

        Returns
        -------
        responsibilities : (n, k) array
            The rows sum to one.
        log_prob : (n,) array
            log p(x_n), nats.
        """
        responsibilities, log_prob = np.empty((len(x), self.n_components)), np.empty(len(x))
        factors = self._factors(theta)
        for rows in self._blocks(len(x)):
            columns, log_prob[rows] = self._posterior(theta, factors, _columns(x[rows]))
            responsibilities[rows] = columns.T
        return responsibilities, log_prob

    def moments(self, theta: Parameters, x: NDArray, responsibilities: NDArray) -> Moments:
        """What the M step needs of rows x (n, d) and their responsibilities (n, k)."""
        moments = self._no_moments()
        for rows in self._blocks(len(x)):
            self._add(moments, theta["means"], _columns(x[rows]), np.ascontiguousarray(responsibilities[rows].T))
        return moments

    def m_step(self, theta: Parameters, moments: Moments) -> Parameters:
        """argmax of E_q log p(x, k): with N_k = Σ_n r_nk,

            w_k = N_k / n,   m_k = (1/N_k) Σ_n r_nk x_n,   Σ_k = (1/N_k) Σ_n r_nk (x_n − m_k)(x_n − m_k)ᵀ,

        the last with the floor, and pooled where the covariances are. An emptied component, N_k < 1e-10, keeps the mean
        and the covariance that it has in theta. The log-likelihood does not fall in either case.
        """
        counts, shifts, scatter = moments
        alive, safe = counts >= EMPTY, np.maximum(counts, EMPTY)
        delta = np.where(alive[:, None], shifts / safe[:, None], 0)
        # Σ r (x − m')(x − m')ᵀ = Σ r (x − m)(x − m)ᵀ − N δδᵀ for the new mean m' = m + δ.
        outer = delta[:, :, None] * delta[:, None, :] if self.kind.crossed else delta * delta
        covariances = self.kind.estimate(scatter - _each(counts, outer) * outer, safe, self.min_variance)
        if not self.kind.shared:
            covariances = np.where(_each(alive, covariances), covariances, theta["covariances"])
        arrays = {"weights": counts / counts.sum(), "means": theta["means"] + delta, "covariances": covariances}
        return Parameters.from_arrays(arrays, np.float64)

    def em_step(self, theta: Parameters, x: NDArray) -> tuple[Parameters, float]:
        """One E and one M step, block by block; the new theta, and (1/n) Σ_n log p(x_n) under the old one."""
        moments, factors, total = self._no_moments(), self._factors(theta), 0.0
        for rows in self._blocks(len(x)):
            columns = _columns(x[rows])
            responsibilities, log_prob = self._posterior(theta, factors, columns)
            self._add(moments, theta["means"], columns, responsibilities)
            total += float(log_prob.sum())
        return self.m_step(theta, moments), total / len(x)

    def fit(self, theta: Parameters, x: NDArray, tolerance: float = 1e-3, max_iter: int = 100) -> EMRun:
        """EM steps from theta until one gains less than `tolerance` nats a row, at most `max_iter` of them."""
        history: list[float] = []
        for _ in range(max_iter):
            new, log_likelihood = self.em_step(theta, x)
            history.append(log_likelihood)
            if len(history) > 1 and history[-1] - history[-2] < tolerance:
                return EMRun(theta, history, True)
            theta = new
        history.append(float(self.log_prob(theta, x).mean()))
        return EMRun(theta, history, history[-1] - history[-2] < tolerance)

    def log_prob(self, theta: Parameters, x: NDArray) -> NDArray:
        """log p(x_n) = log Σ_k w_k N(x_n; m_k, Σ_k), nats, (n,)."""
        return self.e_step(theta, x)[1]

    def bic(self, theta: Parameters, x: NDArray) -> float:
        """Bayesian information criterion −2 Σ_n log p(x_n) + n_free log n; the lower, the better."""
        return -2 * float(self.log_prob(theta, x).sum()) + self.n_free * log(len(x))

    def aic(self, theta: Parameters, x: NDArray) -> float:
        """Akaike's information criterion −2 Σ_n log p(x_n) + 2 n_free; the lower, the better."""
        return -2 * float(self.log_prob(theta, x).sum()) + 2 * self.n_free

    def draw_noise(self, rng: np.random.Generator, n: int) -> tuple[NDArray, NDArray]:
        """What `sample` turns into n draws: uniform numbers (n,), and normal ones (n, d)."""
        return rng.random(n), rng.standard_normal((n, self.n_features))

    def sample(self, theta: Parameters, noise: tuple[NDArray, NDArray]) -> tuple[NDArray, NDArray]:
        """k by the cumulative weights, then x = m_k + L_k eps.

        Returns
        -------
        x : (n, d) array
        component : (n,) array of int
        """
        u, eps = noise
        total = np.cumsum(theta["weights"])
        last = int(np.flatnonzero(theta["weights"])[-1])
        component = np.minimum(np.searchsorted(total, u * total[-1], side="right"), last)
        return theta["means"][component] + self.kind.colour(self._factors(theta), component, eps), component

    def full_covariances(self, theta: Parameters) -> NDArray:
        """Σ_k as matrices (k, d, d), whatever the kind."""
        k, d = self.n_components, self.n_features
        factor = self._factors(theta).factor
        factor = factor if self.kind.crossed else factor[:, :, None] * np.eye(d)
        return np.broadcast_to(factor @ factor.swapaxes(1, 2), (k, d, d))

    def _blocks(self, n: int) -> Iterator[slice]:
        return blocks(n, max(self.n_components, self.n_features))

    def _factors(self, theta: Parameters) -> Factors:
        return self.kind.factors(theta["covariances"], self.n_components, self.n_features)

    def _posterior(self, theta: Parameters, factors: Factors, columns: NDArray) -> tuple[NDArray, NDArray]:
        """Responsibilities (k, n) and log p(x) (n,) of data (d, n)."""
        log_joint = np.empty((self.n_components, columns.shape[1]))
        with np.errstate(divide="ignore"):  # log 0 of a component that was emptied
            constants = np.log(theta["weights"]) - factors.log_det - 0.5 * self.n_features * LOG_2PI
        for k, mean in enumerate(theta["means"]):
            y = self.kind.whiten(factors, k, columns - mean[:, None])
            np.einsum("dn,dn->n", y, y, out=log_joint[k])
            log_joint[k] *= -0.5
            log_joint[k] += constants[k]
        log_prob = logsumexp(log_joint)
        log_joint -= log_prob
        return np.exp(log_joint, out=log_joint), log_prob

    def _no_moments(self) -> Moments:
        k, d = self.n_components, self.n_features
        return Moments(np.zeros(k), np.zeros((k, d)), np.zeros((k, d, d) if self.kind.crossed else (k, d)))

    def _add(self, moments: Moments, means: NDArray, columns: NDArray, responsibilities: NDArray) -> None:
        """Add the moments of data (d, n) with responsibilities (k, n)."""
        moments.counts[:] += responsibilities.sum(axis=1)
        for k, (r, mean) in enumerate(zip(responsibilities, means, strict=True)):
            deviation = columns - mean[:, None]
            weighted = deviation * r
            moments.shifts[k] += weighted.sum(axis=1)
            moments.scatter[k] += (
                weighted @ deviation.T if self.kind.crossed else np.einsum("dn,dn->d", weighted, deviation)
            )

    def _pooled(self, x: NDArray) -> NDArray:
        """The covariances, had every component all rows."""
        k, mean, moments = self.n_components, x.mean(axis=0, dtype=np.float64), self._no_moments()
        for rows in self._blocks(len(x)):
            columns = _columns(x[rows])
            self._add(moments, np.broadcast_to(mean, (k, len(mean))), columns, np.ones((k, columns.shape[1])))
        return self.kind.estimate(moments.scatter, moments.counts, self.min_variance)


def _columns(x: NDArray) -> NDArray:
    """Rows (n, d) as columns (d, n) of float64, contiguous."""
    return np.ascontiguousarray(x.T, dtype=np.float64)


def _each(values: NDArray, like: NDArray) -> NDArray:
    """A number a component, (k,), shaped to be broadcast against an array (k, …)."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))
