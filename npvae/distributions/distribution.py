"""What a distribution and a posterior are, and the helpers that they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import log, pi
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.validation import ArgumentError

if TYPE_CHECKING:
    from npvae.distributions.prior import Prior

__all__ = [
    "LOG_2PI",
    "AnalyticKL",
    "DifferentiableMean",
    "Distribution",
    "Reparameterised",
    "finite",
    "log_variance",
    "off_the_ends",
    "require_kl",
    "require_unit_interval",
    "sum_to_shape",
]


LOG_2PI = log(2 * pi)  # a Python float: a NumPy one would make float64 of float32 arrays


class Distribution(Protocol):
    """A family of distributions over vectors of d dimensions, computed from unconstrained numbers `a`.

    The last axis of `a` has ``n_params(d)`` entries per datum; leading axes (samples L, rows n) are batch axes, and
    they broadcast between `a` and `x`. Densities are in nats and summed over the last axis. Nothing is clipped:
    everything is computed from logits and log-variances.

    A class that inherits has the defaults of `n_shared`, `discrete`, `require_support` and `is_density`, and cannot be
    made as long as one of the other members is missing. A class need not inherit: the members are enough.

    Attributes
    ----------
    n_shared : int
        How many of the last entries of `a` are trained constants, the same for all data. A network puts out the others,
        and `npvae.layers.Constants` appends these.
    discrete : bool
        Whether exp(log_prob) is a probability, which does not depend on the unit of x, rather than a density.
    """

    n_shared: int = 0
    discrete: bool = False

    @abstractmethod
    def n_params(self, d: int) -> int:
        """How many numbers `a` has for d dimensions, the shared ones among them."""

    def require_support(self, argument: str, x: NDArray) -> None:
        """An ArgumentError that names `argument` if it has values x that cannot be; by default all real x can."""

    def is_density(self, x: NDArray) -> bool:
        """Whether exp(log_prob) is a probability or a density at all x of the support; where not, it is no likelihood.

        By default it is.
        """
        return True

    @abstractmethod
    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """The noise that `sample` turns into a draw."""

    @abstractmethod
    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, Any]:
        """A draw as a deterministic function of `a` and the noise, and the cache of a backward if there is one."""

    @abstractmethod
    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, Any]:
        """log p(x; a) in nats, summed over the last axis, and the cache of both backwards."""

    @abstractmethod
    def log_prob_backward(self, cache: Any, dlog_prob: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂log p."""

    @abstractmethod
    def log_prob_backward_x(self, cache: Any, dlog_prob: NDArray) -> NDArray:
        """∂loss/∂x from ∂loss/∂log p."""

    @abstractmethod
    def entropy(self, a: NDArray) -> tuple[NDArray, Any]:
        """Entropy in nats, summed over the dimensions, and the cache of its backward."""

    @abstractmethod
    def entropy_backward(self, cache: Any, dentropy: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂entropy."""

    @abstractmethod
    def mean(self, a: NDArray) -> NDArray:
        """Expectation of x."""

    @abstractmethod
    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The constant `a`, shape (n_params(d),), closest to the mean and the variance of the data, each (d,)."""


class DifferentiableMean(Protocol):
    """A distribution whose mean has a backward."""

    def mean(self, a: NDArray) -> NDArray:
        """Expectation of x."""

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂mean."""


@runtime_checkable
class Reparameterised(Protocol):
    """A distribution whose draw is a smooth function of `a`, so that a gradient can go through it.

    A posterior without it, such as `Bernoulli`, can be trained by a bound whose gradient does not go through the
    latents, such as "score-function".
    """

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, Any]:
        """A draw as a smooth function of `a` and the noise, and the cache of the backward."""

    def sample_backward(self, cache: Any, dz: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂z, through the draw."""

    def log_prob_of_draw(self, a: NDArray, eps: NDArray, z: NDArray) -> tuple[NDArray, Any]:
        """log q(z; a) at z = sample(a, eps), for the backwards of `log_prob`: where eps is known, z − mean is."""


@runtime_checkable
class AnalyticKL(Protocol):
    """A posterior with a closed form of the KL to some priors.

    One with a KL for every dimension by itself has `kl_terms` and `kl_terms_backward` as well, of shape (…, d).
    """

    def has_kl(self, prior: Prior) -> bool:
        """Whether there is a closed form to this prior."""

    def kl(self, a: NDArray, prior: Prior, params: Mapping[str, NDArray] | None = None) -> tuple[NDArray, Any]:
        """KL(q ‖ prior) in nats, summed over the dimensions, and the cache; `params` are those of the prior."""

    def kl_backward(self, cache: Any, dkl: NDArray, grads: Mapping[str, NDArray] | None = None) -> NDArray:
        """∂loss/∂a from ∂loss/∂KL; ∂loss/∂(the prior's parameters) is written into the arrays of `grads`."""


def require_kl(posterior: AnalyticKL, prior: Prior) -> None:
    """An ArgumentError unless the posterior has a closed form of the KL to this prior."""
    if not posterior.has_kl(prior):
        advice = "a bound that takes the KL from samples needs none, such as 'monte-carlo'"
        raise ArgumentError("prior", f"be one to which {posterior!r} has an analytic KL", repr(prior), advice)


def require_unit_interval(argument: str, x: NDArray, likelihood: str) -> None:
    """An ArgumentError unless all x lie in [0, 1]."""
    if not (x.min() >= 0 and x.max() <= 1):
        got, advice = f"values from {x.min():.9g} to {x.max():.9g}", "divide 8-bit images by 255, or take a gaussian"
        settings = {"likelihood": likelihood}
        raise ArgumentError(argument, "lie in [0, 1] under {likelihood}", got, advice, settings)


def off_the_ends(mean: NDArray) -> NDArray:
    """The mean kept off 0 and 1 by 0.001, so that its logit stays finite on constant pixels."""
    return np.minimum(np.maximum(mean, 0.001), 0.999)


def log_variance(var: NDArray) -> NDArray:
    """log var, and 0 for a dimension that does not vary."""
    return np.log(np.where(var > 0, var, 1))


def finite(precision: NDArray) -> NDArray:
    """The largest finite number for an overflow: times a deviation of 0 it must be 0, where ∞ · 0 is NaN."""
    return np.minimum(precision, np.finfo(precision.dtype).max)


def sum_to_shape(gradient: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Sum a gradient over the axes that broadcasting had added or stretched: the backward of ``np.broadcast_to``."""
    added = gradient.ndim - len(shape)
    stretched = tuple(added + i for i, n in enumerate(shape) if n == 1 and gradient.shape[added + i] != 1)
    axes = (*range(added), *stretched)
    return gradient.sum(axis=axes).reshape(shape) if axes else gradient
