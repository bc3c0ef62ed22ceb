"""A model as one ``.npz`` file, without pickle, and the reading of arrays from files that nobody vouches for.

The file is a zip archive of uncompressed members: ``header.json`` and, for every array, ``<name>.npy``. The header
says what the file must hold:

    {"format": "npvae", "version": 1, "header": {...}, "arrays": {"encoder.0.W": {"shape": [784, 400], "dtype": "<f4"}}}

`load` believes nothing that the bytes do not bear out: sizes are compared before memory is taken, checksums are
verified, and what comes back is the whole content or an error, never a part.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae import memory
from npvae.files import replacing
from npvae.validation import existing_file

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it
    LZMAError = EOFError

__all__ = ["FORMAT", "VERSION", "StorageError", "load", "read_array", "read_npy_header", "save"]

FORMAT = "npvae"
VERSION = 1
"""Newest layout of the file that this module reads, and the one that it writes."""

HEADER = "header.json"
MAX_HEADER_BYTES = 8 << 20
MAX_DEPTH = 32
MAX_AXES = 32
MAX_NPY_HEADER = 10_000
REAL = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
"""Spelling of the dtypes of numbers and truth values in .npy files."""

NUMERIC = re.compile(REAL.pattern + "|[<>|=]?c(8|16)")
NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
    struct.error,
)
"""What zipfile raises on damaged bytes; OSError comes from bzip2, and from a seek to an impossible offset."""

BORNE_OUT = 20_000, 2
"""Entries of a header: so many in any file, and so many more for each byte of its arrays."""


class StorageError(ValueError):
    """A file that is damaged, or is none of ours, or was written by a newer version."""


def save(path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a header and named arrays to one file; an older file at `path` stays whole until the new one is.

    Parameters
    ----------
    path : str or path
        Taken as it is; no ending is added.
    header : mapping
        Anything that JSON can hold, with finite floats and string keys, at most 32 levels deep. Tuples come back as
        lists.
    arrays : mapping of str to array
        Numbers or truth values, of any shape and memory order. Names are printable, without slashes. The same names
        and values in the same order make the same bytes on every machine.

    Raises
    ------
    TypeError, ValueError
        If a part of `header` has no place in JSON, `header` is too deep or too large, an array is none of numbers, or
        a name is no name for an array.
    OSError
        If the file cannot be written. What was at `path` is untouched.
    """
    for argument, value in {"header": header, "arrays": arrays}.items():
        if not isinstance(value, Mapping):
            raise TypeError(f"{argument} must be a mapping, got {type(value).__name__}")
    checked = {name: _storable(name, array) for name, array in arrays.items()}
    description = {
        "format": FORMAT,
        "version": VERSION,
        "header": _plain(header, "header", MAX_DEPTH),
        "arrays": {name: _described(array) for name, array in checked.items()},
    }
    text = json.dumps(description).encode()
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError(f"header must take at most {MAX_HEADER_BYTES:,} bytes as JSON, got {len(text):,}")
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        with _new_member(archive, HEADER) as member:
            member.write(text)
        for name, array in checked.items():
            with _new_member(archive, f"{name}.npy") as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def load(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Read what `save` wrote: the header, with lists for tuples, and the arrays in their order.

    These are writable, C-ordered, in the machine's byte order.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    StorageError
        If the file is damaged, cut short, of a newer version or of another kind. Memory is taken only for what the
        file holds, whatever it claims; nothing in it is run.
    """
    with existing_file(path).open("rb") as file:
        try:
            return _read(file)
        except StorageError as error:
            raise StorageError(f"{path} {error}") from None
        except (*DAMAGED, ValueError) as error:
            raise StorageError(f"{path} is damaged: {' '.join(str(error).split())}") from None


class NpyHeader(NamedTuple):
    """What an array in .npy format says of itself, and is borne out by the size of its file."""

    shape: tuple[int, ...]
    kind: np.dtype
    fortran: bool

    @property
    def n_bytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.kind.itemsize


def read_array(stream: IO[bytes], size: int, name: str, kinds: re.Pattern[str] = REAL) -> NDArray:
    """Read the array in .npy format that fills the `size` bytes of `stream`; C-ordered, in the machine's byte order.

    A ValueError, which calls it `name`, if the bytes are no such array, its dtype is not one of `kinds`, its header
    claims more or less data than there are, or they are more than fit into memory; it is said before any is taken.
    """
    header = read_npy_header(stream, size, name, kinds)
    memory.require(name, 2 * header.n_bytes)
    values = stream.read(header.n_bytes + 1)
    if len(values) != header.n_bytes:
        raise ValueError(f"{name} must hold {header.n_bytes} bytes for shape {header.shape}, got {len(values)}")
    order = "F" if header.fortran else "C"
    return np.ndarray(header.shape, header.kind, values, order=order).astype(header.kind.newbyteorder("="), order="C")


def read_npy_header(stream: IO[bytes], size: int, name: str, kinds: re.Pattern[str] = REAL) -> NpyHeader:
    """Read what stands before the values of an array in .npy format, see `read_array`; the values come next."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != NPY_MAGIC or start[6] not in (1, 2, 3):
        got = start.hex(" ") or "nothing"
        raise ValueError(f"{name} must begin with the magic bytes of the .npy format, got {got}")
    counted = stream.read(2 if start[6] == 1 else 4)
    length = int.from_bytes(counted, "little")
    if not 0 < length <= MAX_NPY_HEADER:
        raise ValueError(f"{name} must have a header of 1 to {MAX_NPY_HEADER} bytes, got {length}")
    try:
        header = ast.literal_eval(stream.read(length).decode("utf-8" if start[6] == 3 else "latin1"))
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
        if type(fortran) is not bool or not _is_shape(shape):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(f"{name} has an unreadable .npy header") from None
    if not isinstance(descr, str) or not kinds.fullmatch(descr):
        raise ValueError(f"{name} must be an array of numbers or booleans, got type {descr!r:.60}")
    header = NpyHeader(shape, np.dtype(descr), fortran)
    if header.n_bytes != (held := size - 8 - len(counted) - length):
        raise ValueError(f"{name} must hold {header.n_bytes} bytes for shape {shape} of {header.kind}, got {held}")
    return header


def _is_shape(shape: object) -> bool:
    """Return whether NumPy could make an array of that shape, were there memory for it."""
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        return False
    return len(shape) <= MAX_AXES and math.prod(max(n, 1) for n in shape) * 16 <= sys.maxsize


def _plain(value: Any, where: str, depth: int) -> Any:
    """`value` in the types that JSON knows; an error that says where it has none."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} must be finite, got {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if not isinstance(value, list | tuple | Mapping):
        raise TypeError(f"{where} must be something that JSON can hold, got {type(value).__name__} {value!r:.60}")
    if depth == 0:
        raise ValueError(f"{where.split('[')[0]} must be at most {MAX_DEPTH} levels deep")
    if not isinstance(value, Mapping):
        return [_plain(entry, f"{where}[{i}]", depth - 1) for i, entry in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{where} must have strings for keys, got {key!r}")
    return {key: _plain(entry, f"{where}[{key!r}]", depth - 1) for key, entry in value.items()}


def _storable(name: Any, array: Any) -> NDArray:
    """`array` as it is written: C-ordered, little-endian."""
    if not isinstance(name, str):
        raise TypeError(f"arrays must have strings for names, got {name!r}")
    if not 0 < len(name) <= 255 or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"arrays must have printable names of 1 to 255 characters without slashes, got {name!r:.60}")
    array = np.asarray(array)
    if not NUMERIC.fullmatch(array.dtype.str):
        raise TypeError(f"arrays[{name!r}] must hold numbers of at most 64 bits a component, got dtype {array.dtype}")
    if array.ndim > MAX_AXES:
        raise ValueError(f"arrays[{name!r}] must have at most {MAX_AXES} axes, got {array.ndim}")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _described(array: NDArray) -> dict[str, Any]:
    return {"shape": list(array.shape), "dtype": array.dtype.newbyteorder("<").str}


def _new_member(archive: zipfile.ZipFile, name: str) -> Any:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = 0o644 << 16
    return archive.open(info, "w", force_zip64=True)


def _read(file: IO[bytes]) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Read the whole content; a ValueError says what is damaged."""
    start = file.read(4)
    if start != ZIP_MAGIC:
        raise StorageError("is no npvae file: it does not begin like a zip archive" if start else "is empty")
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = Counter(member.filename for member in members)
        if HEADER not in names:
            raise StorageError(f"is no npvae file: it has no {HEADER}")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise StorageError(f"is no npvae file: its member {member.filename!r} is compressed")
        held = os.fstat(file.fileno()).st_size
        if sum(member.file_size for member in members) > held:
            raise ValueError(f"its members claim more than the {held:,} bytes of the file")
        header, listed = _read_header(archive)
        expected = Counter([HEADER, *(f"{name}.npy" for name in listed)])
        for name in sorted({*((expected - names) + (names - expected))}):
            raise ValueError(f"it must hold {name!r} {expected[name]} times, as its header lists it, got {names[name]}")
        return header, {name: _read_member(archive, name, description) for name, description in listed.items()}


def _read_header(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, Any]]:
    size = archive.getinfo(HEADER).file_size
    if size > MAX_HEADER_BYTES:
        raise ValueError(f"its header takes {size:,} bytes, more than {MAX_HEADER_BYTES:,}")
    text = archive.read(HEADER)
    old = b'"history"' in text  # the first files have numbers without end in their headers
    parts = text.count(b"[") + text.count(b"{") + text.count(b'"') // 2 + (0 if old else text.count(b","))
    most = BORNE_OUT[0] + BORNE_OUT[1] * (sum(member.file_size for member in archive.infolist()) - size)
    if parts > most:
        claims = f"has {parts:,} parts, more than the {most:,} that its arrays bear out"
        raise StorageError(f"is no npvae file: its {HEADER} {claims}")
    try:
        found = json.loads(text, parse_constant=_no_number)
        _require_shallow(found)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"is no npvae file: its {HEADER} is not JSON ({error})") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise StorageError(f"is no npvae file: its {HEADER} does not say so")
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f"its version must be a positive integer, got {version!r:.60}")
    if version > VERSION:
        raise StorageError(f"was written by a newer npvae: it has format {version}, this one reads up to {VERSION}")
    header, arrays = found.get("header"), found.get("arrays")
    if not isinstance(header, dict) or not isinstance(arrays, dict):
        raise ValueError("its header must have the entries 'header' and 'arrays'")
    return header, arrays


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _require_shallow(found: Any) -> None:
    """A ValueError where `save` would refuse the header for its depth."""
    level = [found] if isinstance(found, dict | list) else []
    for _ in range(MAX_DEPTH + 2):
        if not level:
            return
        nested = (entry.values() if isinstance(entry, dict) else entry for entry in level)
        level = [entry for entries in nested for entry in entries if isinstance(entry, dict | list)]
    raise ValueError(f"it is more than {MAX_DEPTH} levels deep")


def _read_member(archive: zipfile.ZipFile, name: str, description: Any) -> NDArray:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        array = read_array(member, info.file_size, repr(name), NUMERIC)
    # As text, where 1, 1.0 and true are not the same.
    listed, found = (json.dumps(entry, sort_keys=True) for entry in (description, _described(array)))
    if listed != found:
        raise ValueError(f"{name!r} must be {listed:.120}, as the header lists it, got {found}")
    return array
