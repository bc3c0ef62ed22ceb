"""The Gaussian with independent dimensions: the reparameterisation and the analytic KL of the VAE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import LOG_2PI, Distribution, finite, log_variance, require_kl, sum_to_shape
from npvae.distributions.prior import STANDARD_NORMAL, Prior, StandardNormal
from npvae.distributions.registry import register_posterior

__all__ = ["DiagonalGaussian"]


@register_posterior("diagonal")
@dataclass(frozen=True)
class DiagonalGaussian(Distribution):
    """z_j ~ N(mu_j, σ_j²) with a = [mu | log_var], each half d wide, and log_var = log σ².

    As a posterior, `sample` and `kl` are the two lines that make a VAE. As a likelihood, it is a decoder with a
    learned variance per dimension.
    """

    def n_params(self, d: int) -> int:
        """A mean and a log-variance a dimension: 2 d."""
        return 2 * d

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I): its standard deviation is 1, σ comes in `sample`."""
        return rng.standard_normal(shape, dtype=dtype)

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, tuple]:
        """Reparameterisation: z = mu + σ ⊙ eps with σ = e^{log_var / 2}.

        The randomness comes in from outside, so z is a smooth function of a.

        Parameters
        ----------
        a : (…, 2 d) array
        eps : (…, d) array
            Standard normal noise; may have leading axes that a lacks, such as L samples: (L, n, d).

        Returns
        -------
        z : (…, d) array
        cache
            For `sample_backward`: (σ ⊙ eps, shape of a).

        References
        ----------
        Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (4) and section 2.4.
        """
        mu, log_var = _halves(a)
        scaled_eps = np.exp(0.5 * log_var) * eps
        return mu + scaled_eps, (scaled_eps, a.shape)

    def sample_backward(self, cache: tuple, dz: NDArray) -> NDArray:
        """dmu = dz and dlog_var = ½ σ ⊙ eps ⊙ dz, joined as da; summed over the axes that only eps had."""
        scaled_eps, shape = cache
        dlog_var = 0.5 * scaled_eps * dz
        return sum_to_shape(np.concatenate([dz, dlog_var], axis=-1), shape)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log N(x; mu, σ²) = −½ Σ_j (log 2π + log_var_j + (x_j − mu_j)² / σ_j²).

        Below log_var = −88 (float64: −709) 1/σ² stays at the largest number of its dtype, in the gradients too. Where
        the square of x − mu is too large for its dtype, it is divided before it is taken.

        Parameters
        ----------
        a : (…, 2 d) array
        x : (…, d) array

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions.
        cache
            For the two backwards: (x − mu, 1/σ², shape of a, shape of x).
        """
        mu, log_var = _halves(a)
        return self._log_prob(x - mu, log_var, a.shape, x.shape)

    def log_prob_of_draw(self, a: NDArray, eps: NDArray, z: NDArray) -> tuple[NDArray, tuple]:
        """log q(z) of z = mu + σ ⊙ eps: x − mu is σ ⊙ eps, of which the sum with a large mu has lost digits."""
        _, log_var = _halves(a)
        return self._log_prob(np.exp(0.5 * log_var) * eps, log_var, a.shape, z.shape)

    def _log_prob(self, deviation: NDArray, log_var: NDArray, shape: tuple, x_shape: tuple) -> tuple[NDArray, tuple]:
        with np.errstate(over="ignore", invalid="ignore"):
            precision = finite(np.exp(-log_var))
            log_prob = -0.5 * (LOG_2PI + log_var + deviation * deviation * precision).sum(axis=-1)
            if not np.isfinite(log_prob.real).all():
                log_prob = -0.5 * (LOG_2PI + log_var + deviation * precision * deviation).sum(axis=-1)
        return log_prob, (deviation, precision, shape, x_shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dmu_j = (x_j − mu_j)/σ_j² dlog_prob and dlog_var_j = ½ ((x_j − mu_j)²/σ_j² − 1) dlog_prob, joined as da."""
        deviation, precision, shape, _ = cache
        dlog_prob = dlog_prob[..., None]
        score = deviation * precision
        dmu = score * dlog_prob
        dlog_var = 0.5 * (score * deviation - 1) * dlog_prob
        return sum_to_shape(np.concatenate([dmu, dlog_var], axis=-1), shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = −(x_j − mu_j)/σ_j² dlog_prob, of the shape of x."""
        deviation, precision, _, shape = cache
        return sum_to_shape(-deviation * precision * dlog_prob[..., None], shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = Σ_j ½ (1 + log 2π + log_var_j) = Σ_j ½ log(2πe σ_j²), nats, shape (…). The cache is a."""
        _, log_var = _halves(a)
        return 0.5 * (1 + LOG_2PI + log_var).sum(axis=-1), a

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """dmu = 0 and dlog_var_j = ½ dentropy, joined as da."""
        mu, log_var = _halves(cache)
        dlog_var = np.zeros_like(log_var) + 0.5 * dentropy[..., None]
        return np.concatenate([np.zeros_like(mu), dlog_var], axis=-1)

    def has_kl(self, prior: Prior) -> bool:
        """To N(0, I)."""
        return isinstance(prior, StandardNormal)

    def kl(
        self, a: NDArray, prior: Prior = STANDARD_NORMAL, params: Mapping[str, NDArray] | None = None
    ) -> tuple[NDArray, NDArray]:
        """KL(N(mu, σ²) ‖ N(0, I)) = ½ Σ_j (mu_j² + σ_j² − 1 − log_var_j), the analytic KL to the VAE's prior.

        σ² − 1 is computed as expm1(log_var), so that the KL vanishes at the prior and its rounding error with log_var.
        Beyond log_var = 88 σ² overflows float32 (709: float64), and the KL is inf.

        Parameters
        ----------
        a : (…, 2 d) array
        prior : StandardNormal
            It has no `params`.

        Returns
        -------
        kl : (…) array
            Nats, summed over the d dimensions; 0 for a = 0.
        cache
            For `kl_backward`: a.

        References
        ----------
        Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (10) and appendix B.
        """
        terms, cache = self.kl_terms(a, prior, params)
        return terms.sum(axis=-1), cache

    def kl_backward(self, cache: NDArray, dkl: NDArray, grads: Mapping[str, NDArray] | None = None) -> NDArray:
        """dmu_j = mu_j dkl and dlog_var_j = ½ (σ_j² − 1) dkl, joined as da."""
        return self.kl_terms_backward(cache, dkl[..., None])

    def kl_terms(
        self, a: NDArray, prior: Prior = STANDARD_NORMAL, params: Mapping[str, NDArray] | None = None
    ) -> tuple[NDArray, NDArray]:
        """KL_j = ½ (mu_j² + σ_j² − 1 − log_var_j) of every dimension, nats, shape (…, d). The cache is a."""
        require_kl(self, prior)
        mu, log_var = _halves(a)
        with np.errstate(over="ignore"):
            return 0.5 * (mu * mu + np.expm1(log_var) - log_var), a

    def kl_terms_backward(
        self, cache: NDArray, dkl_terms: NDArray, grads: Mapping[str, NDArray] | None = None
    ) -> NDArray:
        """dmu_j = mu_j dkl_j and dlog_var_j = ½ (σ_j² − 1) dkl_j, joined as da."""
        mu, log_var = _halves(cache)
        return np.concatenate([mu * dkl_terms, 0.5 * np.expm1(log_var) * dkl_terms], axis=-1)

    def kl_between(self, a: NDArray, b: NDArray) -> tuple[NDArray, tuple]:
        """KL(N(mu₁, σ₁²) ‖ N(mu₂, σ₂²)) = Σ_j [log σ₂/σ₁ + (σ₁² + (mu₁ − mu₂)²)/(2σ₂²) − ½], nats, shape (…).

        With ρ = σ₁²/σ₂² that is ½ Σ_j [ρ − 1 − log ρ + (mu₁ − mu₂)²/σ₂²], and ρ − 1 = expm1(log ρ). `a` and `b` hold
        [mu | log_var] of the first and of the second. The cache is for `kl_between_backward`.
        """
        mu1, log_var1 = _halves(a)
        mu2, log_var2 = _halves(b)
        log_ratio = log_var1 - log_var2
        with np.errstate(over="ignore"):
            deviation, precision = mu1 - mu2, finite(np.exp(-log_var2))
            kl = 0.5 * (np.expm1(log_ratio) - log_ratio + deviation * deviation * precision).sum(axis=-1)
        return kl, (log_ratio, deviation, precision, a.shape, b.shape)

    def kl_between_backward(self, cache: tuple, dkl: NDArray) -> tuple[NDArray, NDArray]:
        """With δ = mu₁ − mu₂ and ρ = σ₁²/σ₂², for each dimension and times dkl:

        dmu₁ = δ/σ₂², dlog_var₁ = ½(ρ − 1); dmu₂ = −δ/σ₂², dlog_var₂ = ½(1 − ρ − δ²/σ₂²). Joined as (da, db).
        """
        log_ratio, deviation, precision, shape_a, shape_b = cache
        dkl = dkl[..., None]
        excess = np.expm1(log_ratio)
        score = deviation * precision
        da = np.concatenate([score, 0.5 * excess], axis=-1) * dkl
        db = np.concatenate([-score, -0.5 * (excess + score * deviation)], axis=-1) * dkl
        return sum_to_shape(da, shape_a), sum_to_shape(db, shape_b)

    def mean(self, a: NDArray) -> NDArray:
        """E[z] = mu, the first half of a (a copy)."""
        return _halves(a)[0].copy()

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da = [dmean | 0]."""
        return np.concatenate([dmean, np.zeros_like(dmean)], axis=-1)

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The mean itself, and the variance's logarithm; a dimension that does not vary gets variance one."""
        return np.concatenate([mean, log_variance(var)])


def _halves(a: NDArray) -> tuple[NDArray, NDArray]:
    d = a.shape[-1] // 2
    return a[..., :d], a[..., d:]
