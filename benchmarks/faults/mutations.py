"""Ways to damage bytes, and to forge a file whose checksums are right."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

SENSELESS = (None, [], {}, "", "x", -1, 0, 1e308, 0.5, float("nan"), float("inf"), True, [1, 2], {"a": 1}, "\x1b[2J",
             10**30, [[]] * 3, ["a"] * 3, "VAE", [1] * 100_000)  # fmt: skip
"""What a forger may write in the place of an entry."""


def damaged(whole: bytes, draw: Random) -> bytes:
    """Bytes with bits flipped, a piece cut off, left out, doubled, moved, or overwritten."""
    content, n = bytearray(whole), len(whole)
    how = draw.choice(["bits", "bits", "bits", "cut", "gap", "double", "swap", "zeros", "noise", "more", "ends"])
    a, b = sorted(draw.randrange(n + 1) for _ in range(2))
    b = min(b, a + draw.choice([1, 4, 64, n]))
    if how == "bits":
        for _ in range(draw.choice([1, 1, 2, 8, 32])):
            content[draw.randrange(n)] ^= 1 << draw.randrange(8)
    elif how == "ends":  # where zip and .npy say what comes
        place = draw.randrange(min(n, 128))
        content[place if draw.random() < 0.5 else n - 1 - place] = draw.randrange(256)
    elif how == "cut":
        del content[a:]
    elif how == "gap":
        del content[a:b]
    elif how == "double":
        content[a:a] = content[a:b]
    elif how == "swap":
        content[a:b] = content[a:b][::-1]
    elif how == "more":
        content += draw.randbytes(draw.choice([1, 22, 1000]))
    else:
        content[a:b] = bytes(b - a) if how == "zeros" else draw.randbytes(b - a)
    return bytes(content)


def forged(path: Path, header: dict[str, Any], arrays: dict[str, NDArray], draw: Random) -> None:
    """Write a file of npvae's format whose checksums are right and whose content is not."""
    arrays, how = dict(arrays), draw.choice(["entry", "entry", "entry", "without", "array", "array", "nested"])
    places = [place for place in _places(header) if place]
    place = draw.choice(places)
    if how == "entry":
        header = _changed(header, place, draw.choice(SENSELESS))
    elif how == "without":
        header = _changed(header, place, None, remove=True)
    elif how == "nested":
        deep: Any = 0
        for _ in range(draw.choice([3, 40, 900])):
            deep = [deep] if draw.random() < 0.5 else {"a": deep}
        header = _changed(header, place, deep)
    else:
        _change_array(arrays, draw)
    described = {n: {"shape": list(a.shape), "dtype": a.dtype.str} for n, a in arrays.items()}
    text = json.dumps({"format": "npvae", "version": 1, "header": header, "arrays": described})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("header.json", text)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def _change_array(arrays: dict[str, NDArray], draw: Random) -> None:
    name = draw.choice(sorted(arrays))
    array = arrays[name]
    how = draw.choice(["nan", "inf", "huge", "negative", "dtype", "shape", "empty", "gone", "more", "complex"])
    if how == "gone":
        del arrays[name]
    elif how == "more":
        arrays[name + "x"] = array
    elif how == "dtype":
        arrays[name] = array.astype(draw.choice(["f2", "f4", "f8", "i1", "?", "u8"]))
    elif how == "complex":
        arrays[name] = array + 1j
    elif how == "shape":
        arrays[name] = array.reshape(-1) if array.ndim > 1 else array.reshape(1, -1)
    elif how == "empty":
        arrays[name] = array[:0] if array.ndim else array.reshape(1)[:0]
    else:
        changed = array.astype(np.float64 if array.dtype.kind in "iub" else array.dtype)
        value = {"nan": np.nan, "inf": np.inf, "huge": 1e30, "negative": -1}[how]
        changed.reshape(-1)[: max(changed.size // 2, 1)] = value
        arrays[name] = changed.astype(array.dtype) if how == "negative" and array.dtype.kind != "u" else changed


def _places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of all entries of a header."""
    found = [path]
    if isinstance(value, dict | list):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            found += _places(entry, (*path, key))
    return found


def _changed(value: Any, path: tuple, entry: Any, remove: bool = False) -> Any:
    """A copy of a header with another entry at a path, or without it."""
    if not path:
        return entry
    copy = dict(value) if isinstance(value, dict) else list(value)
    if remove and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _changed(value[path[0]], path[1:], entry, remove)
    return copy
