"""A block of memory that several processes see."""

import errno
import os

import numpy as np
import pytest

from npvae.training import shared_memory

FIELDS = {"a": ((3,), "f4"), "b": ((2, 5), "f8"), "c": ((), "i8"), "none": ((0, 4), "f4")}


@pytest.fixture
def block():
    descriptor = shared_memory.create(FIELDS)
    yield descriptor
    os.close(descriptor)


def test_arrays_have_their_shapes_and_begin_as_zeros_on_cache_lines(block):
    arrays = shared_memory.views(block, FIELDS)
    assert {name: (array.shape, array.dtype.str[1:]) for name, array in arrays.items()} == FIELDS
    assert not any(array.any() for array in arrays.values())
    assert all(array.ctypes.data % 64 == 0 for array in arrays.values())


def test_two_views_see_each_other_and_no_array_another(block):
    one, other = shared_memory.views(block, FIELDS), shared_memory.views(block, FIELDS)
    for value, name in enumerate(("a", "b", "c"), 1):
        one[name][...] = value
    assert [np.unique(other[name]).tolist() for name in ("a", "b", "c")] == [[1], [2], [3]]


def test_the_memory_outlives_its_descriptor():
    descriptor = shared_memory.create(FIELDS)
    arrays = shared_memory.views(descriptor, FIELDS)
    os.close(descriptor)
    arrays["a"][:] = 5
    assert arrays["a"].sum() == 15


def test_where_there_is_no_such_call_an_unlinked_file_serves(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptor = shared_memory.create(FIELDS)
    shared_memory.views(descriptor, FIELDS)["a"][:] = 1
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


def test_memory_that_is_not_there_is_said_before_it_is_used(monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(MemoryError, match=r"need 40\.0 MB of shared memory: No space left on device"):
        shared_memory.create({"x": ((10_000_000,), "f4")})
    assert len(os.listdir("/proc/self/fd")) == before
