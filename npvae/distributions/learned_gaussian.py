"""The Gaussian likelihood that learns its variance, with a floor under it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.diagonal_gaussian import DiagonalGaussian
from npvae.distributions.distribution import Distribution, sum_to_shape
from npvae.distributions.links import check_link, inverse_link, link_mean, link_mean_backward
from npvae.distributions.registry import register_likelihood
from npvae.numerics import inverse_softplus, sigmoid, softplus
from npvae.validation import number

__all__ = ["LearnedGaussian"]

_DIAGONAL = DiagonalGaussian()


@register_likelihood("gaussian-pixel", mean_link="link")
@register_likelihood("gaussian-shared", fixed={"shared": True}, mean_link="link")
@dataclass(frozen=True)
class LearnedGaussian(Distribution):
    """x_j ~ N(mean_j, σ_j²) with a = [m | r]: mean = m or σ(m), log σ² = min_log_var + softplus(r − min_log_var).

    A likelihood without a floor is unbounded: it grows without end where the variance goes to zero on a pixel that is
    always reconstructed. The floor is smooth, log σ² ≈ r well above it, and bounds the density of a dimension by
    (2π e^{min_log_var})^{−½}: by default σ ≥ 0.0067, and log p ≤ 4.1 nats a dimension.

    Parameters
    ----------
    shared : bool, default False
        One r for all dimensions, rather than one for each. It is a trained constant, the same for all data, which
        `npvae.layers.Constants` appends to what a decoder puts out; `n_shared` is 1 then.
    link : {"identity", "sigmoid"}
        The mean as a function of m; "sigmoid" for data in [0, 1].
    min_log_var : float, default −10.0
        The floor of log σ², negative.

    Raises
    ------
    TypeError, ValueError
        If `link` is unknown or `min_log_var` is no negative number.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), appendix C.2; section 5 for the sigmoid mean.
    """

    discrete: ClassVar[bool] = False

    shared: bool = False
    link: str = "identity"
    min_log_var: float = -10.0

    def __post_init__(self) -> None:
        check_link(self.link)
        object.__setattr__(self, "min_log_var", number("min_log_var", self.min_log_var, below=0))

    @property
    def n_shared(self) -> int:
        """1 if the variance is shared, else 0."""
        return int(self.shared)

    def n_params(self, d: int) -> int:
        """A mean a dimension, and a variance for each or for all: 2 d, or d + 1."""
        return d + (1 if self.shared else d)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return _DIAGONAL.draw_noise(rng, shape, dtype)

    def _diagonal(self, a: NDArray) -> tuple[NDArray, tuple]:
        """[mean | log_var], each d wide, as `DiagonalGaussian` has them. The cache is (mean, r − min_log_var)."""
        d = a.shape[-1] - 1 if self.shared else a.shape[-1] // 2
        mean, excess = link_mean(self.link, a[..., :d]), a[..., d:] - self.min_log_var
        log_var = np.broadcast_to(self.min_log_var + softplus(excess), mean.shape)
        return np.concatenate([mean, log_var], axis=-1), (mean, excess)

    def _diagonal_backward(self, cache: tuple, dmean_dlog_var: NDArray) -> NDArray:
        """dm = dmean, or mean (1 − mean) dmean; dr = σ(r − min_log_var) dlog_var, summed where it is shared."""
        mean, excess = cache
        dmean, dlog_var = np.split(dmean_dlog_var, 2, axis=-1)
        dm = link_mean_backward(self.link, mean, dmean)
        return np.concatenate([dm, sum_to_shape(dlog_var, excess.shape) * sigmoid(excess)], axis=-1)

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, tuple]:
        """x = mean + σ ⊙ eps. Beyond r = 177 (float64: 1419) σ overflows, and x is ±inf.

        The cache is that from `a` to [mean | log_var], and that of `DiagonalGaussian`.
        """
        b, outer = self._diagonal(a)
        x, inner = _DIAGONAL.sample(b, eps)
        return x, (outer, inner)

    def sample_backward(self, cache: tuple, dx: NDArray) -> NDArray:
        """dmean = dx and dlog_var = ½ σ ⊙ eps ⊙ dx, and on to a; summed over the axes that only eps had."""
        outer, inner = cache
        return self._diagonal_backward(outer, _DIAGONAL.sample_backward(inner, dx))

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log N(x; mean, σ²) = −½ Σ_j (log 2π + log σ_j² + (x_j − mean_j)²/σ_j²).

        Parameters
        ----------
        a : (…, 2 d) array, or (…, d + 1) where r is shared
        x : (…, d) array

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions.
        cache
            For the two backwards: that from `a` to [mean | log_var], and that of `DiagonalGaussian`.
        """
        b, outer = self._diagonal(a)
        log_prob, inner = _DIAGONAL.log_prob(b, x)
        return log_prob, (outer, inner)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """With δ = x − mean: dmean = δ/σ² and dlog_var = ½ (δ²/σ² − 1), times dlog_prob, and on to a."""
        outer, inner = cache
        return self._diagonal_backward(outer, _DIAGONAL.log_prob_backward(inner, dlog_prob))

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx = −(x − mean)/σ² dlog_prob, of the shape of x."""
        return _DIAGONAL.log_prob_backward_x(cache[1], dlog_prob)

    def entropy(self, a: NDArray) -> tuple[NDArray, tuple]:
        """H = Σ_j ½ log(2πe σ_j²), nats, shape (…). The cache is as for `sample`."""
        b, outer = self._diagonal(a)
        entropy, inner = _DIAGONAL.entropy(b)
        return entropy, (outer, inner)

    def entropy_backward(self, cache: tuple, dentropy: NDArray) -> NDArray:
        """dmean = 0 and dlog_var = ½ dentropy, and on to a."""
        outer, inner = cache
        return self._diagonal_backward(outer, _DIAGONAL.entropy_backward(inner, dentropy))

    def mean(self, a: NDArray) -> NDArray:
        """E[x] = m, or σ(m) (a copy)."""
        return _DIAGONAL.mean(self._diagonal(a)[0])

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da = [dmean | 0], or with m (1 − m) dmean for "sigmoid"."""
        return self._diagonal_backward(self._diagonal(a)[1], _DIAGONAL.mean_grad(a, dmean))

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """m with the given mean (for "sigmoid" kept off 0 and 1 by 0.001), and r with the given variance.

        A shared r has the mean of the variances, which is its maximum-likelihood value. The variance is kept off the
        floor by a factor of 2: there the gradient of r is still half of that far above it.
        """
        d = len(mean)
        bias = np.empty(self.n_params(d), mean.dtype)
        bias[:d] = inverse_link(self.link, mean)
        with np.errstate(divide="ignore"):  # log 0 = −∞, which is below any floor
            log_var = np.log(var.mean() if self.shared else var)
        above = np.maximum(log_var - self.min_log_var, log(2))
        bias[d:] = self.min_log_var + inverse_softplus(above)
        return bias
