"""Principal components, and the Gaussian model of which they are the maximum of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.diagonal_gaussian import LOG_2PI
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer, number

__all__ = ["PCA", "Spread"]

_BLOCK = 4096  # rows at a time, or four times as many as there are features


class Spread(NamedTuple):
    """What the components of rows x (n, D) are made of, in float64."""

    n: int
    """How many rows."""
    mean: NDArray
    """m, (D,)."""
    triangle: NDArray
    """R, (at most D, D), where x − m = Q R: RᵀR is n times the covariance."""


@dataclass(frozen=True)
class PCA:
    """x̂ = m + U Uᵀ (x − m) with the d directions U along which the data vary most; and p(x) = N(m, W Wᵀ + σ² I).

    The second is probabilistic PCA, z ~ N(0, I) and x = m + W z + σ eps: the linear, Gaussian case of a VAE, in which
    the likelihood, its maximum and the posterior have closed forms.

    The parameters are "mean" m (D,), "components" Uᵀ (d, D), "variances" λ (d,), the largest eigenvalues of the
    covariance (1/n) Σ_n (x_n − m)(x_n − m)ᵀ in falling order, and "noise_variance" σ² (), the mean of the D − d others.
    They are float64, whatever the data are.

    Parameters
    ----------
    n_features : int
        D, the width of a row.
    latent_dim : int
        d, at most D.
    min_variance : float, default 1e-6
        The floor under λ and σ² in densities, in squared units of x. Without it the likelihood of data that lie in a
        plane of d dimensions has no bound.

    Raises
    ------
    TypeError, ArgumentError
        If a width is no positive integer, d > D, or the floor is not positive.

    References
    ----------
    Tipping & Bishop, Probabilistic principal component analysis (1999), eqs. (4), (7), (8), appendix A.
    """

    n_features: int
    latent_dim: int
    min_variance: float = 1e-6

    def __post_init__(self) -> None:
        integer("n_features", self.n_features, at_least=1)
        number("min_variance", self.min_variance, above=0)
        if integer("latent_dim", self.latent_dim, at_least=1) > self.n_features:
            raise ArgumentError("latent_dim", f"be at most n_features = {self.n_features}", self.latent_dim)

    @property
    def shapes(self) -> Shapes:
        """Mean, components, variances, and the variance of the noise."""
        d, n_features = self.latent_dim, self.n_features
        return {"mean": (n_features,), "components": (d, n_features), "variances": (d,), "noise_variance": ()}

    def fit(self, x: NDArray) -> Parameters:
        """The parameters of highest likelihood.

        The singular values and right vectors of the centred data are those of R, where x − m = Q R. R is made of
        blocks of rows, so there is no second copy of x, and no covariance is formed, which would lose whatever varies
        10⁻⁸ times as much as the largest component. The sign of a component makes its largest entry positive.

        Parameters
        ----------
        x : (n, D) array
            With n ≥ d.

        Raises
        ------
        ArgumentError
            If there are fewer rows than latents.
        """
        return self.of_spread(self.spread(x))

    def spread(self, x: NDArray) -> Spread:
        """The spread of rows (n, D), block by block."""
        mean = x.mean(axis=0, dtype=np.float64)
        triangle, rows = np.empty((0, self.n_features)), max(_BLOCK, 4 * self.n_features)
        for start in range(0, len(x), rows):
            triangle = np.linalg.qr(np.concatenate([triangle, x[start : start + rows] - mean]), mode="r")
        return Spread(len(x), mean, triangle)

    def together(self, a: Spread, b: Spread) -> Spread:
        """The spread of the rows of both, of which there are n = n_a + n_b.

        RᵀR = R_aᵀ R_a + R_bᵀ R_b + n_a n_b/n (m_a − m_b)(m_a − m_b)ᵀ.
        """
        n = a.n + b.n
        between = np.sqrt(a.n * b.n / n) * (a.mean - b.mean)
        triangle = np.linalg.qr(np.concatenate([a.triangle, b.triangle, between[None]]), mode="r")
        return Spread(n, (a.n * a.mean + b.n * b.mean) / n, triangle)

    def of_spread(self, spread: Spread) -> Parameters:
        """The parameters of highest likelihood for rows of that spread; an ArgumentError if they are fewer than d."""
        (n, mean, triangle), d = spread, self.latent_dim
        if d > n:
            raise ArgumentError("latent_dim", f"be at most {n}, the number of rows", d)
        _, singular, vectors = np.linalg.svd(triangle, full_matrices=False)
        variances, components = singular**2 / n, vectors[:d]
        largest = np.take_along_axis(components, np.argmax(np.abs(components), axis=1)[:, None], axis=1)
        arrays = {
            "mean": mean,
            "components": np.where(largest < 0, -components, components),
            "variances": variances[:d],
            "noise_variance": variances[d:].sum() / max(self.n_features - d, 1),
        }
        return Parameters.from_arrays(arrays, np.float64)

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The scores Uᵀ (x − m), (n, d)."""
        return (x - theta["mean"]) @ theta["components"].T

    def decode(self, theta: Parameters, scores: NDArray) -> NDArray:
        """m + U scores, (n, D)."""
        return scores @ theta["components"] + theta["mean"]

    def explained(self, theta: Parameters) -> NDArray:
        """The share of the variance that lies along each component, (d,); 0 for data that do not vary."""
        rest = (self.n_features - self.latent_dim) * float(theta["noise_variance"])
        total = float(theta["variances"].sum()) + rest
        return theta["variances"] / (total if total > 0 else 1)

    def weights(self, theta: Parameters) -> NDArray:
        """W = U (Λ − σ² I)^½, (D, d)."""
        variances, noise = self._floored(theta)
        return theta["components"].T * np.sqrt(variances - noise)

    def log_prob(self, theta: Parameters, x: NDArray) -> NDArray:
        """log N(x; m, W Wᵀ + σ² I), nats, (n,). With y = x − m and the residual e = y − U Uᵀ y it is

        −½ [D log 2π + Σ_j log λ_j + (D − d) log σ² + Σ_j (Uᵀ y)_j²/λ_j + eᵀe/σ²].
        """
        variances, noise = self._floored(theta)
        d, n_features = self.latent_dim, self.n_features
        constant = n_features * LOG_2PI + np.log(variances).sum() + (n_features - d) * log(noise)
        deviation = x - theta["mean"]
        scores = deviation @ theta["components"].T
        if d == n_features:  # nothing is left but rounding
            return -0.5 * (constant + (scores**2 / variances).sum(axis=1))
        deviation -= scores @ theta["components"]
        squares = np.einsum("nj,nj->n", deviation, deviation)
        return -0.5 * (constant + (scores**2 / variances).sum(axis=1) + squares / noise)

    def posterior(self, theta: Parameters, x: NDArray) -> NDArray:
        """p(z|x) as [mu | log_var], (n, 2 d): it is N(mu, σ_z²) with independent latents,

        mu_j = (λ_j − σ²)^½ (Uᵀ (x − m))_j / λ_j   and   σ_zj² = σ²/λ_j.
        """
        variances, noise = self._floored(theta)
        mu = self.encode(theta, x) * (np.sqrt(variances - noise) / variances)
        return np.concatenate([mu, np.broadcast_to(log(noise) - np.log(variances), mu.shape)], axis=1)

    def draw_noise(self, rng: np.random.Generator, n: int) -> tuple[NDArray, NDArray]:
        """What `sample` turns into n draws: z ~ N(0, I) of (n, d), and eps ~ N(0, I) of (n, D)."""
        return rng.standard_normal((n, self.latent_dim)), rng.standard_normal((n, self.n_features))

    def sample(self, theta: Parameters, noise: tuple[NDArray, NDArray]) -> NDArray:
        """x = m + W z + σ eps, (n, D)."""
        z, eps = noise
        return theta["mean"] + z @ self.weights(theta).T + np.sqrt(self._floored(theta)[1]) * eps

    def _floored(self, theta: Parameters) -> tuple[NDArray, float]:
        """λ and σ² as densities have them; σ² is never above λ."""
        noise = float(theta["noise_variance"]) if self.latent_dim < self.n_features else 0.0
        return np.maximum(theta["variances"], self.min_variance), max(noise, self.min_variance)
