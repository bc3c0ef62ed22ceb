import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae.datasets.files import npz_keys, read_npy, read_npz

NUMERIC = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(sizes=(16, 32, 64)),
)
ARRAYS = hnp.arrays(NUMERIC, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays") / "data"


def npy_bytes(array, **options) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def npz_bytes(compressed=True, **arrays) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def forged(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin1") + content


@given(ARRAYS, st.booleans(), st.sampled_from([(1, 0), (2, 0), (3, 0)]))
def test_npy_round_trip(file, array, fortran, version):
    file.write_bytes(npy_bytes(np.asfortranarray(array) if fortran else array, version=version))
    values = read_npy(file)
    assert values.dtype == array.dtype.newbyteorder("=")
    assert values.flags.writeable
    np.testing.assert_array_equal(values, array)


@given(ARRAYS, ARRAYS, st.booleans())
def test_npz_round_trip(file, a, b, compressed):
    file.write_bytes(npz_bytes(compressed, a=a, b=b))
    assert npz_keys(file) == ["a", "b"]
    np.testing.assert_array_equal(read_npz(file, "a"), a)
    np.testing.assert_array_equal(read_npz(file, "b"), b)


@given(ARRAYS, st.data())
def test_truncated_or_prolonged_npy_is_a_value_error(file, array, data):
    content = npy_bytes(array)
    file.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=str(file)):
        read_npy(file)
    file.write_bytes(content + b"\0")
    with pytest.raises(ValueError, match="must hold"):
        read_npy(file)


@given(st.booleans(), st.data())
def test_truncated_npz_is_a_value_error(file, compressed, data):
    content = npz_bytes(compressed, a=np.arange(30.0))
    file.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=str(file)):
        read_npz(file, "a")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("value", [0, 1, 80, 255])
def test_a_changed_byte_in_npz_is_refused_or_harmless(file, compressed, value):
    array = np.arange(30.0)
    content = npz_bytes(compressed, a=array)
    for place in range(len(content)):
        file.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        try:
            values = read_npz(file, "a")
        except ValueError as error:
            assert str(file) in str(error)  # noqa: PT017
        else:
            np.testing.assert_array_equal(values, array)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_noise_in_the_header_is_a_value_error(file, noise):
    for header in (noise, "{'descr': '<f8', 'fortran_order': False, 'shape': (" + noise + "), }", "(" * 300 + noise):
        file.write_bytes(forged(header))
        with pytest.raises(ValueError, match=str(file)):
            read_npy(file)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.array([1, "a"], object), "O"),
        (np.array(["a"]), "<U1"),
        (np.array([1j]), "<c16"),
        (np.zeros(2, "datetime64[s]"), "M8"),
        (np.zeros(2, [("a", "f4")]), "a"),
    ],
)
def test_what_is_no_number_is_refused_and_never_unpickled(file, array, kind):
    file.write_bytes(npy_bytes(array))
    with pytest.raises(ValueError, match=f"must be an array of numbers or booleans, got type .*{kind}"):
        read_npy(file)


@pytest.mark.parametrize(
    "shape", ["(1 << 40,)", "(1099511627776,)", f"({10**30}, 0)", "(-1,)", "(2.0,)", "3", "(True,)", str((1,) * 40)]
)
def test_a_hostile_header_allocates_nothing(file, shape):
    content = forged(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}", bytes(800))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    tracemalloc.start()
    try:
        file.write_bytes(content)
        with pytest.raises(ValueError, match=str(file)):
            read_npy(file)
        file.write_bytes(zipped.getvalue())
        with pytest.raises(ValueError, match=str(file)):
            read_npz(file, "a")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_an_archive_that_claims_more_than_it_can_hold_is_refused(file):
    honest = npz_bytes(a=np.zeros(10))
    directory = honest.rindex(b"PK\x01\x02")
    lying = bytearray(honest)
    struct.pack_into("<I", lying, directory + 24, 4_000_000_000)
    file.write_bytes(lying)
    with pytest.raises(ValueError, match="claims 4000000000 bytes, more than the archive can hold"):
        read_npz(file, "a")


def test_an_archive_that_unpacks_to_less_than_it_claims_is_refused(file):
    content = forged("{'descr': '<f8', 'fortran_order': False, 'shape': (100,), }", bytes(400))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    lying = bytearray(packed.getvalue())
    struct.pack_into("<I", lying, lying.rindex(b"PK\x01\x02") + 24, len(content) + 400)
    file.write_bytes(lying)
    with pytest.raises(ValueError, match=r"must hold 800 bytes for shape \(100,\) of float64, got 400"):
        read_npz(file, "a")


def test_an_odd_order_is_refused(file):
    file.write_bytes(forged("{'descr': '<f8', 'fortran_order': 'x', 'shape': (1,), }", bytes(8)))
    with pytest.raises(ValueError, match=r"has an unreadable \.npy header"):
        read_npy(file)


def test_an_encrypted_or_oddly_compressed_archive_is_a_value_error(file):
    honest = npz_bytes(a=np.zeros(10))
    directory = honest.rindex(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 97)):
        changed = bytearray(honest)
        changed[directory + offset] = changed[offset - 2] = value
        file.write_bytes(changed)
        with pytest.raises(ValueError, match=r"is damaged: "):
            read_npz(file, "a")


def test_unknown_key_lists_the_known_ones(file):
    file.write_bytes(npz_bytes(first=np.zeros(1), second=np.zeros(1)))
    with pytest.raises(ValueError, match="must have an array 'third', got first, second"):
        read_npz(file, "third")


def test_missing_files(tmp_path):
    for read in (read_npy, npz_keys, lambda path: read_npz(path, "a")):
        with pytest.raises(FileNotFoundError, match="path must name an existing file"):
            read(tmp_path / "nothing")
