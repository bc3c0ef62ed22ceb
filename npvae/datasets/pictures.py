"""Folders of PNG pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np


def read_pictures(folder: str | os.PathLike[str]) -> np.ndarray:
    """Read all .png files of a folder, in the order of their names, as grey pictures.

    Grey is the mean of the colour channels; a channel of opacity is left out. Needs matplotlib, the extra `plots`.

    Returns
    -------
    (n, h, w) float32 array
        Grey values in [0, 1].

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If the folder has no .png file, one cannot be read, or their sizes differ.
    """
    files = sorted(file for file in Path(folder).iterdir() if file.suffix.lower() == ".png")
    if not files:
        raise ValueError(f"{folder} must have .png files, got a folder without any")
    first = _read_grey(files[0])
    pictures = np.empty((len(files), *first.shape), np.float32)
    for i, file in enumerate(files):
        grey = _read_grey(file)
        if grey.shape != first.shape:
            (h, w), (got_h, got_w) = first.shape, grey.shape
            raise ValueError(f"{file} must have {h} x {w} pixels (h x w) like {files[0].name}, got {got_h} x {got_w}")
        pictures[i] = grey
    return pictures


def _read_grey(file: Path) -> np.ndarray:
    try:
        from matplotlib.image import imread
    except ImportError:
        raise ImportError('reading pictures needs matplotlib: pip install "npvae[plots]"') from None
    try:
        picture = imread(file, format="png")
    except Exception as error:  # a damaged file makes the decoder raise almost anything
        raise ValueError(f"{file} cannot be read as a PNG picture: {error}") from None
    if picture.ndim == 2:
        return picture
    channels = picture.shape[2]
    return picture[:, :, : channels - (channels in (2, 4))].mean(axis=2)
