"""IDX files, the format of MNIST: a magic number, the sizes of the axes, and the values, all big-endian.

    offset  content
    0       two zero bytes
    2       type: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
    3       number of axes
    4       length of each axis, four bytes each, unsigned
    ...     the values, last axis fastest

The file may be compressed with gzip; its first bytes tell, whatever its name.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from npvae.datasets.parts import Part, read_part
from npvae.validation import existing_file

TYPES: dict[int, str] = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""NumPy type of the values for each type byte."""

GZIP_MAGIC = b"\x1f\x8b"
MAX_DEFLATE_RATIO = 1032
"""Deflate spends at least two bits on a copy of at most 258 bytes: it shrinks no data by more than this."""

_MAX_AXES = 32


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, plain or gzipped; see `read_idx_part`."""
    return read_idx_part(path).array


def read_idx_part(path: str | os.PathLike[str], rows: slice | None = None) -> Part:
    """Read rows of an IDX file, plain or gzipped, or all of it.

    Returns
    -------
    Part
        Values of the file's type in the machine's byte order, with the file's axes.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    ValueError
        If the file is no IDX file, truncated, prolonged or damaged. Memory is taken as data arrive: a header that
        claims more than the file holds allocates nothing.
    """
    file = existing_file(path)
    with file.open("rb") as stored:
        zipped = stored.read(2) == GZIP_MAGIC
        stored.seek(0)
        most = os.fstat(stored.fileno()).st_size * (MAX_DEFLATE_RATIO if zipped else 1)
        try:
            return _read(gzip.GzipFile(fileobj=stored) if zipped else stored, file, most, rows)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{file} is a damaged gzip file: {error}") from None


def _read(stream: IO[bytes] | gzip.GzipFile, file: Path, most: int, rows: slice | None) -> Part:
    """Read header and values from `stream`, which can hold at most `most` bytes."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        got = magic.hex(" ") or "nothing"
        raise ValueError(f"{file} must begin with an IDX magic number such as 00 00 08 03, got {got}")
    kind, axes = np.dtype(TYPES[magic[2]]), magic[3]
    if axes > _MAX_AXES:
        raise ValueError(f"{file} must have at most {_MAX_AXES} axes, got {axes}")
    sizes = stream.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise ValueError(f"{file} must have {4 * axes} bytes of axis lengths, got {len(sizes)}")
    shape = struct.unpack(f">{axes}I", sizes)
    # NumPy refuses such shapes even where an axis of length 0 leaves nothing to store.
    if math.prod(max(length, 1) for length in shape) * kind.itemsize > sys.maxsize:
        raise ValueError(f"{file} must have a shape that fits into memory, got {shape}")
    wanted, left = math.prod(shape) * kind.itemsize, most - 4 - 4 * axes
    if wanted > left:
        raise ValueError(f"{file} must hold {wanted} bytes for shape {shape}, got at most {max(left, 0)}")
    return read_part(stream, kind, shape, str(file), rows)
