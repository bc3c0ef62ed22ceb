"""The dense layer y = x W + b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from npvae.layers.initializers import Initializer, glorot_uniform
from npvae.parameters import Parameters, Shapes

__all__ = ["Dense", "DenseTranspose"]


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

    def adjoint(self) -> DenseTranspose:
        """The layer x = y Wᵀ, with the same W."""
        return DenseTranspose(self.n_out, self.n_in, self.init_weights)

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


@dataclass(frozen=True)
class DenseTranspose:
    """y = x Wᵀ: the adjoint of a `Dense` from n_out to n_in without its bias, with that layer's W.

    It lets a decoder share the weights of its encoder, and carries gradients to x as a layer of its own, which can be
    differentiated again.

    Parameters
    ----------
    n_in, n_out : int
        Features per row, before and after.
    init_weights : callable, default `glorot_uniform`
        Draws W from (rng, n_out, n_in).
    """

    n_in: int
    n_out: int
    init_weights: Initializer = glorot_uniform

    @property
    def shapes(self) -> Shapes:
        """W is (n_out, n_in)."""
        return {"W": (self.n_out, self.n_in)}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random weights."""
        return {"W": self.init_weights(rng, self.n_out, self.n_in)}

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y_nk = Σ_j x_nj W_kj, from x (n, n_in) to y (n, n_out). The cache is x."""
        return x @ params["W"].T, x

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dW = dyᵀ x, dx = dy W."""
        x = cache
        np.matmul(dy.T, x, out=grads["W"])
        return dy @ params["W"] if need_dx else None
