"""The posteriors q(z|x) of many rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import DiagonalGaussian
from npvae.evaluation.rows import model_rows
from npvae.models import LatentVariableModel
from npvae.parameters import Parameters
from npvae.validation import ArgumentTypeError

__all__ = ["encode", "posterior_moments"]

_ROWS = 1000  # rows encoded at once: they stay in the cache


def encode(model: LatentVariableModel, theta: Parameters, x: ArrayLike) -> NDArray:
    """The parameters of q(z|x) of every row of x (n, n_features); errors name what is wrong with x."""
    x = model_rows(model, theta, x)
    return np.concatenate([model.encode(theta, x[start : start + _ROWS]) for start in range(0, len(x), _ROWS)])


def posterior_moments(
    model: LatentVariableModel, theta: Parameters, x: ArrayLike, what: str
) -> tuple[NDArray, NDArray]:
    """mu and log_var of q(z|x), each (n, latent_dim), in float64.

    Under a full covariance the latents of q(z|x) are not independent, and nothing can be said of one without the
    others: an ArgumentTypeError says that `what` was asked of another posterior.
    """
    if not isinstance(model.posterior, DiagonalGaussian):
        rule = f"be DiagonalGaussian(), of independent latents, for {what}"
        raise ArgumentTypeError("the model's posterior", rule, repr(model.posterior))
    a = encode(model, theta, x).astype(np.float64)
    return a[:, : model.latent_dim], a[:, model.latent_dim :]
