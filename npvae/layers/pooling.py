"""Pooling and up-sampling: images that get smaller or larger without parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvae.layers.parameterless import Parameterless
from npvae.layers.windows import ImageShape, Pair, Windows, check_image_shape, images, pair
from npvae.parameters import Parameters

__all__ = ["MaxPool", "MeanPool", "UpSample"]


@dataclass(frozen=True)
class _Pool(Parameterless):
    """Base: an image cut into tiles of `size` pixels, side by side."""

    image_shape: ImageShape
    size: Pair = 2

    def __post_init__(self) -> None:
        _ = self._windows

    @cached_property
    def _windows(self) -> Windows:
        return Windows(self.image_shape, self.size, self.size)

    @property
    def output_shape(self) -> ImageShape:
        """Height, width and channels of y."""
        return (*self._windows.counts, self.image_shape[2])

    def _tiles(self, x: NDArray) -> NDArray:
        """x (n, h·w·c) as (n, h'·w', pixels of a tile, c)."""
        tiles = self._windows.gather(images(x, self.image_shape))
        return tiles.reshape(len(x), self._windows.counts[0] * self._windows.counts[1], -1, self.image_shape[2])


@dataclass(frozen=True)
class MaxPool(_Pool):
    """y = the largest number of each tile of each channel.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and channels of x. Height and width must be multiples of the size.
    size : int or (int, int), default 2
        Height and width of a tile.

    Raises
    ------
    TypeError, ValueError
        If the tiles do not fill the image; the message says which image they would fill.
    """

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, tuple[NDArray, tuple[int, ...]]]:
        """y_t = max_i x_ti, from (n, h·w·c) to (n, h'·w'·c). The cache is the place of each maximum, and x's tiling.

        Among equal numbers the first is taken, and gets the whole gradient.
        """
        tiles = self._tiles(x)
        place = np.argmax(tiles.real, axis=2)[:, :, None]
        return np.take_along_axis(tiles, place, axis=2).reshape(len(x), -1), (place, tiles.shape)

    def backward(
        self,
        params: Parameters,
        cache: tuple[NDArray, tuple[int, ...]],
        dy: NDArray,
        grads: Parameters,
        need_dx: bool = True,
    ) -> NDArray:
        """dx = dy at the place of the maximum, else 0."""
        place, shape = cache
        dtiles = np.zeros(shape, dy.dtype)
        np.put_along_axis(dtiles, place, dy.reshape(place.shape), axis=2)
        return self._windows.scatter(dtiles, len(dy))


@dataclass(frozen=True)
class MeanPool(_Pool):
    """y = the mean of each tile of each channel.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and channels of x. Height and width must be multiples of the size.
    size : int or (int, int), default 2
        Height and width of a tile.

    Raises
    ------
    TypeError, ValueError
        If the tiles do not fill the image; the message says which image they would fill.
    """

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, int]:
        """y_t = (1/m) Σ_i x_ti, from (n, h·w·c) to (n, h'·w'·c). The cache is m, the pixels of a tile."""
        tiles = self._tiles(x)
        return tiles.mean(axis=2).reshape(len(x), -1), tiles.shape[2]

    def backward(self, params: Parameters, cache: int, dy: NDArray, grads: Parameters, need_dx: bool = True) -> NDArray:
        """dx = dy / m at each of the m pixels."""
        m = cache
        dtiles = np.repeat(dy.reshape(-1, 1, self.image_shape[2]) / m, m, axis=1)
        return self._windows.scatter(dtiles, len(dy))


@dataclass(frozen=True)
class UpSample(Parameterless):
    """y = x with every pixel repeated: nearest-neighbour interpolation, m times the adjoint of `MeanPool`.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height h, width w and channels c of x.
    size : int or (int, int), default 2
        How many pixels of y, vertically and horizontally, come of one of x.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer.
    """

    image_shape: ImageShape
    size: Pair = 2

    def __post_init__(self) -> None:
        _ = self.output_shape

    @cached_property
    def output_shape(self) -> ImageShape:
        """Height, width and channels of y."""
        h, w, c = check_image_shape(self.image_shape)
        sh, sw = pair("size", self.size, at_least=1)
        return (sh * h, sw * w, c)

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y_{i s + a, j s + b} = x_ij, from (n, h·w·c) to (n, sh·h·sw·w·c). Nothing is cached."""
        sh, sw = pair("size", self.size, at_least=1)
        y = np.repeat(np.repeat(images(x, self.image_shape), sh, axis=1), sw, axis=2)
        return y.reshape(len(x), -1), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx_ij = Σ_ab dy_{i s + a, j s + b}."""
        (h, w, c), (sh, sw) = self.image_shape, pair("size", self.size, at_least=1)
        return dy.reshape(len(dy), h, sh, w, sw, c).sum(axis=(2, 4)).reshape(len(dy), -1)
