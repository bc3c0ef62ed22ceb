"""Rows of an array that lies in a file, without the others: only what is asked for is kept in memory."""

from __future__ import annotations

import math
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae import memory

__all__ = ["NoRowsError", "Part", "read_part"]

PIECE = 1 << 20

BESIDE = 8
"""Bytes for each value that a data set takes beside its array: the rows in float32, and a copy on the way there."""


class NoRowsError(ValueError):
    """Rows that a file has not."""

    def __init__(self, name: str, n: int) -> None:
        super().__init__(f"rows selects nothing: {name} has {n} rows")


class Part(NamedTuple):
    """Rows of an array."""

    array: NDArray
    n: int
    """Rows of the whole."""
    above_one: bool
    """Whether some value of the whole exceeds 1, where these are bytes: then they are grey, else bits."""


def read_part(
    stream: IO[bytes],
    kind: np.dtype,
    shape: tuple[int, ...],
    name: str,
    rows: slice | None = None,
    fortran: bool = False,
) -> Part:
    """Read rows of the array whose values are next in a stream, in the machine's byte order.

    A ValueError if the stream ends before them. Without `rows` all are read, and the stream has to end behind them.
    """
    n = shape[0] if shape else 1
    whole = rows is None or not shape or fortran or rows.step not in (None, 1)
    chosen = range(n) if whole else range(n)[rows]
    if n and rows is not None and not range(n)[rows]:
        raise NoRowsError(name, n)
    row = math.prod(shape[1:]) * kind.itemsize
    size = len(chosen) * row
    memory.require(name, 2 * size + BESIDE * (size // kind.itemsize))
    begin = stream.tell()
    stream.seek(begin + chosen.start * row)
    values = _read(stream, size)
    if len(values) < size:
        which = "" if whole else f"{len(chosen)} rows of "
        raise ValueError(f"{name} must hold {size} bytes for {which}shape {shape} of {kind}, got {len(values)}")
    if whole and stream.read(1):
        raise ValueError(f"{name} must end after {size} bytes for shape {shape}, got more")
    part = np.ndarray((len(chosen), *shape[1:]) if shape else (), kind, values, order="F" if fortran else "C")
    array = part.astype(kind.newbyteorder("="), order="C")
    if whole and rows is not None:
        array = array[rows]
    above_one = kind == np.uint8 and array.size > 0 and bool(array.max() > 1)
    if kind == np.uint8 and not whole and not above_one and array.any():
        stream.seek(begin)
        above_one = any(max(piece) > 1 for piece in iter(lambda: stream.read(PIECE), b""))
    return Part(array, n, above_one)


def _read(stream: IO[bytes], size: int) -> bytearray:
    """As many of the next bytes as there are, up to `size`; memory is taken as they arrive."""
    values = bytearray()
    while len(values) < size and (piece := stream.read(min(PIECE, size - len(values)))):
        values += piece
    return values
