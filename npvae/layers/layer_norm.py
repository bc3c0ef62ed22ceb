"""Layer normalisation: every row is brought to mean 0 and variance 1, then scaled and shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Parameters, Shapes

__all__ = ["LayerNorm"]

FLOOR = 1e-5
"""Added to the variance, so that a row of equal numbers becomes zeros; the customary value."""


@dataclass(frozen=True)
class LayerNorm:
    """y = g u + b, with u the row x − mean(x) over its standard deviation; every row by itself.

    Parameters
    ----------
    n : int
        Features per row. g starts at one, b at zero.

    References
    ----------
    Ba et al., Layer normalization (2016), eq. (3) and (4).
    """

    n: int
    output_bias: ClassVar[str] = "b"

    @property
    def shapes(self) -> Shapes:
        """g and b are (n,)."""
        return {"g": (self.n,), "b": (self.n,)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Ones and zeros."""
        return {"g": np.ones(self.n), "b": np.zeros(self.n)}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, tuple[NDArray, NDArray]]:
        """y = g u + b, u = (x − m)/s, s² = (1/n) Σ_j (x_j − m)² + 1e-5, (rows, n). The cache is (u, s)."""
        u = x - x.mean(axis=1, keepdims=True)
        s = np.sqrt((u * u).mean(axis=1, keepdims=True) + FLOOR)
        u /= s
        return params["g"] * u + params["b"], (u, s)

    def backward(
        self, params: Parameters, cache: tuple[NDArray, NDArray], dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dg = Σ_rows u dy, db = Σ_rows dy, dx = (du − mean(du) − u mean(u du)) / s with du = g dy."""
        u, s = cache
        np.sum(u * dy, axis=0, out=grads["g"])
        np.sum(dy, axis=0, out=grads["b"])
        if not need_dx:
            return None
        du = params["g"] * dy
        return (du - du.mean(axis=1, keepdims=True) - u * (u * du).mean(axis=1, keepdims=True)) / s
