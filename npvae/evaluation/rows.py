"""Data on their way into a model that is evaluated."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.models import LatentVariableModel
from npvae.parameters import Parameters
from npvae.validation import data_matrix

__all__ = ["model_rows"]


def model_rows(model: LatentVariableModel, theta: Parameters, x: ArrayLike, argument: str = "x") -> NDArray:
    """`x` as rows (n, n_features) in the precision of theta.

    NaN stands for what is not known where the likelihood says so (``takes_missing``); else it is refused like infinity.

    Raises
    ------
    TypeError, ValueError
        If x is no finite matrix of that width from the likelihood's support.
    """
    missing = getattr(model.likelihood, "takes_missing", False) and bool(np.isnan(np.asarray(x)).any())
    if not missing:
        rows = data_matrix(argument, x, model.n_features, theta.dtype)
    else:
        unknown = np.isnan(np.asarray(x))
        rows = data_matrix(argument, np.where(unknown, 0, x), model.n_features, theta.dtype)
        rows[unknown.reshape(rows.shape)] = np.nan
    model.likelihood.require_support(argument, rows)
    return rows
