"""The four kinds of covariances of a mixture's components, each with its estimate and its factor.

A kind says how many numbers it has, which second moments it is estimated from, and how its covariances act on a
deviation: `whiten` multiplies by L⁻¹ and `colour` by L, where Σ = L Lᵀ.

**The floor.** With a component on a single point, or a constant feature, the likelihood has no maximum: it grows
without end as a variance goes to zero. All estimates here are therefore those of maximum likelihood under the
constraint that no variance, in whatever direction, is smaller than `floor`. For a second moment S with the eigenvectors
U and the eigenvalues λ that is U max(λ, floor) Uᵀ. It is an exact maximum, so the likelihood still never falls; a
constant added to the diagonal, as is often done, has no such guarantee.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVARIANCES", "Covariances", "Diagonal", "Factors", "Full", "Spherical", "Tied"]


class Factors(NamedTuple):
    """L and L⁻¹ of every component; log det L of every component, (k,)."""

    factor: NDArray
    inverse: NDArray
    log_det: NDArray


class Covariances(Protocol):
    """A kind of covariances for k components in d dimensions."""

    crossed: bool
    """Whether `scatter` has all products of two features, (k, d, d), or the squares only, (k, d)."""
    shared: bool
    """Whether all components have the same covariance."""

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """Shape of the array that holds the covariances."""

    def n_free(self, k: int, d: int) -> int:
        """How many numbers can be chosen freely."""

    def estimate(self, scatter: NDArray, counts: NDArray, floor: float) -> NDArray:
        """Most likely covariances, none with a variance below `floor`.

        `scatter` holds Σ_n r_nk (x_n − m_k)(x_n − m_k)ᵀ of every component, or the diagonal of that, and `counts` holds
        Σ_n r_nk > 0.
        """

    def factors(self, covariances: NDArray, k: int, d: int) -> Factors:
        """L, L⁻¹ and log det L."""

    def whiten(self, factors: Factors, component: int, deviation: NDArray) -> NDArray:
        """L⁻¹ (x − m) of one component, for deviations (d, n) as columns."""

    def colour(self, factors: Factors, component: NDArray, eps: NDArray) -> NDArray:
        """L eps, for rows (n, d), each with the component of its index (n,)."""


class Full:
    """A covariance of its own for every component: (k, d, d)."""

    crossed, shared = True, False

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """(k, d, d)."""
        return k, d, d

    def n_free(self, k: int, d: int) -> int:
        """A triangle for every component: k d (d + 1)/2."""
        return k * d * (d + 1) // 2

    def estimate(self, scatter: NDArray, counts: NDArray, floor: float) -> NDArray:
        """Σ_k = scatter_k / counts_k, with its eigenvalues raised to the floor."""
        return np.stack([_floored(s / n, floor) for s, n in zip(scatter, counts, strict=True)])

    def factors(self, covariances: NDArray, k: int, d: int) -> Factors:
        """The Cholesky factors."""
        return _cholesky(covariances)

    def whiten(self, factors: Factors, component: int, deviation: NDArray) -> NDArray:
        """L_k⁻¹ (x − m)."""
        return factors.inverse[component] @ deviation

    def colour(self, factors: Factors, component: NDArray, eps: NDArray) -> NDArray:
        """L_k eps."""
        return np.einsum("nij,nj->ni", factors.factor[component], eps)


class Tied:
    """One covariance for all components: (d, d)."""

    crossed, shared = True, True

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """(d, d)."""
        return d, d

    def n_free(self, k: int, d: int) -> int:
        """One triangle: d (d + 1)/2."""
        return d * (d + 1) // 2

    def estimate(self, scatter: NDArray, counts: NDArray, floor: float) -> NDArray:
        """Σ = Σ_k scatter_k / Σ_k counts_k, with its eigenvalues raised to the floor."""
        return _floored(scatter.sum(axis=0) / counts.sum(), floor)

    def factors(self, covariances: NDArray, k: int, d: int) -> Factors:
        """The Cholesky factor, seen k times."""
        one = _cholesky(covariances[None])
        return Factors(*(np.broadcast_to(part, (k, *part.shape[1:])) for part in one))

    whiten, colour = Full.whiten, Full.colour


class Diagonal:
    """A variance for every feature and component: (k, d)."""

    crossed, shared = False, False

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """(k, d)."""
        return k, d

    def n_free(self, k: int, d: int) -> int:
        """All of them: k d."""
        return k * d

    def estimate(self, scatter: NDArray, counts: NDArray, floor: float) -> NDArray:
        """σ_kj² = scatter_kj / counts_k, at least the floor."""
        return np.maximum(scatter / counts[:, None], floor)

    def factors(self, covariances: NDArray, k: int, d: int) -> Factors:
        """The standard deviations."""
        sigma = np.sqrt(covariances)
        return Factors(sigma, 1 / sigma, np.log(sigma).sum(axis=1))

    def whiten(self, factors: Factors, component: int, deviation: NDArray) -> NDArray:
        """(x − m) / σ_k."""
        return deviation * factors.inverse[component][:, None]

    def colour(self, factors: Factors, component: NDArray, eps: NDArray) -> NDArray:
        """σ_k eps."""
        return factors.factor[component] * eps


class Spherical:
    """One variance for every component: (k,)."""

    crossed, shared = False, False

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """(k,)."""
        return (k,)

    def n_free(self, k: int, d: int) -> int:
        """All of them: k."""
        return k

    def estimate(self, scatter: NDArray, counts: NDArray, floor: float) -> NDArray:
        """σ_k² = (1/d) Σ_j scatter_kj / counts_k, at least the floor."""
        return np.maximum(scatter.mean(axis=1) / counts, floor)

    def factors(self, covariances: NDArray, k: int, d: int) -> Factors:
        """The standard deviations, seen d times."""
        sigma = np.broadcast_to(np.sqrt(covariances)[:, None], (k, d))
        return Factors(sigma, 1 / sigma, d * np.log(sigma[:, 0]))

    whiten, colour = Diagonal.whiten, Diagonal.colour


COVARIANCES: dict[str, Covariances] = {
    "full": Full(),
    "diagonal": Diagonal(),
    "spherical": Spherical(),
    "tied": Tied(),
}
"""The kinds by name."""


def _floored(moment: NDArray, floor: float) -> NDArray:
    """A symmetric (d, d) matrix with its eigenvalues raised to the floor; itself if none lies below.

    An eigenvalue below 10⁻¹² of the total variance is nothing but rounding, so the floor is at least that.
    """
    moment, floor = 0.5 * (moment + moment.T), max(floor, 1e-12 * float(np.trace(moment)))
    try:
        np.linalg.cholesky(moment - floor * np.eye(len(moment)))  # exists if all eigenvalues lie above the floor
        return moment
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(moment)
        return (vectors * np.maximum(values, floor)) @ vectors.T


def _cholesky(covariances: NDArray) -> Factors:
    factor = np.linalg.cholesky(covariances)
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return Factors(factor, np.linalg.inv(factor), log_det)
