"""Arrays from .npy files and .npz archives, without pickle and without trust in what a header claims."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from npvae.datasets.idx import MAX_DEFLATE_RATIO
from npvae.storage import DAMAGED, read_array
from npvae.validation import existing_file


def read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the numeric array of a .npy file; errors as `npvae.storage.read_array`, or if `path` is no file."""
    file = existing_file(path)
    with file.open("rb") as stream:
        return read_array(stream, os.fstat(stream.fileno()).st_size, str(file))


def npz_keys(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the arrays in a .npz archive, in its order; errors as `read_npz`."""
    with _opened(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def read_npz(path: str | os.PathLike[str], key: str) -> np.ndarray:
    """Read the numeric array `key` of a .npz archive.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    ValueError
        If the file is no .npz archive or a damaged one, has no such array, or `read_array` refuses it.
    """
    keys = npz_keys(path)
    if key not in keys:
        raise ValueError(f"{path} must have an array {key!r}, got {', '.join(keys) or 'none at all'}")
    with _opened(path) as archive:
        info = archive.infolist()[keys.index(key)]
        inflated = info.file_size > max(info.compress_size, 1) * MAX_DEFLATE_RATIO
        if inflated or info.compress_size > os.path.getsize(path):
            raise ValueError(f"{path}:{key} claims {info.file_size} bytes, more than the archive can hold")
        with archive.open(info) as member:
            return read_array(member, info.file_size, f"{path}:{key}")


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    with existing_file(path).open("rb") as stream:
        try:
            yield zipfile.ZipFile(stream)
        except DAMAGED as error:
            raise ValueError(f"{path} is no .npz archive or is damaged: {error}") from None
