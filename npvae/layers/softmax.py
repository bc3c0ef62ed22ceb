"""The softmax of every row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.layers.parameterless import Parameterless
from npvae.parameters import Parameters

__all__ = ["Softmax"]


class Softmax(Parameterless):
    """y_j = e^{x_j} / Σ_k e^{x_k}: positive numbers that add up to 1 in every row. Not elementwise: no activation."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = softmax(x), (n, d); the row's maximum is taken out first, so nothing overflows. The cache is y."""
        y = np.exp(x - x.real.max(axis=1, keepdims=True))
        y /= y.sum(axis=1, keepdims=True)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx_j = y_j (dy_j − Σ_k y_k dy_k)."""
        y = cache
        return y * (dy - (y * dy).sum(axis=1, keepdims=True))
