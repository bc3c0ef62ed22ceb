"""The images that all implementations see, as one file that each of them reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from npvae import datasets

__all__ = ["data_folder", "image_file", "images"]


def data_folder() -> Path:
    """Where real data lie: the folder NPVAE_DATA, or ``../shared/data`` beside the project."""
    return Path(os.environ.get("NPVAE_DATA") or Path(__file__).parents[2] / "shared" / "data")


def images(rows: int | None = None) -> datasets.Dataset:
    """Grey images in [0, 1]: `rows` of them, or all.

    MNIST's training part from `data_folder`; where there is none, 10,000 digits that npvae draws.
    """
    try:
        data = datasets.mnist("train", data_folder())
    except FileNotFoundError:
        data = datasets.digits(10_000, seed=0)
    return data.take(slice(rows))


@contextmanager
def image_file(data: datasets.Dataset) -> Iterator[str]:
    """The rows of `data` as a .npy file that lives as long as the block."""
    with TemporaryDirectory(prefix="npvae-benchmarks-") as folder:
        path = Path(folder) / "images.npy"
        np.save(path, data.x)
        yield str(path)
