"""Memory that several processes see, and that nobody can leave behind."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import CACHE_LINE

Fields = Mapping[str, tuple[tuple[int, ...], Any]]
"""Shape and dtype of every array, by name."""


def create(fields: Fields) -> int:
    """The descriptor of a new block of zeros that is large enough for arrays of these shapes and types.

    The block has no name in any file system: it lives as long as a process has it open or mapped, so however they end,
    nothing is left behind. Its memory is taken at once.

    Raises
    ------
    MemoryError
        If there is not as much memory.
    """
    size = _places(fields)[1]
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("npvae")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.truncate(descriptor, size)
    except OSError as error:
        os.close(descriptor)
        needed = f"{size / 1e6:,.1f} MB of shared memory"
        raise MemoryError(f"the worker processes need {needed}: {error.strerror}") from None
    return descriptor


def views(descriptor: int, fields: Fields) -> dict[str, NDArray]:
    """The arrays in a block, each on a cache line of its own; the descriptor may be closed while they are in use."""
    places, size = _places(fields)
    block = mmap.mmap(descriptor, size)
    return {name: np.ndarray(shape, dtype, block, places[name]) for name, (shape, dtype) in fields.items()}


def _places(fields: Fields) -> tuple[dict[str, int], int]:
    """Where each array begins, and the size of the block."""
    places, end = {}, 0
    for name, (shape, dtype) in fields.items():
        places[name] = end
        end += -(-prod(shape) * np.dtype(dtype).itemsize // CACHE_LINE) * CACHE_LINE
    return places, max(end, CACHE_LINE)
