"""The prior p(z) of the latents: what a prior is, and the one of the variational autoencoder, N(0, I)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.distribution import LOG_2PI
from npvae.parameters import Shapes

__all__ = ["STANDARD_NORMAL", "Prior", "StandardNormal"]


class Prior(Protocol):
    """A distribution of z that does not depend on a datum.

    Its trained parameters, if it has any, lie in the section "prior" of the model's theta. The model hands this section
    over as `params`, and that of the gradient as `grads`. A prior without parameters, such as `StandardNormal`, ignores
    both and can be called without them. The posterior knows its KL to a prior, see `npvae.distributions.AnalyticKL`.
    """

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every parameter; empty where nothing is trained."""

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Initial parameters by name."""

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """The noise (…, d) that `sample` turns into a draw."""

    def sample(self, eps: NDArray, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """A draw z (…, d) as a deterministic function of the noise and the parameters."""

    def mean(self, d: int, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """Expectation of z, (d,)."""

    def log_prob(self, z: NDArray, params: Mapping[str, NDArray] | None = None) -> tuple[NDArray, Any]:
        """log p(z) in nats, summed over the last axis, and the cache of the backward."""

    def log_prob_backward(self, cache: Any, dlog_prob: NDArray, grads: Mapping[str, NDArray] | None = None) -> NDArray:
        """∂loss/∂z from ∂loss/∂log p; ∂loss/∂parameters is written into the arrays of `grads`."""


@dataclass(frozen=True)
class StandardNormal:
    """p(z) = N(0, I) in any number of dimensions. Nothing in it is trained."""

    shapes: ClassVar[Shapes] = {}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """No parameters."""
        return {}

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return rng.standard_normal(shape, dtype=dtype)

    def sample(self, eps: NDArray, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """z = eps (a copy)."""
        return eps.copy()

    def mean(self, d: int, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """E[z] = 0."""
        return np.zeros(d)

    def log_prob(self, z: NDArray, params: Mapping[str, NDArray] | None = None) -> tuple[NDArray, NDArray]:
        """log N(z; 0, I) = −½ Σ_j (log 2π + z_j²).

        Parameters
        ----------
        z : (…, d) array

        Returns
        -------
        log_prob : (…) array
            Nats, summed over the d dimensions.
        cache
            For `log_prob_backward`: z.
        """
        return -0.5 * (z.shape[-1] * LOG_2PI + np.einsum("...j,...j->...", z, z)), z

    def log_prob_backward(
        self, cache: NDArray, dlog_prob: NDArray, grads: Mapping[str, NDArray] | None = None
    ) -> NDArray:
        """dz = −z dlog_prob."""
        return -cache * dlog_prob[..., None]


STANDARD_NORMAL = StandardNormal()
"""The prior of a Gaussian posterior's KL, unless another is given."""
