"""The parts of log p(x): reconstruction, KL to the prior, KL to the true posterior."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.evaluation.likelihood import LogLikelihood, Mean, log_likelihood, mean_with_error
from npvae.evaluation.posteriors import encode
from npvae.models import LatentVariableModel
from npvae.models.densities import prior_section
from npvae.parameters import Parameters

__all__ = ["Decomposition", "decompose", "decompose_rows"]


class Decomposition(NamedTuple):
    """Means over data, nats: log_px = elbo + gap and elbo = −(reconstruction + kl), to rounding error."""

    reconstruction: Mean
    """−E_q[log p(x|z)]."""
    kl: Mean
    """KL(q(z|x) ‖ p(z)), analytic."""
    elbo: Mean
    log_px: Mean
    """L_k, see `log_likelihood`."""
    gap: Mean
    """L_k − ELBO, an estimate of KL(q(z|x) ‖ p(z|x)): never negative, and too small where L_k is too low."""


def decompose(
    model: LatentVariableModel, theta: Parameters, x: ArrayLike, seed: int, k: int = 5000, max_rows: int = 500
) -> Decomposition:
    """log p(x) = −reconstruction − KL(q(z|x) ‖ p(z)) + KL(q(z|x) ‖ p(z|x)), each with its standard error over data.

    The ELBO is the mean of the log-weights; with the analytic KL taken off, the reconstruction remains, unbiased and
    with less noise than a mean of log p(x|z) where q is near the true posterior. Arguments as for `log_likelihood`.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), eq. (1) and (3).
    """
    rows = decompose_rows(model, theta, x, log_likelihood(model, theta, x, seed, k, max_rows))
    return Decomposition(**{name: mean_with_error(values) for name, values in rows.items()})


def decompose_rows(
    model: LatentVariableModel,
    theta: Parameters,
    x: ArrayLike,
    estimate: LogLikelihood,
    kl: NDArray | None = None,
) -> dict[str, NDArray]:
    """The terms of a `Decomposition` of every row, (n,), from the rows' `log_likelihood`.

    The KL is analytic; for a model that has none, such as one with several layers of latents, an estimate is given.
    """
    if kl is None:
        params = prior_section(model, theta)
        kl = model.posterior.kl(encode(model, theta, x), model.prior, params)[0]
    kl = kl.astype(np.float64)
    return {
        "reconstruction": -estimate.elbo - kl,
        "kl": kl,
        "elbo": estimate.elbo,
        "log_px": estimate.log_px,
        "gap": estimate.log_px - estimate.elbo,
    }
