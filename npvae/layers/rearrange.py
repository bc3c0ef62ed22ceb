"""The same numbers in another shape or order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.layers.parameterless import Parameterless
from npvae.parameters import Parameters
from npvae.validation import ArgumentError

__all__ = ["Permute", "Reshape"]


@dataclass(frozen=True)
class Reshape(Parameterless):
    """y = x with rows of another shape.

    The layers of this package take rows and give rows, images too, and need no reshape between them. It is for a layer
    of yours that works on images: ``Chain(Reshape((28, 28, 1)), YourLayer(), Reshape((784,)))``.

    Parameters
    ----------
    shape : sequence of int
        Shape of one row of y; one size may be −1.
    """

    shape: Sequence[int]

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, tuple[int, ...]]:
        """y is (n, *shape), a copy. The cache is the shape of x."""
        return x.reshape(len(x), *self.shape).copy(), x.shape

    def backward(
        self, params: Parameters, cache: tuple[int, ...], dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy in the shape of x, a copy."""
        return dy.reshape(cache).copy()


@dataclass(frozen=True)
class Permute(Parameterless):
    """y = x with its axes in another order, between rows: (n, features) to (n, features).

    ``Permute((3, 32, 32), (1, 2, 0))`` turns images with channels first into the channels-last ones that the
    convolutions here take.

    Parameters
    ----------
    shape : sequence of int
        What a row of x is.
    axes : sequence of int
        Axis axes[i] of x is axis i of y.

    Raises
    ------
    ValueError
        If `axes` is no order of the axes of `shape`.
    """

    shape: Sequence[int]
    axes: Sequence[int]

    def __post_init__(self) -> None:
        if sorted(self.axes) != list(range(len(self.shape))):
            raise ArgumentError("axes", f"be an order of 0 to {len(self.shape) - 1}", tuple(self.axes))

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y_{…} = x_{axes of …}. Nothing is cached."""
        return _permuted(x, self.shape, self.axes), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy in the old order."""
        return _permuted(dy, [self.shape[axis] for axis in self.axes], np.argsort(self.axes))


def _permuted(x: NDArray, shape: Sequence[int], axes: Sequence[int]) -> NDArray:
    moved = x.reshape(len(x), *shape).transpose(0, *(axis + 1 for axis in axes))
    return moved.reshape(len(x), -1).copy()
