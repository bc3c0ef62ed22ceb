"""Trained constants beside what a network puts out: numbers that are the same for all data, such as one variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Parameters, Shapes

__all__ = ["Constants"]


@dataclass(frozen=True)
class Constants:
    """y = [x | b]: every row of x with the same trained numbers behind it.

    Parameters
    ----------
    n_in : int
        Features per row of x.
    n : int
        How many constants. They start at zero.
    """

    n_in: int
    n: int

    @property
    def shapes(self) -> Shapes:
        """b is (n,)."""
        return {"b": (self.n,)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Zeros."""
        return {"b": np.zeros(self.n)}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = [x | b], from (rows, n_in) to (rows, n_in + n). Nothing is cached."""
        return np.concatenate([x, np.broadcast_to(params["b"], (len(x), self.n))], axis=1), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """db = Σ_rows of dy's last n columns, dx = the others (a copy)."""
        np.sum(dy[:, self.n_in :], axis=0, out=grads["b"])
        return dy[:, : self.n_in].copy() if need_dx else None
