"""Arrays from .npy files and .npz archives, without pickle and without trust in what a header claims."""

from __future__ import annotations

import ast
import math
import os
import re
import struct
import sys
import zipfile
import zlib
from typing import IO

import numpy as np

from npvae.datasets.idx import MAX_DEFLATE_RATIO
from npvae.datasets.paths import existing_file

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"

_MAX_HEADER = 10_000
_NUMERIC = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
# What zipfile raises on damaged bytes. OSError: a seek to an impossible offset.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, struct.error)


def read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the numeric array of a .npy file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    ValueError
        If the file is no .npy file, holds Python objects or text, or has more or less data than its header claims,
        which is said before any memory is taken.
    """
    file = existing_file(path)
    with file.open("rb") as stream:
        return _read_array(stream, os.fstat(stream.fileno()).st_size, str(file))


def npz_keys(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the arrays in a .npz archive, in its order; errors as `read_npz`."""
    file = existing_file(path)
    with file.open("rb") as stream:
        try:
            return [name.removesuffix(".npy") for name in zipfile.ZipFile(stream).namelist()]
        except _DAMAGED as error:
            raise ValueError(f"{file} is no .npz archive or a damaged one: {error}") from None


def read_npz(path: str | os.PathLike[str], key: str) -> np.ndarray:
    """Read the numeric array `key` of a .npz archive.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    ValueError
        If the file is no .npz archive or a damaged one, has no such array, or the array is refused by the rules
        of `read_npy`.
    """
    file = existing_file(path)
    keys = npz_keys(file)
    if key not in keys:
        raise ValueError(f"{file} must have an array {key!r}, got {', '.join(keys) or 'none at all'}")
    with file.open("rb") as stream:
        try:
            archive = zipfile.ZipFile(stream)
            info = archive.getinfo(archive.namelist()[keys.index(key)])
            inflated = info.file_size > max(info.compress_size, 1) * MAX_DEFLATE_RATIO
            if inflated or info.compress_size > file.stat().st_size:
                raise ValueError(f"{file}:{key} claims {info.file_size} bytes, more than the archive can hold")
            with archive.open(info) as member:
                return _read_array(member, info.file_size, f"{file}:{key}")
        except _DAMAGED as error:
            raise ValueError(f"{file}:{key} is damaged: {error}") from None


def _read_array(stream: IO[bytes], size: int, name: str) -> np.ndarray:
    """Read the array in .npy format that fills the `size` bytes of `stream`."""
    kind, fortran, shape, header = _read_header(stream, name)
    wanted = math.prod(shape) * kind.itemsize
    if header + wanted != size:
        raise ValueError(f"{name} must hold {wanted} bytes for shape {shape} of {kind}, got {size - header}")
    values = stream.read(wanted + 1)
    if len(values) != wanted:
        raise ValueError(f"{name} must hold {wanted} bytes for shape {shape} of {kind}, got {len(values)}")
    array = np.frombuffer(values, kind).reshape(shape, order="F" if fortran else "C")
    return array.astype(kind.newbyteorder("="))


def _read_header(stream: IO[bytes], name: str) -> tuple[np.dtype, bool, tuple[int, ...], int]:
    """Return type, Fortran order, shape and the number of bytes that say so."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != NPY_MAGIC or start[6] not in (1, 2, 3):
        raise ValueError(
            f"{name} must begin with the magic bytes of the .npy format, got {start.hex(' ') or 'nothing'}"
        )
    width = "<H" if start[6] == 1 else "<I"
    counted = stream.read(struct.calcsize(width))
    length = struct.unpack(width, counted)[0] if len(counted) == struct.calcsize(width) else 0
    if not 0 < length <= _MAX_HEADER:
        raise ValueError(f"{name} must have a header of 1 to {_MAX_HEADER} bytes, got {length}")
    try:
        header = ast.literal_eval(stream.read(length).decode("utf-8" if start[6] == 3 else "latin1"))
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(f"{name} has an unreadable .npy header") from None
    if not isinstance(descr, str) or not _NUMERIC.fullmatch(descr):
        raise ValueError(f"{name} must be an array of numbers or booleans, got type {descr!r}")
    if not _is_shape(shape) or not isinstance(fortran, bool):
        raise ValueError(f"{name} has an unreadable .npy header")
    return np.dtype(descr), fortran, shape, 8 + len(counted) + length


def _is_shape(shape: object) -> bool:
    """Return whether NumPy could make an array of that shape, were there memory for it."""
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        return False
    return len(shape) <= 32 and math.prod(max(n, 1) for n in shape) * 8 <= sys.maxsize
