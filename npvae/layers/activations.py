"""Elementwise activations. None has parameters; each caches what makes its derivative cheapest.

Most cache y itself, so nothing may write into a y that a layer returned until its backward has run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters, Shapes

__all__ = ["ACTIVATIONS", "Identity", "ReLU", "Sigmoid", "Softplus", "Tanh"]


class _Activation:
    """An elementwise function: no parameters, any shape, and nothing by which two of a kind could differ."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @property
    def shapes(self) -> Shapes:
        """No parameters."""
        return {}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """No parameters."""
        return {}


class Identity(_Activation):
    """y = x: a linear network."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = x (a copy). Nothing is cached."""
        return x.copy(), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy (a copy)."""
        return dy.copy()


class ReLU(_Activation):
    """y = max(x, 0). At the kink x = 0 every slope from 0 to 1 is a subgradient; `backward` takes 0."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = max(x, 0). The cache is y."""
        y = np.maximum(x, 0)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy where y > 0, else 0."""
        y = cache
        return dy * (y.real > 0)


class Tanh(_Activation):
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


class Sigmoid(_Activation):
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


class Softplus(_Activation):
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


ACTIVATIONS: dict[str, type[_Activation]] = {
    "identity": Identity,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "softplus": Softplus,
    "tanh": Tanh,
}
"""Activations by the name that a user types."""
