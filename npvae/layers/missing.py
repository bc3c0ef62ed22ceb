"""The first layer of an encoder of incomplete rows: what is known, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.layers.parameterless import Parameterless
from npvae.parameters import Parameters

__all__ = ["Missing"]


@dataclass(frozen=True)
class Missing(Parameterless):
    """y = [x, with 0 for NaN | 1 where x is known and 0 where it is NaN].

    Where columns lie around zero, 0 is what one would expect of an unknown value; the second part tells the two apart.

    Parameters
    ----------
    columns : tuple of int
        The columns of x that the second part is about.

    References
    ----------
    Nazabal, Olmos, Ghahramani & Valera, Handling incomplete heterogeneous data using VAEs (2020), section 3.1: zero
    imputation in the encoder.
    """

    columns: tuple[int, ...] = ()

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """From (n, d) to (n, d + len(columns)). The cache is where x is known."""
        known = ~np.isnan(x)
        return np.concatenate([np.where(known, x, 0), known[:, list(self.columns)]], axis=1, dtype=x.dtype), known

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dx = dy's first part where x is known, 0 elsewhere; the second part is a step and passes nothing."""
        known = cache
        return dy[:, : known.shape[1]] * known if need_dx else None
