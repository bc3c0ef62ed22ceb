"""Rows of files, read without the others."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from npvae.datasets import load
from npvae.datasets.parts import NoRowsError


def write(path, array):
    """An array as the kind of file that the name says."""
    kinds = {"uint8": 8, "float32": 13, "int16": 11}
    idx = struct.pack(f">BBBB{array.ndim}I", 0, 0, kinds[array.dtype.name], array.ndim, *array.shape)
    idx += array.astype(array.dtype.newbyteorder(">")).tobytes()
    if path.suffix == ".npy":
        np.save(path, np.asfortranarray(array) if "fortran" in path.name else array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, x=array)
    elif path.suffix == ".csv":
        np.savetxt(path, array.reshape(len(array), -1), delimiter=",", fmt="%.9g")
    else:
        path.write_bytes(gzip.compress(idx) if path.suffix == ".gz" else idx)
    return path


NAMES = ["a.npy", "fortran.npy", "a.npz", "a.idx", "a.idx.gz", "a.csv"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16"])
@pytest.mark.parametrize("rows", [slice(0, 3), slice(7, None), slice(-2, None), slice(2, 9, 3), slice(4, 5)])
def test_rows_are_those_of_the_whole(tmp_path, name, dtype, rows):
    array = np.random.default_rng(0).integers(0, 5, (11, 4, 3)).astype(dtype)
    labels = write(tmp_path / "labels.npy", np.arange(11, dtype=np.int16))
    path = write(tmp_path / name, array)
    whole, part = load(path, labels), load(path, labels, rows=rows)
    np.testing.assert_array_equal(part.x, whole.x[rows])
    np.testing.assert_array_equal(part.labels, whole.labels[rows])
    assert part.image_shape == whole.image_shape


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.idx", "a.idx.gz"])
@pytest.mark.parametrize("last", [1, 200])
def test_dark_rows_of_grey_images_are_grey_and_bits_are_bits(tmp_path, name, last):
    array = np.zeros((9, 4, 3), np.uint8)
    array[4, 0, 0], array[0 if name == "a.npy" else 8, 1, 1] = 1, last
    path = write(tmp_path / name, array)
    np.testing.assert_array_equal(load(path, rows=slice(4, 5)).x, load(path).x[4:5])


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_are_not_there(tmp_path, name):
    path = write(tmp_path / name, np.ones((5, 4), np.float32))
    with pytest.raises(NoRowsError, match=rf"rows selects nothing: .*{name}(:x)? has 5 rows"):
        load(path, rows=slice(5, 9))


@pytest.mark.parametrize("name", ["a.npy", "a.idx", "a.idx.gz"])
def test_only_these_rows_are_kept_in_memory(tmp_path, name):
    path = write(tmp_path / name, np.zeros((20_000, 800), np.uint8))
    load(path, rows=slice(0, 1))
    tracemalloc.start()
    try:
        load(path, rows=slice(15_000, 15_010))
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
