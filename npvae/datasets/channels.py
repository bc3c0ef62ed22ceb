"""The channels of images: last in the rows that a model sees, wherever they were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANNELS", "channels_first", "channels_last", "like_images"]

CHANNELS = (1, 3, 4)
"""Channels of an image: grey, colour, colour with opacity."""


def channels_first(shape: tuple[int, ...]) -> bool:
    """Whether images of that shape (n, c, h, w) have their channels before height and width."""
    return len(shape) == 4 and shape[1] in CHANNELS and shape[3] not in CHANNELS


def channels_last(images: NDArray) -> NDArray:
    """Images (n, c, h, w) as (n, h, w, c), those of one channel as (n, h, w); anything else as it is."""
    if channels_first(images.shape):
        images = images.transpose(0, 2, 3, 1)
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images


def like_images(rows: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Rows (n, d) of `channels_last` in the shape of the images that they were; rows remain what they are."""
    if len(shape) < 3 or len(rows) != shape[0]:
        return rows
    if channels_first(shape):
        n, c, h, w = shape
        return np.ascontiguousarray(rows.reshape(n, h, w, c).transpose(0, 3, 1, 2))
    return rows.reshape(shape)
