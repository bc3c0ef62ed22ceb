"""Priors of binary latents: every z_j a fair coin, or a coin whose odds are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.numerics import sigmoid, softplus
from npvae.parameters import Shapes
from npvae.validation import integer

__all__ = ["UNIFORM_BERNOULLI", "LearnedBernoulli", "UniformBernoulli"]

LOG_2 = log(2)  # a Python float: a NumPy one would make float64 of float32 arrays


@dataclass(frozen=True)
class UniformBernoulli:
    """p(z) = 2^{−d} for z in {0, 1}^d, in any number of dimensions. Nothing in it is trained."""

    shapes: ClassVar[Shapes] = {}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """No parameters."""
        return {}

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def sample(self, eps: NDArray, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """z = 1 where eps < ½, else 0."""
        return (eps < 0.5).astype(eps.dtype)

    def mean(self, d: int, params: Mapping[str, NDArray] | None = None) -> NDArray:
        """E[z] = ½."""
        return np.full(d, 0.5)

    def log_prob(self, z: NDArray, params: Mapping[str, NDArray] | None = None) -> tuple[NDArray, NDArray]:
        """log p(z) = −d log 2 for z (…, d), nats, shape (…). The cache is z."""
        return np.full(z.shape[:-1], -z.shape[-1] * LOG_2, dtype=z.dtype), z

    def log_prob_backward(
        self, cache: NDArray, dlog_prob: NDArray, grads: Mapping[str, NDArray] | None = None
    ) -> NDArray:
        """dz = 0."""
        return np.zeros_like(cache)


UNIFORM_BERNOULLI = UniformBernoulli()
"""The prior of a Bernoulli posterior's KL, unless another is given."""


@dataclass(frozen=True)
class LearnedBernoulli:
    """z_j ~ Bernoulli(σ(b_j)) with trained logits b; they start at 0, where it is the `UniformBernoulli`.

    Parameters
    ----------
    d : int
        Latents.

    References
    ----------
    Mnih & Gregor, Neural variational inference and learning in belief networks (2014), section 4: the top layer's
    biases.
    """

    d: int

    def __post_init__(self) -> None:
        integer("d", self.d, at_least=1)

    @property
    def shapes(self) -> Shapes:
        """The logits b, (d,)."""
        return {"b": (self.d,)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Zeros: fair coins."""
        return {"b": np.zeros(self.d)}

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def sample(self, eps: NDArray, params: Mapping[str, NDArray]) -> NDArray:
        """z = 1 where eps < σ(b), else 0."""
        return (eps < sigmoid(params["b"])).astype(eps.dtype)

    def mean(self, d: int, params: Mapping[str, NDArray]) -> NDArray:
        """E[z] = σ(b)."""
        return sigmoid(params["b"])

    def log_prob(self, z: NDArray, params: Mapping[str, NDArray]) -> tuple[NDArray, tuple]:
        """log p(z) = Σ_j [z_j b_j − softplus(b_j)], nats, for z (…, d): shape (…). The cache is (z, b)."""
        b = params["b"]
        return (z * b).sum(axis=-1) - softplus(b).sum(), (z, b)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray, grads: Mapping[str, NDArray]) -> NDArray:
        """dz_j = b_j dlog_prob; db_j = Σ (z_j − σ(b_j)) dlog_prob over all rows and samples, into ``grads["b"]``."""
        z, b = cache
        dlog_prob = dlog_prob[..., None]
        grads["b"][...] = ((z - sigmoid(b)) * dlog_prob).reshape(-1, self.d).sum(axis=0)
        return b * dlog_prob
