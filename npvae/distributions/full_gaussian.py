"""The Gaussian with a full covariance, from its Cholesky factor: a posterior whose latents may be correlated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import LOG_2PI, Distribution, finite, log_variance, require_kl, sum_to_shape
from npvae.distributions.prior import STANDARD_NORMAL, Prior, StandardNormal
from npvae.distributions.registry import register_posterior

__all__ = ["FullGaussian"]


@register_posterior("full")
@dataclass(frozen=True)
class FullGaussian(Distribution):
    """z ~ N(mu, Σ) with Σ = L Lᵀ, L lower triangular, and a = [mu | log diag L | L below its diagonal, row by row].

    The diagonal of L is positive by its logarithm, so every `a` is a covariance and log det Σ = 2 Σ_j log L_jj. With
    nothing below the diagonal it is `DiagonalGaussian` with log_var = 2 log diag L.

    References
    ----------
    Kingma & Welling, An introduction to variational autoencoders (2019), section 2.5.1.
    """

    def n_params(self, d: int) -> int:
        """A mean, a diagonal and a triangle: 2 d + d (d − 1)/2."""
        return d * (d + 3) // 2

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return rng.standard_normal(shape, dtype=dtype)

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, tuple]:
        """Reparameterisation: z = mu + L eps.

        Parameters
        ----------
        a : (…, d (d + 3)/2) array
        eps : (…, d) array
            Standard normal noise; may have leading axes that a lacks.

        Returns
        -------
        z : (…, d) array
        cache
            For `sample_backward`: (eps, diag L ⊙ eps, shape of a).
        """
        mu, log_diag, lower = _parts(a)
        scaled_eps = np.exp(log_diag) * eps
        z = mu + scaled_eps + (_matrix(lower, mu.shape[-1]) @ eps[..., None])[..., 0]
        return z, (eps, scaled_eps, a.shape)

    def sample_backward(self, cache: tuple, dz: NDArray) -> NDArray:
        """dmu = dz, dlog L_ii = L_ii eps_i dz_i and, for i > j, dL_ij = dz_i eps_j, joined as da."""
        eps, scaled_eps, shape = cache
        rows, columns = _below(dz.shape[-1])
        return sum_to_shape(np.concatenate([dz, scaled_eps * dz, dz[..., rows] * eps[..., columns]], axis=-1), shape)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log N(x; mu, Σ) = −½ (d log 2π + yᵀy) − Σ_j log L_jj with L y = x − mu, solved by substitution.

        Where yᵀy is too large for its dtype, as it may be for log L_jj below −44 (float64: −354), the value is −inf,
        and the gradients need not be finite.

        Parameters
        ----------
        a : (…, d (d + 3)/2) array
        x : (…, d) array

        Returns
        -------
        log_prob : (…) array
            Nats.
        cache
            For the two backwards: (y, L without its diagonal, 1/L_jj, shape of a, shape of x).
        """
        mu, log_diag, lower = _parts(a)
        matrix, inverse_diag = _matrix(lower, mu.shape[-1]), _inverse(log_diag)
        y = x - mu
        with np.errstate(over="ignore", invalid="ignore"):
            for i in range(y.shape[-1]):
                y[..., i] -= (matrix[..., i, :i] * y[..., :i]).sum(axis=-1)
                y[..., i] *= inverse_diag[..., i]
            squares = y * y
        # Behind a y_i that is too large the others may be ∞ − ∞; the sum of the squares is ∞ all the same.
        squares[~np.isfinite(squares.real).all(axis=-1)] = np.inf
        log_prob = -0.5 * (LOG_2PI + squares).sum(axis=-1) - log_diag.sum(axis=-1)
        return log_prob, (y, matrix, inverse_diag, a.shape, x.shape)

    def log_prob_of_draw(self, a: NDArray, eps: NDArray, z: NDArray) -> tuple[NDArray, tuple]:
        """log q(z) of z = mu + L eps: y is eps, where solving for it loses the digits of an ill-conditioned L."""
        mu, log_diag, lower = _parts(a)
        y = eps.astype(z.dtype, copy=False)
        log_prob = -0.5 * (LOG_2PI + y * y).sum(axis=-1) - log_diag.sum(axis=-1)
        return log_prob, (y, _matrix(lower, mu.shape[-1]), _inverse(log_diag), a.shape, z.shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """With s = L⁻ᵀ y = Σ⁻¹ (x − mu), each times dlog_prob and joined as da:

        dmu = s, dlog L_ii = s_i y_i L_ii − 1 and, for i > j, dL_ij = s_i y_j.
        """
        y, matrix, inverse_diag, shape, _ = cache
        s, scaled_s = _solve_transposed(matrix, inverse_diag, y)
        rows, columns = _below(y.shape[-1])
        da = np.concatenate([s, scaled_s * y - 1, s[..., rows] * y[..., columns]], axis=-1)
        return sum_to_shape(da * dlog_prob[..., None], shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx = −Σ⁻¹ (x − mu) dlog_prob, of the shape of x."""
        y, matrix, inverse_diag, _, shape = cache
        return sum_to_shape(-_solve_transposed(matrix, inverse_diag, y)[0] * dlog_prob[..., None], shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = ½ log det(2πe Σ) = Σ_j [½ (1 + log 2π) + log L_jj], nats, shape (…). The cache is a."""
        return (0.5 * (1 + LOG_2PI) + _parts(a)[1]).sum(axis=-1), a

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """dlog L_jj = dentropy, all else 0, joined as da."""
        da = np.zeros_like(cache)
        _parts(da)[1][...] = dentropy[..., None]
        return da

    def has_kl(self, prior: Prior) -> bool:
        """To N(0, I)."""
        return isinstance(prior, StandardNormal)

    def kl(
        self, a: NDArray, prior: Prior = STANDARD_NORMAL, params: Mapping[str, NDArray] | None = None
    ) -> tuple[NDArray, NDArray]:
        """KL(N(mu, Σ) ‖ N(0, I)) = ½ (tr Σ + muᵀmu − d − log det Σ), nats, shape (…). The cache is a.

        tr Σ is the sum of all L_ij². L_jj² − 1 is computed as expm1(2 log L_jj), so that the KL vanishes at the prior.
        Beyond log L_jj = 44 the square overflows float32 (354: float64), and the KL is inf.
        """
        require_kl(self, prior)
        mu, log_diag, lower = _parts(a)
        with np.errstate(over="ignore"):
            diagonal = (np.expm1(2 * log_diag) - 2 * log_diag + mu * mu).sum(axis=-1)
            return 0.5 * (diagonal + (lower * lower).sum(axis=-1)), a

    def kl_backward(self, cache: NDArray, dkl: NDArray, grads: Mapping[str, NDArray] | None = None) -> NDArray:
        """dmu = mu dkl, dlog L_jj = (L_jj² − 1) dkl and dL_ij = L_ij dkl, joined as da."""
        mu, log_diag, lower = _parts(cache)
        return np.concatenate([mu, np.expm1(2 * log_diag), lower], axis=-1) * dkl[..., None]

    def mean(self, a: NDArray) -> NDArray:
        """E[z] = mu (a copy)."""
        return _parts(a)[0].copy()

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da: dmean in the place of mu, 0 elsewhere."""
        da = np.zeros_like(a)
        da[..., : dmean.shape[-1]] = dmean
        return da

    def factor(self, a: NDArray) -> NDArray:
        """L, lower triangular, with Σ = L Lᵀ: (…, d, d)."""
        mu, log_diag, lower = _parts(a)
        d = mu.shape[-1]
        matrix = _matrix(lower, d)
        matrix[..., range(d), range(d)] = np.exp(log_diag)
        return matrix

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The mean itself, and a diagonal covariance; a dimension that does not vary gets variance one."""
        bias = np.zeros(self.n_params(len(mean)), mean.dtype)
        mu, log_diag, _ = _parts(bias)
        mu[...], log_diag[...] = mean, 0.5 * log_variance(var)
        return bias


def _parts(a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """mu, log diag L, and L below its diagonal: views of a."""
    d = (isqrt(9 + 8 * a.shape[-1]) - 3) // 2  # of d (d + 3)/2
    return a[..., :d], a[..., d : 2 * d], a[..., 2 * d :]


def _below(d: int) -> tuple[NDArray, NDArray]:
    """Row and column of every entry below the diagonal, row by row."""
    return np.tril_indices(d, -1)


def _inverse(log_diag: NDArray) -> NDArray:
    """1/L_jj, and the largest finite number for an overflow."""
    with np.errstate(over="ignore"):
        return finite(np.exp(-log_diag))


def _matrix(lower: NDArray, d: int) -> NDArray:
    """L without its diagonal, (…, d, d)."""
    matrix = np.zeros((*lower.shape[:-1], d, d), lower.dtype)
    matrix[(..., *_below(d))] = lower
    return matrix


def _solve_transposed(matrix: NDArray, inverse_diag: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """The solution of Lᵀ s = y, from its last entry up; and s_i L_ii, which is finite where 1/L_ii underflows."""
    s, scaled_s = np.empty_like(y), y.copy()
    for i in reversed(range(y.shape[-1])):
        s[..., i] = scaled_s[..., i] * inverse_diag[..., i]
        scaled_s[..., :i] -= matrix[..., i, :i] * s[..., i, None]
    return s, scaled_s
