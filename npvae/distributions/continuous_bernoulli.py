"""The continuous Bernoulli, from logits: a likelihood for grey pixels in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import Distribution, off_the_ends, require_unit_interval, sum_to_shape
from npvae.distributions.registry import register_likelihood
from npvae.numerics import absolute

__all__ = ["ContinuousBernoulli"]

SERIES = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
    43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
    77683 / 14101100039391805440000,
    -236364091 / 1693824136731743669452800000,
)
"""B₂ₖ/(2k)! of A'(a) = ½ + Σ_k B₂ₖ/(2k)! a^{2k−1}, k = 1, 2, …: for |a| < 1 exact to float64's last digit."""

NEWTON_STEPS = 20
"""To a mean of 0.001, the farthest, 16 are enough."""


@register_likelihood("continuous-bernoulli", unit_interval=True)
@dataclass(frozen=True)
class ContinuousBernoulli(Distribution):
    """x_j in [0, 1] with the density e^{a_j x_j − A(a_j)}, A(a) = log ∫₀¹ e^{a x} dx = log((e^a − 1)/a).

    `a` holds one logit per dimension. It is the Bernoulli's formula with the constant that makes it integrate to one
    over [0, 1]: with λ = σ(a), p(x) = C(λ) λ^x (1 − λ)^{1−x}. At a = 0 it is uniform; the mean is A'(a), not σ(a).

    Closed forms of A, A' and A'' lose their digits around a = 0, where they are 0/0 or ∞ − ∞; for |a| < 1 their power
    series stands in.

    References
    ----------
    Loaiza-Ganem & Cunningham, The continuous Bernoulli: fixing a pervasive error in variational autoencoders (2019),
    section 3 and appendix.
    """

    def n_params(self, d: int) -> int:
        """One logit a dimension: d."""
        return d

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in (0, 1); the generator's 0 becomes its smallest step, so that log(1 − eps) is finite."""
        eps = rng.random(shape, dtype=dtype)
        return np.maximum(eps, np.finfo(eps.dtype).eps / 2)

    def require_support(self, argument: str, x: NDArray) -> None:
        """An ArgumentError unless all x lie in [0, 1]."""
        require_unit_interval(argument, x, "continuous-bernoulli")

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, tuple]:
        """The inverse of the distribution function, x = log(1 + eps (e^a − 1))/a, a smooth function of a.

        Around a = 0 it is computed as the integral ∫₀¹ g(t) dt with g(t) = eps e^{at}/(1 + eps (e^{at} − 1)); further
        off at −|a|, by x(a, eps) = 1 − x(−a, 1 − eps). The cache is (a, eps).
        """
        near, inner, outer = _split(a)
        x_near = sum(weight * g for _, weight, g in _quadrature(inner, eps))
        x_far, _, _ = _sample_left(outer, eps)
        x = _choose(near, x_near, _choose(outer.real < 0, x_far, 1 - x_far))
        return np.minimum(np.maximum(x, 0), 1), (a, eps)  # rounding may leave the support by an ulp

    def sample_backward(self, cache: tuple, dx: NDArray) -> NDArray:
        """da = ∫₀¹ t g(t) (1 − g(t)) dt dx = (g(1) − x)/a dx, summed over the axes that only eps had."""
        a, eps = cache
        near, inner, outer = _split(a)
        slope_near = sum(weight * t * g * (1 - g) for t, weight, g in _quadrature(inner, eps))
        x_far, g_far, m = _sample_left(outer, eps)
        return sum_to_shape(_choose(near, slope_near, (x_far - g_far) / m) * dx, a.shape)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log p(x; a) = Σ_j [x_j a_j − A(a_j)].

        Parameters
        ----------
        a : (…, d) array
            Logits.
        x : (…, d) array
            In [0, 1].

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions; a density, so it may be positive.
        cache
            For the two backwards: (a, x).
        """
        return (x * a - _log_normalizer(a)).sum(axis=-1), (a, x)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """da_j = (x_j − A'(a_j)) dlog_prob, of the shape of a."""
        a, x = cache
        return sum_to_shape((x - self.mean(a)) * dlog_prob[..., None], a.shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = a_j dlog_prob, of the shape of x."""
        a, x = cache
        return sum_to_shape(np.broadcast_to(a, np.broadcast_shapes(a.shape, x.shape)) * dlog_prob[..., None], x.shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = Σ_j [A(a_j) − a_j A'(a_j)] ≤ 0, nats, shape (…): differential, 0 at a = 0. The cache is a.

        With m = |a| that is 1 + log((1 − e^{−m})/m) − m e^{−m}/(1 − e^{−m}).
        """
        near, inner, outer = _split(a)
        square = inner * inner
        h_near = square * _polynomial(square, [(1 / (2 * k) - 1) * b for k, b in enumerate(SERIES, 1)])
        m = absolute(outer)
        e = np.exp(-m)
        h_far = 1 + np.log((1 - e) / m) - m * e / (1 - e)
        return _choose(near, h_near, h_far).sum(axis=-1), a

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """da_j = −a_j A''(a_j) dentropy."""
        a = cache
        return -a * _variance(a) * dentropy[..., None]

    def mean(self, a: NDArray) -> NDArray:
        """E[x] = A'(a) = 1/(1 − e^{−a}) − 1/a, computed with 1/(1 − e^{−a}) = ½ + ½ coth(a/2)."""
        near, inner, outer = _split(a)
        mean_near = 0.5 + inner * _polynomial(inner * inner, SERIES)
        return _choose(near, mean_near, (0.5 + 0.5 / np.tanh(0.5 * outer)) - 1 / outer)

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da = A''(a) dmean."""
        return _variance(a) * dmean

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The logit with the given mean, by Newton's method; the mean is kept off 0 and 1 by 0.001.

        A' − mean is convex left of 0 and concave right of it, so the steps from 0 never go too far.
        """
        mean = off_the_ends(mean)
        a = np.zeros(mean.shape)
        for _ in range(NEWTON_STEPS):
            a += (mean - self.mean(a)) / _variance(a)
        return a.astype(mean.dtype)


def _split(a: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Where |a| < 1; a there and 0 elsewhere, for the series; about 1 there and a elsewhere, for the closed form."""
    near = absolute(a).real < 1
    return near, a * near, a + near * (1 - a)


def _choose(near: NDArray, x: NDArray, y: NDArray) -> NDArray:
    """x where `near`, else y; of finite numbers a third of the time that ``np.where`` takes."""
    return x * near + y * ~near


def _polynomial(x: NDArray, coefficients: list[float] | tuple[float, ...]) -> NDArray:
    """Σ_k c_k x^k by Horner's rule."""
    y = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y *= x
        y += c
    return y


def _log_normalizer(a: NDArray) -> NDArray:
    """A(a) = log((e^a − 1)/a) = max(a, 0) + log((1 − e^{−|a|})/|a|), = ½ a + Σ_k B₂ₖ/(2k (2k)!) a^{2k} near 0."""
    near, inner, outer = _split(a)
    a_near = inner * (0.5 + inner * _polynomial(inner * inner, [b / (2 * k) for k, b in enumerate(SERIES, 1)]))
    m = absolute(outer)
    return _choose(near, a_near, np.maximum(outer, 0) + np.log((1 - np.exp(-m)) / m))


def _variance(a: NDArray) -> NDArray:
    """A''(a) = 1/a² − 1/(4 sinh²(a/2)) with 1/(4 sinh²(m/2)) = e^{−m}/(1 − e^{−m})²."""
    near, inner, outer = _split(a)
    v_near = _polynomial(inner * inner, [(2 * k - 1) * b for k, b in enumerate(SERIES, 1)])
    m = absolute(outer)
    e = np.exp(-m)
    return _choose(near, v_near, 1 / (m * m) - e / (1 - e) ** 2)


def _quadrature(a: NDArray, eps: NDArray) -> Iterator[tuple[float, float, NDArray]]:
    """Nodes t, weights and g(t) of Gauss and Legendre's rule on [0, 1], for |a| < 1 exact to float64's last digits."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for t, weight in zip((0.5 + 0.5 * nodes).tolist(), (0.5 * weights).tolist(), strict=True):
        yield t, weight, eps * np.exp(a * t) / (1 + eps * np.expm1(a * t))


def _sample_left(a: NDArray, eps: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """x, g(1) and m at −m = −|a|; for a > 0 of the mirrored noise 1 − eps."""
    m = absolute(a)
    eps, e = _choose(a.real < 0, eps, 1 - eps), np.exp(-m)
    rest = eps * (e - 1)
    return -np.log1p(rest) / m, eps * e / (1 + rest), m
