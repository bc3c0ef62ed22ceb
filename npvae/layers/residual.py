"""The residual block: what a network adds to its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.layers.layer import Layer
from npvae.layers.noise import draw_noise, with_noise
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError

__all__ = ["Residual"]


@dataclass(frozen=True)
class Residual:
    """y = x + f(x).

    Parameters
    ----------
    block : Layer
        f, with as many features out as in. Its parameters keep their names.

    References
    ----------
    He et al., Deep residual learning for image recognition (2016), eq. (1).
    """

    block: Layer

    @property
    def shapes(self) -> Shapes:
        """Those of the block."""
        return self.block.shapes

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Initial values of the block."""
        return self.block.init(rng)

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Any:
        """The noise of the block for n rows."""
        return draw_noise(self.block, rng, n, dtype)

    def with_noise(self, noise: Any) -> Residual:
        """The same layer with the noise of its block given."""
        return Residual(with_noise(self.block, noise))

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, Any]:
        """y = x + f(x), (n, d). The cache is the block's.

        Raises
        ------
        ValueError
            If f(x) has another shape than x.
        """
        y, cache = self.block.forward(params, x)
        if y.shape != x.shape:
            raise ArgumentError("block", f"keep the shape of x {x.shape}", y.shape)
        return x + y, cache

    def backward(
        self, params: Parameters, cache: Any, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dx = dy + df(dy)."""
        through = self.block.backward(params, cache, dy, grads, need_dx)
        return dy + through if need_dx else None
