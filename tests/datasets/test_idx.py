import gzip
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae.datasets import read_idx

KINDS = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}
NATIVE = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


def idx_bytes(array: np.ndarray, kind: int) -> bytes:
    """Write an IDX file with `struct` alone."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return header + struct.pack(f">{array.size}{KINDS[kind]}", *array.ravel().tolist())


@st.composite
def arrays(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    return kind, draw(hnp.arrays(NATIVE[kind], shape))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "data"


def test_hand_written_bytes(file):
    file.write_bytes(bytes.fromhex("00000802 00000002 00000003 010203 fdfeff"))
    np.testing.assert_array_equal(read_idx(file), [[1, 2, 3], [253, 254, 255]])


def test_hand_written_big_endian_floats(file):
    file.write_bytes(bytes.fromhex("00000d01 00000002 3f800000 c0200000"))
    values = read_idx(file)
    np.testing.assert_array_equal(values, [1.0, -2.5])
    assert values.dtype == np.float32
    assert values.dtype.isnative


@given(arrays(), st.booleans())
def test_round_trip(file, kind_and_array, zipped):
    kind, array = kind_and_array
    content = idx_bytes(array, kind)
    file.write_bytes(gzip.compress(content) if zipped else content)
    values = read_idx(file)
    assert values.dtype == np.dtype(NATIVE[kind])
    np.testing.assert_array_equal(values, array)


def test_values_may_be_changed(file):
    file.write_bytes(idx_bytes(np.zeros(3, int), 0x08))
    values = read_idx(file)
    values[0] = 1
    assert values[0] == 1


@given(arrays(), st.booleans(), st.data())
def test_any_truncation_is_a_value_error(file, kind_and_array, zipped, data):
    kind, array = kind_and_array
    content = idx_bytes(array, kind)
    content = gzip.compress(content, mtime=0) if zipped else content
    file.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=str(file)):
        read_idx(file)


@given(arrays(), st.binary(min_size=1), st.booleans())
def test_anything_after_the_values_is_refused(file, kind_and_array, more, zipped):
    kind, array = kind_and_array
    content = idx_bytes(array, kind) + more
    file.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(ValueError, match=r"must end after \d+ bytes for shape .*, got more"):
        read_idx(file)


@given(st.binary(max_size=60))
def test_noise_never_raises_anything_but_a_value_error(file, content):
    for prefix in (b"", b"\x1f\x8b\x08", b"\0\0\x08", b"\0\0\x0d\x01"):
        file.write_bytes(prefix + content)
        try:
            read_idx(file)
        except ValueError as error:
            assert str(file) in str(error)  # noqa: PT017


@given(st.integers(0, 255), st.data())
def test_a_flipped_byte_in_a_gzip_file_is_refused_or_harmless(file, value, data):
    array = np.arange(40).reshape(2, 20)
    content = bytearray(gzip.compress(idx_bytes(array, 0x08), mtime=0))
    content[data.draw(st.integers(2, len(content) - 1))] = value
    file.write_bytes(content)
    try:
        values = read_idx(file)
    except ValueError:
        return
    np.testing.assert_array_equal(values, array)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "shape", [(1 << 30,), (60000, 5000, 28), (1 << 31, 1 << 31), (1 << 20, 1 << 20, 1 << 20, 1 << 20)]
)
def test_a_hostile_header_allocates_nothing(file, shape, zipped):
    content = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(1000)
    file.write_bytes(gzip.compress(content) if zipped else content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="must h"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_hostile_header_that_gzip_could_hold_takes_only_what_is_there(file):
    content = struct.pack(">BBBBI", 0, 0, 8, 1, 4_000_000) + np.random.default_rng(0).bytes(10_000)
    file.write_bytes(gzip.compress(content))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"must hold 4000000 bytes for shape .*, got 10000"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must begin with an IDX magic number such as 00 00 08 03, got nothing"),
        ("89504e47", "got 89 50 4e 47"),
        ("00000a01", "got 00 00 0a 01"),
        ("00000821", "must have at most 32 axes, got 33"),
        ("00000802 00000001", "must have 8 bytes of axis lengths, got 4"),
        ("00000801 00000003 0102", r"must hold 3 bytes for shape \(3,\), got at most 2"),
        ("00000e04 00000000 ffffffff ffffffff ffffffff", "must have a shape that fits into memory"),
    ],
)
def test_messages_say_what_was_expected_and_what_came(file, content, message):
    file.write_bytes(bytes.fromhex(content))
    with pytest.raises(ValueError, match=message):
        read_idx(file)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must name an existing file"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError, match="path must name a file"):
        read_idx(tmp_path)


def test_reads_mnist(data_dir):
    images = read_idx(data_dir / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(data_dir / "t10k-labels-idx1-ubyte.gz")
    assert images.shape == (10000, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert math.isclose(images.mean(), 33.79, abs_tol=0.01)
