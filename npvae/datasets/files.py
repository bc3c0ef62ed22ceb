"""Data from a path, whatever kind of file it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from npvae.datasets.arrays import npz_keys, read_npy, read_npz
from npvae.datasets.dataset import Dataset
from npvae.datasets.idx import GZIP_MAGIC, TYPES, read_idx
from npvae.datasets.pictures import read_pictures
from npvae.datasets.tables import read_csv
from npvae.storage import NPY_MAGIC, ZIP_MAGIC
from npvae.validation import data_matrix, existing_file

_KEYED = re.compile(r"(?P<file>.+\.npz):(?P<key>[^/\\]+)", re.IGNORECASE)
_PACKED_SPLITS = {"train", "valid", "test"}
_PACKED_BYTES = 98
_KNOWN = "IDX (plain or gzipped), .npy, .npz, .csv or a folder of .png pictures"


def load(path: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None) -> Dataset:
    """Load data, and if asked their labels, from files.

    Parameters
    ----------
    path : str or path
        One of:

        - an IDX file, plain or gzipped, whatever its name;
        - a .npy file;
        - a .npz archive with one array, or ``archive.npz:key`` for one of several;
        - the static binarisation of MNIST, packed to bits: ``binarized_mnist.npz:train``, ``:valid`` or ``:test``;
        - a .csv table of numbers, with or without a line of column names; no column is taken as labels;
        - a folder of .png pictures of one size, in the order of their names (needs the extra `plots`).
    labels : str, path or None
        File of any of these kinds but pictures, with one whole number per row of the data.

    Returns
    -------
    Dataset
        Rows along the first axis; arrays (n, h, w) become rows of h·w features with `image_shape` (h, w). Unsigned
        8-bit integers are grey values and divided by 255, unless none exceeds 1: then they are bits. Booleans
        become 0 and 1. All else keeps its values.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is nothing at the path, or a folder where a file is meant.
    ImportError
        If `path` is a folder of pictures and matplotlib is not installed.
    ValueError
        If a file is of no known kind, damaged, empty, ragged, not numeric or not finite, or the labels do not fit.
    """
    folder = Path(path)
    array = read_pictures(folder) if folder.is_dir() else _read(path, "path")
    if array.ndim not in (2, 3):
        raise ValueError(f"{path} must hold rows (n, features) or images (n, h, w), got shape {array.shape}")
    x = data_matrix(str(path), _natural(array))
    image_shape = (array.shape[1], array.shape[2]) if array.ndim == 3 else None
    return Dataset(x, None if labels is None else _labels(labels, len(x)), image_shape, name=folder.name)


def _read(path: str | os.PathLike[str], argument: str) -> np.ndarray:
    """Read the array of a file by its first bytes, and where these say nothing by its ending."""
    keyed = _KEYED.fullmatch(os.fspath(path))
    file = existing_file(keyed["file"] if keyed else path, argument)
    with file.open("rb") as stream:
        start = stream.read(6)
    ending = file.suffix.lower()
    if keyed or start[:4] == ZIP_MAGIC or ending == ".npz":
        return _read_archive(file, keyed["key"] if keyed else None)
    if start == NPY_MAGIC or ending == ".npy":
        return read_npy(file)
    if start[:2] == GZIP_MAGIC or (start[:2] == b"\0\0" and start[2:3] in map(bytes, zip(TYPES, strict=True))):
        return read_idx(file)
    if ending == ".csv":
        return read_csv(file)
    raise ValueError(f"{argument} must name data of a known kind, {_KNOWN}; got {file}")


def _read_archive(file: Path, key: str | None) -> np.ndarray:
    keys = npz_keys(file)
    if key is None:
        if len(keys) != 1:
            several = ", ".join(keys) or "none"
            raise ValueError(f"{file} must hold one array, or be asked for one as {file.name}:KEY; got {several}")
        key = keys[0]
    array = read_npz(file, key)
    if set(keys) == _PACKED_SPLITS and array.dtype == np.uint8 and array.shape[1:] == (_PACKED_BYTES,):
        return np.unpackbits(array, axis=1).reshape(-1, 28, 28)
    return array


def _natural(array: np.ndarray) -> np.ndarray:
    """Return grey values of 8 bits as float32 in [0, 1], all else as it is."""
    if array.dtype == np.uint8 and array.size and array.max() > 1:
        return np.divide(array, 255, dtype=np.float32)
    return array


def _labels(path: str | os.PathLike[str], n: int) -> np.ndarray:
    values = _read(path, "labels")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n,):
        raise ValueError(f"labels must have one value for each of the {n} rows, got shape {values.shape} in {path}")
    if not (np.abs(values.astype(np.float64)) < 2**53).all():
        raise ValueError(f"labels must be finite whole numbers below 2^53, got others in {path}")
    whole = values.astype(np.int64)
    if not (whole == values).all():
        raise ValueError(f"labels must be whole numbers, got {values[whole != values][0]} in {path}")
    return whole
