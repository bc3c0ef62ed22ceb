"""What a model needs so that it can be evaluated, and its posterior over many rows."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import DiagonalGaussian, Distribution, Posterior
from npvae.parameters import Parameters
from npvae.validation import data_matrix

__all__ = ["AutoEncoder", "encode", "posterior_moments"]

_ROWS = 1000  # rows encoded at once: they stay in the cache


class AutoEncoder(Protocol):
    """An encoder x → q(z|x) and a decoder z → p(x|z), with the prior p(z) = N(0, I)."""

    n_features: int
    latent_dim: int
    posterior: Posterior
    likelihood: Distribution

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The parameters a_z of q(z|x), a row each."""

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        """The parameters a_x of p(x|z), a row each."""


def encode(model: AutoEncoder, theta: Parameters, x: ArrayLike) -> NDArray:
    """The parameters of q(z|x) of every row of x (n, n_features); errors name what is wrong with x."""
    x = data_matrix("x", x, model.n_features, theta.dtype)
    return np.concatenate([model.encode(theta, x[start : start + _ROWS]) for start in range(0, len(x), _ROWS)])


def posterior_moments(model: AutoEncoder, theta: Parameters, x: ArrayLike, what: str) -> tuple[NDArray, NDArray]:
    """mu and log_var of q(z|x), each (n, latent_dim), in float64; a TypeError if `what` is asked of another posterior.

    Under a full covariance the units of q(z|x) are not independent, and nothing can be said of one without the others.
    """
    if not isinstance(model.posterior, DiagonalGaussian):
        raise TypeError(f"{what} needs a posterior of independent units, DiagonalGaussian(), got {model.posterior!r}")
    a = encode(model, theta, x).astype(np.float64)
    return a[:, : model.latent_dim], a[:, model.latent_dim :]
