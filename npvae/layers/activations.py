"""Smooth elementwise activations. Each caches what makes its derivative cheapest.

Most cache y itself, so nothing may write into a y that a layer returned until its backward has run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.layers.activation import register_activation
from npvae.layers.parameterless import Parameterless
from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters

__all__ = ["Identity", "Sigmoid", "Softplus", "Tanh"]


@register_activation("identity")
class Identity(Parameterless):
    """y = x: a linear network."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = x (a copy). Nothing is cached."""
        return x.copy(), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy (a copy)."""
        return dy.copy()

    def slope_backward(self, cache: None, dslope: NDArray) -> NDArray:
        """f″ = 0, so dx = 0."""
        return np.zeros_like(dslope)


@register_activation("sigmoid")
class Sigmoid(Parameterless):
    """y = 1 / (1 + e^{−x})."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = σ(x). The cache is y."""
        y = sigmoid(x)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy y (1 − y)."""
        y = cache
        dx = 1 - y
        dx *= y
        return dx * dy

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = y (1 − y)(1 − 2y), so dx = dslope y (1 − y)(1 − 2y)."""
        y = cache
        return dslope * (y * (1 - y) * (1 - 2 * y))


@register_activation("softplus")
class Softplus(Parameterless):
    """y = log(1 + e^x)."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = softplus(x). The cache is x."""
        return softplus(x), x

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy σ(x)."""
        x = cache
        return sigmoid(x) * dy

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = σ(x) σ(−x), so dx = dslope σ(x) σ(−x)."""
        x = cache
        return dslope * (sigmoid(x) * sigmoid(-x))


@register_activation("tanh")
class Tanh(Parameterless):
    """y = tanh(x)."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = tanh(x). The cache is y."""
        y = np.tanh(x)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy (1 − y²)."""
        y = cache
        dx = y * y
        np.subtract(1, dx, out=dx)
        return dx * dy

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = −2 y (1 − y²), so dx = −2 dslope y (1 − y²)."""
        y = cache
        return dslope * (-2 * y * (1 - y * y))
