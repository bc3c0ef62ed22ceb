"""MNIST as bytes, and three binarisations of it: dynamic, one fixed draw, and the published fixed one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.images import data_folder
from npvae import datasets

__all__ = ["TEST_DRAW", "binarize", "digit_images"]

TEST_DRAW = 0
"""Seed of the one draw by which the test images are binarised."""


def binarize(grey: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw b ~ Bernoulli(grey / 255), for whole numbers from 0 to 255.

    A byte u that is uniform on 0 … 254 is less than g with probability g / 255, exactly; where u = 255 came, another
    draw decides. That takes a quarter of the random bits of 32-bit fractions, which were a sixth of a training step.
    """
    words = rng.integers(0, 2**64, grey.size // 8 + 1, dtype=np.uint64)
    u = words.view(np.uint8)[: grey.size]
    g = grey.astype(np.uint8).ravel()
    b = np.less(u, g).astype(np.float32)
    again = np.flatnonzero(u == 255)
    b[again] = rng.integers(0, 255, len(again)) < g[again]
    return b.reshape(grey.shape)


def digit_images(quick: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32], str]:
    """Grey training images as bytes, test images by their one draw, and the name of the data.

    All 60,000 and 10,000 of MNIST; with `quick`, 2,000 and 200 of the embedded digits.
    """
    if quick:
        train, test, name = datasets.digits(2000, seed=0), datasets.digits(200, seed=1), "embedded digits"
    else:
        train, test = (datasets.mnist(split, data_folder()) for split in ("train", "test"))
        name = "MNIST"
    train_bytes, test_bytes = (np.rint(data.x * 255).astype(np.uint8) for data in (train, test))
    return train_bytes, binarize(test_bytes, np.random.default_rng(TEST_DRAW)), name
