"""The dense layer y = x W + b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from npvae.layers.initializers import Initializer, glorot_uniform
from npvae.parameters import Parameters, Shapes

__all__ = ["Dense"]


@dataclass(frozen=True)
class Dense:
    """Affine map y = x W + b of every row of x.

    Parameters
    ----------
    n_in, n_out : int
        Features per row, before and after.
    init_weights : callable, default `glorot_uniform`
        Draws W from (rng, n_in, n_out). The bias starts at zero.
    """

    n_in: int
    n_out: int
    init_weights: Initializer = glorot_uniform
    output_bias: ClassVar[str] = "b"

    @property
    def shapes(self) -> Shapes:
        """W is (n_in, n_out), b is (n_out,)."""
        return {"W": (self.n_in, self.n_out), "b": (self.n_out,)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random weights, zero biases."""
        return {"W": self.init_weights(rng, self.n_in, self.n_out), "b": np.zeros(self.n_out)}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y_nk = Σ_j x_nj W_jk + b_k, from x (n, n_in) to y (n, n_out). The cache is x."""
        y = x @ params["W"]
        y += params["b"]
        return y, x

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dW = xᵀ dy, db = Σ_n dy_n, dx = dy Wᵀ."""
        x = cache
        np.matmul(x.T, dy, out=grads["W"])
        np.sum(dy, axis=0, out=grads["b"])
        return dy @ params["W"].T if need_dx else None
