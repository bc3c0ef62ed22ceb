"""Data from a path, whatever kind of file it is: IDX, .npy, .npz, .csv, or a folder of pictures."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from npvae import memory
from npvae.datasets.channels import CHANNELS, channels_last
from npvae.datasets.csv_table import read_table
from npvae.datasets.dataset import Dataset
from npvae.datasets.idx import GZIP_MAGIC, MAX_DEFLATE_RATIO, TYPES, read_idx_part
from npvae.datasets.parts import NoRowsError, Part, read_part
from npvae.datasets.pictures import MOST, Size, read_pictures
from npvae.storage import DAMAGED, NPY_MAGIC, ZIP_MAGIC, read_npy_header
from npvae.validation import ArgumentError, data_matrix, existing_file

_KEYED = re.compile(r"(?P<file>.+\.npz):(?P<key>[^/\\]+)", re.IGNORECASE)
_KNOWN = "IDX (plain or gzipped), .npy, .npz, .csv, .tsv or a folder of .png and .jpg pictures"

MAX_RATIO = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MAX_DEFLATE_RATIO}
"""How much each way to store a member shrinks it at the most; of the others nothing is known."""

DECODER = 1 << 20
"""Bytes that a decoder of LZMA takes beside its dictionary."""

TABLES = (".csv", ".tsv", ".tab")
"""Endings of tables in text."""

FRAMES = (".parquet", ".feather", ".arrow", ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".h5", ".pkl", ".sav", ".dta")
"""Endings of tables that other libraries read."""


def load(
    path: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    missing: bool = False,
    size: Size | None = None,
    progress: Callable[[int, int], None] | None = None,
    rows: slice | None = None,
) -> Dataset:
    """Load data, and if asked their labels, from files.

    Parameters
    ----------
    path : str or path
        An IDX file, plain or gzipped, whatever its name; a .npy file; a .npz archive with one array, or
        ``archive.npz:key`` for one of several (``binarized_mnist.npz:train`` is unpacked from bits); a .csv or
        .tsv table, see `npvae.datasets.read_table`, of which no column is taken as labels; or a folder of .png
        and .jpg pictures, or of folders of them, one for each class, see `read_pictures` (needs the extra `plots`).
    labels : str, path or None
        File of any of these kinds but pictures, with one whole number per row of the data.
    missing : bool, default False
        Let NaN, and an empty field of a table, stand for a value that is not known, and let tables have text.
    size, progress
        Those of a folder of pictures, see `read_pictures`.
    rows : slice, optional
        Only these rows. Of IDX, .npy and .npz no others are kept in memory.

    Returns
    -------
    Dataset
        Rows along the first axis; arrays (n, h, w) become rows of h·w features with `image_shape` (h, w), colour images
        (n, h, w, 3) or (n, 3, h, w) rows with `image_shape` (h, w, 3). Unsigned 8-bit integers are divided by 255,
        unless none exceeds 1: then they are bits. All else keeps its values.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ImportError
        If there is nothing at the path, a folder where a file is meant, or a folder of pictures but no Pillow.
    TypeError, ValueError
        If a file is of no known kind, damaged, empty, ragged, not numeric or not finite, or the labels do not fit.
    """
    folder = Path(path)
    if folder.suffix.lower() in TABLES and folder.is_file() and _kind_by_content(folder) is None:
        return _only(_load_table(folder, labels, missing), rows, path)
    classes, n = None, None
    if folder.is_dir():
        array, classes = read_pictures(folder, size, progress)
        grey = True
        if array.dtype == np.uint16:
            array = np.divide(array, MOST, dtype=np.float32)
    else:
        array, n, grey = _read(path, "path", rows)
        array = channels_last(array)
    if array.ndim not in (2, 3, 4) or (array.ndim == 4 and array.shape[3] not in CHANNELS):
        shapes = "rows (n, features) or images (n, h, w), (n, h, w, c) or (n, c, h, w)"
        raise ValueError(f"{path} must hold {shapes}, got shape {array.shape}")
    if array.dtype == np.uint8 and array.size and grey and array.max() > 0:
        array = np.divide(array, 255, dtype=np.float32)
    holes = np.isnan(array) if missing else False
    x = data_matrix(str(path), np.where(holes, 0, array) if missing else array)
    if np.any(holes):
        x[holes.reshape(x.shape)] = np.nan
    image_shape = array.shape[1:] if array.ndim > 2 else None
    if labels is not None:
        classes = _labels(labels, len(x) if n is None else n)
        classes = classes if n is None or rows is None else classes[rows]
    data = Dataset(x, classes, image_shape, name=folder.name)
    return data if n is not None else _only(data, rows, path)


def _only(data: Dataset, rows: slice | None, path: str | os.PathLike[str]) -> Dataset:
    """These rows of a data set that was read whole."""
    if rows is None:
        return data
    if not range(len(data))[rows]:
        raise NoRowsError(os.fspath(path), len(data))
    return data.take(rows)


def _load_table(file: Path, labels: str | os.PathLike[str] | None, missing: bool) -> Dataset:
    table = read_table(file)
    if not missing:
        x = table.matrix(str(file))
        data_matrix(str(file), x)
    data = Dataset.from_table(table, None if labels is None else _labels(labels, len(table)), file.name)
    return data if table.has_names or not table.is_numeric() else replace(data, table=None)


def _read(path: str | os.PathLike[str], argument: str, rows: slice | None = None) -> Part:
    """Read rows of the array of a file by its first bytes, and where these say nothing by its ending."""
    keyed = _KEYED.fullmatch(os.fspath(path))
    file = existing_file(keyed["file"] if keyed else path, argument)
    ending = file.suffix.lower()
    kind = ".npz" if keyed else _kind_by_content(file) or ending
    if kind == ".npz":
        return _read_archive(file, keyed["key"] if keyed else None, rows)
    if kind == ".npy":
        return _read_npy(file, rows)
    if kind == "idx":
        return read_idx_part(file, rows)
    if ending in TABLES:
        table = read_table(file).matrix(str(file))
        return Part(table if rows is None else table[rows], len(table), False)
    advice = "read it with pandas or Polars and pass the frame to fit, or save it as .csv" if ending in FRAMES else ""
    raise ArgumentError(argument, f"name data of a known kind, {_KNOWN}", file, advice)


def _kind_by_content(file: Path) -> str | None:
    """ ".npz", ".npy" or "idx", from the first bytes of a file; None where these say nothing."""
    with file.open("rb") as stream:
        start = stream.read(6)
    if start[:4] == ZIP_MAGIC:
        return ".npz"
    if start == NPY_MAGIC:
        return ".npy"
    is_idx = start[:2] == b"\0\0" and start[2:3] in map(bytes, zip(TYPES, strict=True))
    return "idx" if is_idx or start[:2] == GZIP_MAGIC else None


def _read_archive(file: Path, key: str | None, rows: slice | None) -> Part:
    keys = npz_keys(file)
    if key is None:
        if "header.json" in keys:
            raise ValueError(f"{file} must hold data, got a model or checkpoint")
        if len(keys) != 1:
            several = ", ".join(keys) or "none"
            raise ValueError(f"{file} must hold one array, or be asked for one as {file.name}:KEY; got {several}")
        key = keys[0]
    part = _read_npz(file, key, rows)
    if set(keys) == {"train", "valid", "test"} and part.array.dtype == np.uint8 and part.array.shape[1:] == (98,):
        bits = np.unpackbits(part.array, axis=1).reshape(-1, 28, 28)  # the static binarisation of MNIST
        return Part(bits, part.n, False)
    return part


def _labels(path: str | os.PathLike[str], n: int) -> np.ndarray:
    values = _read(path, "labels").array
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n,):
        raise ValueError(f"labels must have one value for each of the {n} rows, got shape {values.shape} in {path}")
    wrong = ~(np.abs(values.astype(np.float64)) < 2**53) | (values != np.rint(values))
    if wrong.any():
        raise ValueError(f"labels must be finite whole numbers below 2^53, got {values[wrong][0]} in {path}")
    return values.astype(np.int64)


def read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the numeric array of a .npy file; errors as `npvae.storage.read_array`, or if `path` is no file."""
    return _read_npy(existing_file(path), None).array


def _read_npy(file: Path, rows: slice | None) -> Part:
    with file.open("rb") as stream:
        header = read_npy_header(stream, os.fstat(stream.fileno()).st_size, str(file))
        return read_part(stream, header.kind, header.shape, str(file), rows, header.fortran)


def npz_keys(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the arrays in a .npz archive, in its order; errors as `read_npz`."""
    with _opened(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def read_npz(path: str | os.PathLike[str], key: str) -> np.ndarray:
    """Read the numeric array `key` of a .npz archive.

    A ValueError if the file is no .npz archive or a damaged one, has no such array, or `read_array` refuses it.
    """
    return _read_npz(path, key, None).array


def _read_npz(path: str | os.PathLike[str], key: str, rows: slice | None) -> Part:
    keys = npz_keys(path)
    if key not in keys:
        raise ValueError(f"{path} must have an array {key!r}, got {', '.join(keys) or 'none at all'}")
    with _opened(path) as archive:
        info = archive.infolist()[keys.index(key)]
        most = max(info.compress_size, 1) * MAX_RATIO.get(info.compress_type, 1 << 24)
        if info.file_size > most or info.compress_size > os.path.getsize(path):
            raise ValueError(f"{path}:{key} claims {info.file_size} bytes, more than the archive can hold")
        if info.compress_type == zipfile.ZIP_LZMA:
            _require_small_dictionary(archive, info, f"{path}:{key}")
        with archive.open(info) as member:
            header = read_npy_header(member, info.file_size, f"{path}:{key}")
            return read_part(member, header.kind, header.shape, f"{path}:{key}", rows, header.fortran)


def _require_small_dictionary(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
    """Ask for the memory that LZMA says it needs, which it would take before the first byte."""
    archive.fp.seek(info.header_offset + 26)
    lengths = archive.fp.read(4)  # of the name and of what comes before the data
    archive.fp.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
    memory.require(name, DECODER + int.from_bytes(archive.fp.read(9)[5:], "little"))


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    with existing_file(path).open("rb") as stream:
        try:
            yield zipfile.ZipFile(stream)
        except DAMAGED as error:
            raise ValueError(f"{path} is no .npz archive or is damaged: {error}") from None
