"""Weights on their way into a page: rounded, and packed as text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Parameters
from npvae.validation import ArgumentError, one_of

__all__ = ["PRECISIONS", "Shipped", "ship"]


class Shipped(NamedTuple):
    """Parameters as a page has them."""

    theta: Parameters
    """What the page computes with, in float64: the parameters after rounding."""
    manifest: dict[str, dict]
    """The shape of every array, where its numbers begin in the blob, and how they are packed."""
    blob: str
    """All numbers, little-endian, in base64."""


def _float32(array: NDArray) -> tuple[bytes, NDArray]:
    packed = array.astype("<f4")
    return packed.tobytes(), packed.astype(np.float64)


def _float16(array: NDArray) -> tuple[bytes, NDArray]:
    with np.errstate(over="ignore"):
        packed = array.astype("<f2")
    return packed.tobytes(), packed.astype(np.float64)


def _int8(array: NDArray) -> tuple[bytes, NDArray]:
    """Whole numbers from −127 to 127 times a scale for each column, the scales in front."""
    columns = array.reshape(-1, array.shape[-1]).astype(np.float64)
    scale = (np.abs(columns).max(axis=0) / 127).astype("<f4")
    packed = np.rint(columns / np.where(scale > 0, scale, 1)).astype("<i1")
    return scale.tobytes() + packed.tobytes(), (packed * scale.astype(np.float64)).reshape(array.shape)


PRECISIONS: Mapping[str, Callable[[NDArray], tuple[bytes, NDArray]]] = {
    "float32": _float32,
    "float16": _float16,
    "int8": _int8,
}
"""How matrices can be packed, by name, the largest first. Biases are always float32."""


def ship(theta: Parameters, precision: str = "float16") -> Shipped:
    """Round and pack all parameters: matrices as `precision` says, vectors as float32.

    Raises
    ------
    ValueError
        For an unknown precision, or if a weight is too large for it.
    """
    pack, blob, manifest, rounded = one_of("precision", precision, PRECISIONS), bytearray(), {}, {}
    for name, array in theta.items():
        kind = precision if array.ndim > 1 else "float32"
        data, rounded[name] = (pack if array.ndim > 1 else _float32)(np.ascontiguousarray(array))
        if not np.isfinite(rounded[name]).all():
            raise ArgumentError("precision", "hold all weights", f"{np.abs(array).max():g} in {name} for {precision}")
        blob += bytes(-len(blob) % 4)
        manifest[name] = {"shape": list(array.shape), "at": len(blob), "packed": kind}
        blob += data
    return Shipped(Parameters.from_arrays(rounded, np.float64), manifest, b64encode(bytes(blob)).decode())
