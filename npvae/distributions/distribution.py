"""What a distribution and a posterior are, and the one helper that all of them share."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Distribution", "Posterior", "sum_to_shape"]


class Distribution(Protocol):
    """A family of distributions over vectors of d independent dimensions, computed from unconstrained numbers `a`.

    The last axis of `a` has ``n_params(d)`` entries per datum; leading axes (samples L, rows n) are batch axes, and
    they broadcast between `a` and `x`. Densities are in nats and summed over the last axis. Nothing is clipped:
    everything is computed from logits and log-variances.
    """

    def n_params(self, d: int) -> int:
        """How many numbers a network has to put out for d dimensions."""

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """The noise that `sample` turns into a draw."""

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, Any]:
        """A draw as a deterministic function of `a` and the noise."""

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, Any]:
        """log p(x; a) in nats, summed over the last axis."""

    def log_prob_backward(self, cache: Any, dlog_prob: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂log p."""

    def log_prob_backward_x(self, cache: Any, dlog_prob: NDArray) -> NDArray:
        """∂loss/∂x from ∂loss/∂log p."""

    def entropy(self, a: NDArray) -> tuple[NDArray, Any]:
        """Entropy in nats, summed over the dimensions."""

    def entropy_backward(self, cache: Any, dentropy: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂entropy."""

    def mean(self, a: NDArray) -> NDArray:
        """Expectation of x."""

    def output_bias(self, mean: NDArray) -> NDArray:
        """The constant `a`, shape (n_params(d),), whose mean is closest to a given mean (d,) of the data."""


class Posterior(Distribution, Protocol):
    """A distribution that can stand for q(z|x): reparameterised, with an analytic KL to the prior."""

    def sample_backward(self, cache: Any, dz: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂z, through the draw."""

    def kl(self, a: NDArray) -> tuple[NDArray, Any]:
        """KL(q ‖ prior) in nats, summed over the dimensions."""

    def kl_backward(self, cache: Any, dkl: NDArray) -> NDArray:
        """∂loss/∂a from ∂loss/∂KL."""


def sum_to_shape(gradient: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Sum a gradient over the axes that broadcasting had added or stretched: the backward of ``np.broadcast_to``."""
    added = gradient.ndim - len(shape)
    stretched = tuple(added + i for i, n in enumerate(shape) if n == 1 and gradient.shape[added + i] != 1)
    axes = (*range(added), *stretched)
    return gradient.sum(axis=axes).reshape(shape) if axes else gradient
