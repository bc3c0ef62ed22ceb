"""Data that are far larger than what networks are made for."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import column_moments
from npvae.validation import DataWarning

__all__ = ["warn_of_scale"]

LARGE = 10
"""Root mean square of data from which on `fit` warns: a tenfold input makes the first layer's outputs tenfold."""


def warn_of_scale(x: NDArray) -> None:
    """A DataWarning if data are far larger than what networks are made for."""
    mean, var = column_moments(x)
    size = float(np.sqrt((mean.astype(np.float64) ** 2 + var).mean()))
    if size > LARGE:
        remark = (
            f"has values of about {size:.3g}, where a network expects them of about one: divide 8-bit images by 255, "
            "bring columns to mean 0 and variance 1"
        )
        warnings.warn(DataWarning("X", remark), stacklevel=4)  # who called fit
