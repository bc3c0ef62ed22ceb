"""Independent Bernoulli variables, from logits: binary pixels, binary latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.bernoulli_prior import LOG_2, UNIFORM_BERNOULLI, LearnedBernoulli, UniformBernoulli
from npvae.distributions.distribution import Distribution, off_the_ends, require_kl, require_unit_interval, sum_to_shape
from npvae.distributions.prior import Prior
from npvae.distributions.registry import register_likelihood
from npvae.numerics import absolute, log_product, logit, sigmoid, softplus, with_sign_of

__all__ = ["Bernoulli"]


@register_likelihood("bernoulli", unit_interval=True)
@dataclass(frozen=True)
class Bernoulli(Distribution):
    """x_j ~ Bernoulli(σ(a_j)): `a` holds one logit per dimension.

    For grey values x in (0, 1) `log_prob` still is a number, minus the cross-entropy, but no log-likelihood: the
    formula does not integrate to one over [0, 1].
    """

    discrete: ClassVar[bool] = True

    def n_params(self, d: int) -> int:
        """One logit a dimension: d."""
        return d

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def require_support(self, argument: str, x: NDArray) -> None:
        """An ArgumentError unless all x lie in [0, 1]."""
        require_unit_interval(argument, x, "bernoulli")

    def is_density(self, x: NDArray) -> bool:
        """Whether all x are 0 or 1. At grey values exp(log_prob) is no probability."""
        return bool(((x == 0) | (x == 1)).all())

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, None]:
        """x = 1 where eps < σ(a), else 0, of the noise's dtype. A step has no derivative, so there is no backward."""
        return (eps < sigmoid(a)).astype(eps.dtype), None

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log p(x; a) = Σ_j [x_j log σ(a_j) + (1 − x_j) log(1 − σ(a_j))] = Σ_j [x_j a_j − softplus(a_j)].

        With e = exp(−|a|) ≤ 1, softplus(a) = max(a, 0) + log(1 + e) and max(a, 0) = ½ (a + |a|), so that

            log p = Σ_j [x_j a_j − ½ (a_j + |a_j|)] − log Π_j (1 + e_j).

        Nothing overflows, and for binary x no digits cancel: each pixel is right to an eps of 1, for grey x to one of
        1 + |a|. The backward needs 1 + e as well.

        Parameters
        ----------
        a : (…, d) array
            Logits.
        x : (…, d) array
            In [0, 1].

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions.
        cache
            For the two backwards: (a, x, 1 + e).

        References
        ----------
        Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (11).
        """
        m = absolute(a)
        one_e = np.exp(-m)
        one_e += 1
        m += a
        m *= 0.5
        terms = x * a - m
        factors = np.broadcast_to(one_e, (*one_e.shape[:-1], terms.shape[-1]))
        return terms.sum(axis=-1) - log_product(factors), (a, x, one_e)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """da_j = (x_j − σ(a_j)) dlog_prob, of the shape of a, with σ(a) = ½ + sign(a) (1/(1 + e) − ½)."""
        a, x, one_e = cache
        above_half = 1 / one_e
        above_half -= 0.5
        sigma = with_sign_of(a, above_half)
        sigma += 0.5
        da = x - sigma
        da *= dlog_prob[..., None]
        return sum_to_shape(da, a.shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx_j = a_j dlog_prob, of the shape of x."""
        a, x, _ = cache
        return sum_to_shape(a * dlog_prob[..., None], x.shape)

    def entropy(self, a: NDArray) -> tuple[NDArray, NDArray]:
        """H = Σ_j [softplus(a_j) − a_j σ(a_j)], nats, shape (…). The cache is a.

        H is even in a, and is computed at −|a| with σ = e^{−softplus(|a|)}: there no digits cancel.
        """
        return self._entropies(a).sum(axis=-1), a

    def _entropies(self, a: NDArray) -> NDArray:
        """The entropy of every dimension, nats, (…, d)."""
        m = -absolute(a)
        return softplus(m) - m * np.exp(-softplus(-m))

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """da_j = −a_j σ(a_j) (1 − σ(a_j)) dentropy."""
        a = cache
        return -a * sigmoid(a) * sigmoid(-a) * dentropy[..., None]

    def has_kl(self, prior: Prior) -> bool:
        """To a uniform or a trained Bernoulli."""
        return isinstance(prior, UniformBernoulli | LearnedBernoulli)

    def kl(
        self, a: NDArray, prior: Prior = UNIFORM_BERNOULLI, params: Mapping[str, NDArray] | None = None
    ) -> tuple[NDArray, tuple]:
        """KL(Bernoulli(σ(a)) ‖ prior), nats, shape (…). The cache is (a, None), or that of `kl_between`.

        To the uniform prior it is d log 2 − H. That difference is taken dimension by dimension, so that it is exactly 0
        at a = 0 whatever d is; near 0 the rounding of H may leave it an eps below. To a trained one it is `kl_between`
        with the prior's logits.
        """
        require_kl(self, prior)
        if isinstance(prior, LearnedBernoulli):
            return self.kl_between(a, params["b"])
        return (LOG_2 - self._entropies(a)).sum(axis=-1), (a, None)

    def kl_backward(self, cache: tuple, dkl: NDArray, grads: Mapping[str, NDArray] | None = None) -> NDArray:
        """da_j = a_j σ(a_j) (1 − σ(a_j)) dkl to the uniform prior.

        To a trained one it is da of `kl_between_backward`, and db is written into ``grads["b"]``.
        """
        a, b = cache
        if b is None:
            return self.entropy_backward(a, -dkl)
        da, grads["b"][...] = self.kl_between_backward(cache, dkl)
        return da

    def kl_between(self, a: NDArray, b: NDArray) -> tuple[NDArray, tuple]:
        """KL(σ(a) ‖ σ(b)) = Σ_j [σ(a_j)(a_j − b_j) − softplus(a_j) + softplus(b_j)], nats. The cache is (a, b).

        Between nearly equal logits rounding may leave it an eps below zero. For a = 0 and b = logit 0.7 it is 0.0872,
        and 0.0823 the other way round.
        """
        return (sigmoid(a) * (a - b) - softplus(a) + softplus(b)).sum(axis=-1), (a, b)

    def kl_between_backward(self, cache: tuple, dkl: NDArray) -> tuple[NDArray, NDArray]:
        """da_j = (a_j − b_j) σ(a_j)(1 − σ(a_j)) dkl and db_j = (σ(b_j) − σ(a_j)) dkl."""
        a, b = cache
        dkl = dkl[..., None]
        da = (a - b) * sigmoid(a) * sigmoid(-a) * dkl
        db = (sigmoid(b) - sigmoid(a)) * dkl
        return sum_to_shape(da, a.shape), sum_to_shape(db, b.shape)

    def mean(self, a: NDArray) -> NDArray:
        """E[x] = σ(a)."""
        return sigmoid(a)

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da = σ(a) (1 − σ(a)) dmean."""
        return sigmoid(a) * sigmoid(-a) * dmean

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The logit of the mean, kept off 0 and 1 by 0.001 so that it stays finite on constant pixels."""
        return logit(off_the_ends(mean))
