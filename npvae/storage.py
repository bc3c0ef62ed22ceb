"""A model as one ``.npz`` file, without pickle.

The file is a zip archive of uncompressed members: ``header.json`` and, for every array, ``<name>.npy``. The header
says what the file must hold:

    {"format": "npvae", "version": 1, "header": {...}, "arrays": {"encoder.0.W": {"shape": [784, 400], "dtype": "<f4"}}}

``numpy.load`` opens it too. `load` believes nothing that the bytes do not bear out: sizes are compared before memory is
taken, checksums are verified, and what comes back is the whole content or an error, never a part.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from npvae.files import replacing

__all__ = ["FORMAT", "VERSION", "StorageError", "load", "save"]

FORMAT = "npvae"
VERSION = 1
"""Newest layout of the file that this module reads, and the one that it writes."""

HEADER = "header.json"
MAX_HEADER_BYTES = 8 << 20
MAX_DEPTH = 32
MAX_AXES = 32
DTYPES = ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
"""What an array may hold, in the spelling of the header: numbers and truth values, little-endian."""

Kind = tuple[tuple[int, ...], np.dtype]
"""Shape and dtype of an array."""

_ZIP_MAGIC = b"PK\x03\x04"
_MAX_NPY_HEADER = 10_000
# What zipfile raises on damaged bytes; OSError and ValueError also come from a seek to an impossible offset.
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError)


class StorageError(ValueError):
    """A file that is damaged, or is none of ours, or was written by a newer version."""


def save(path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a header and named arrays to one file; an older file at `path` stays whole until the new one is.

    Parameters
    ----------
    path : str or path
        Taken as it is; no ending is added.
    header : mapping
        Anything that JSON can hold: None, truth values, integers, finite floats, strings, lists and mappings with
        string keys, at most 32 levels deep. Tuples come back as lists.
    arrays : mapping of str to array
        Real or complex numbers or truth values, of any shape and memory order. Names are printable, without slashes.
        The same names and values in the same order make the same bytes on every machine.

    Raises
    ------
    TypeError
        If a value in `header` has no place in JSON, or an array is none of numbers.
    ValueError
        If a float in `header` is not finite, `header` is too deep or too large, or a name is no name for an array.
    OSError
        If the file cannot be written. What was at `path` is untouched.
    """
    for argument, value in {"header": header, "arrays": arrays}.items():
        if not isinstance(value, Mapping):
            raise TypeError(f"{argument} must be a mapping, got {type(value).__name__}")
    checked = {_name(name): _storable(name, array) for name, array in arrays.items()}
    description = {
        "format": FORMAT,
        "version": VERSION,
        "header": _plain(header, "header", MAX_DEPTH),
        "arrays": {name: {"shape": array.shape, "dtype": _dtype(array)} for name, array in checked.items()},
    }
    text = json.dumps(description, allow_nan=False).encode()
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError(f"header must take at most {MAX_HEADER_BYTES:,} bytes as JSON, got {len(text):,}")
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        with _new_member(archive, HEADER) as member:
            member.write(text)
        for name, array in checked.items():
            with _new_member(archive, f"{name}.npy") as member:
                plain = np.asarray(array, dtype=_dtype(array), order="C")
                np.lib.format.write_array(member, plain, version=(1, 0), allow_pickle=False)


def load(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Read what `save` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    header : dict
        Equal to the one saved, with lists for tuples.
    arrays : dict of str to array
        In the order in which they were saved; writable, C-ordered, in the machine's byte order.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If `path` is no file.
    StorageError
        If the file is damaged, cut short, of a newer version or of another kind. Memory is taken only for what the
        file holds, whatever it claims; nothing in it is run.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder, not a file")
    with open(path, "rb") as file:
        try:
            return _read(file)
        except StorageError as error:
            raise StorageError(f"{path} {error}") from None
        except _DAMAGE as error:
            raise StorageError(f"{path} is damaged or cut short: {' '.join(str(error).split())}") from None


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


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"arrays must have strings for names, got {name!r}")
    if not 0 < len(name) <= 255 or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"arrays must have printable names of 1 to 255 characters without slashes, got {name!r:.60}")
    return name


def _storable(name: str, array: Any) -> NDArray:
    array = np.asarray(array)
    if _dtype(array) not in DTYPES:
        raise TypeError(f"arrays[{name!r}] must hold numbers of at most 64 bits a component, got dtype {array.dtype}")
    if array.ndim > MAX_AXES:
        raise ValueError(f"arrays[{name!r}] must have at most {MAX_AXES} axes, got {array.ndim}")
    return array


def _dtype(array: NDArray) -> str:
    return array.dtype.newbyteorder("<").str


def _new_member(archive: zipfile.ZipFile, name: str) -> Any:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = 0o644 << 16
    return archive.open(info, "w", force_zip64=True)


def _read(file: BinaryIO) -> tuple[dict[str, Any], dict[str, NDArray]]:
    start = file.read(len(_ZIP_MAGIC))
    if start != _ZIP_MAGIC:
        raise StorageError("is no npvae file: it does not begin like a zip archive" if start else "is empty")
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if HEADER not in names:
            raise StorageError(f"is no npvae file: it has no {HEADER}")
        _check_members(members, os.fstat(file.fileno()).st_size)
        header, kinds = _read_header(archive)
        expected = {HEADER, *(f"{name}.npy" for name in kinds)}
        if missing := sorted(expected.difference(names)):
            raise StorageError(f"is damaged: it lacks {missing[0]!r}, which its header lists")
        if extra := sorted(set(names) - expected):
            raise StorageError(f"is damaged: it holds {extra[0]!r}, which its header does not list")
        for name, kind in kinds.items():  # all of them, before the first array takes memory
            _check_size(name, *kind, archive.getinfo(f"{name}.npy").file_size)
        return header, {name: _read_array(archive, name, *kind) for name, kind in kinds.items()}


def _check_members(members: list[zipfile.ZipInfo], held: int) -> None:
    if twice := next((a for a, b in pairwise(sorted(member.filename for member in members)) if a == b), None):
        raise StorageError(f"is damaged: it holds {twice!r} twice")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise StorageError(f"is no npvae file: its member {member.filename!r} is compressed")
    if sum(member.file_size for member in members) > held:
        raise StorageError(f"is damaged: its members claim more than the {held:,} bytes of the file")


def _read_header(archive: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, Kind]]:
    size = archive.getinfo(HEADER).file_size
    if size > MAX_HEADER_BYTES:
        raise StorageError(f"is damaged: its header takes {size:,} bytes, more than {MAX_HEADER_BYTES:,}")
    text = archive.read(HEADER)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"is no npvae file: its {HEADER} is not JSON ({error})") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise StorageError(f"is no npvae file: its {HEADER} does not say so")
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise StorageError(f"is damaged: its version must be a positive integer, got {version!r:.60}")
    if version > VERSION:
        raise StorageError(f"was written by a newer npvae: it has format {version}, this one reads up to {VERSION}")
    header, arrays = found.get("header"), found.get("arrays")
    if not isinstance(header, dict) or not isinstance(arrays, dict):
        raise StorageError("is damaged: its header must have the entries 'header' and 'arrays'")
    return header, {name: _described(name, description) for name, description in arrays.items()}


def _described(name: str, description: Any) -> Kind:
    description = description if isinstance(description, dict) else {}
    shape, dtype = description.get("shape"), description.get("dtype")
    lengths = shape if isinstance(shape, list) and len(shape) <= MAX_AXES else [None]
    if not all(type(length) is int and 0 <= length < 1 << 62 for length in lengths):
        limits = f"a list of at most {MAX_AXES} lengths"
        raise StorageError(f"is damaged: the shape of {name!r} must be {limits}, got {shape!r:.60}")
    if dtype not in DTYPES:
        raise StorageError(f"is damaged: the dtype of {name!r} must be one of {', '.join(DTYPES)}, got {dtype!r:.60}")
    return tuple(shape), np.dtype(dtype)


def _check_size(name: str, shape: tuple[int, ...], dtype: np.dtype, held: int) -> None:
    needed = math.prod(shape) * dtype.itemsize
    if not needed < held <= needed + _MAX_NPY_HEADER:
        expected = f"{needed:,} bytes for shape {shape} and dtype {dtype}"
        raise StorageError(f"is damaged: {name!r} must hold {expected}, got {held:,}")


def _read_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
    content = archive.read(f"{name}.npy")
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("not version 1.0 of the format")
        held_shape, fortran, held_dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # NumPy's parser lets all that tokenize and ast raise through
        reason = " ".join(str(error).split())
        raise StorageError(f"is damaged: {name!r} has no readable .npy header ({reason:.80})") from None
    if held_shape != shape:
        raise StorageError(f"is damaged: {name!r} must have shape {shape}, got {held_shape}")
    if held_dtype != dtype or fortran:
        got = f"{held_dtype} in {'Fortran' if fortran else 'C'} order"
        raise StorageError(f"is damaged: {name!r} must have dtype {dtype} in C order, got {got}")
    if len(content) - stream.tell() != math.prod(shape) * dtype.itemsize:
        raise StorageError(f"is damaged: {name!r} does not end with its last value")
    return np.ndarray(shape, dtype, content, stream.tell()).astype(dtype.newbyteorder("="))
