"""A trained number for every feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Parameters, Shapes

__all__ = ["Bias"]


@dataclass(frozen=True)
class Bias:
    """y = x + b: what ends a network whose last products have no bias a feature, such as a convolution's.

    Parameters
    ----------
    n : int
        Features per row. b starts at zero.
    """

    n: int
    output_bias: ClassVar[str] = "b"

    @property
    def shapes(self) -> Shapes:
        """b is (n,)."""
        return {"b": (self.n,)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Zeros."""
        return {"b": np.zeros(self.n)}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = x + b, (rows, n). Nothing is cached."""
        return x + params["b"], None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """db = Σ_rows dy, dx = dy (a copy)."""
        np.sum(dy, axis=0, out=grads["b"])
        return dy.copy() if need_dx else None
