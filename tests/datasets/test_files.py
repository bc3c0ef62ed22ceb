import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from npvae.datasets import load
from tests.datasets.test_pictures import png_bytes

GREY = np.array([[[0, 51], [102, 255]], [[1, 2], [3, 4]], [[5, 6], [7, 8]]], np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder, name: str):
    """Write GREY as the kind of file that the name says; returns the path to load."""
    path = folder / name
    if name.endswith(".npy"):
        np.save(path, GREY)
    elif ".npz" in name:
        np.savez(folder / name.split(":")[0], images=GREY, **({"other": GREY} if ":" in name else {}))
    elif name.endswith("ubyte"):
        path.write_bytes(idx_bytes(GREY))
    elif name.endswith(("gz", "renamed.csv")):
        path.write_bytes(gzip.compress(idx_bytes(GREY)))
    else:
        path.mkdir()
        for i, picture in enumerate(GREY):
            (path / f"{i}.png").write_bytes(png_bytes(picture, 0))
    return path


@pytest.mark.parametrize(
    "name", ["a.npy", "a.npz", "a.npz:images", "images-idx3-ubyte", "images.gz", "renamed.csv", "pictures"]
)
def test_images_of_eight_bits_become_grey_rows(tmp_path, name):
    data = load(write(tmp_path, name))
    assert data.x.dtype == np.float32
    assert data.image_shape == (2, 2)
    np.testing.assert_allclose(data.x, GREY.reshape(3, 4) / 255, rtol=1e-6)
    assert data.name == name
    assert data.labels is None


def test_eight_bits_are_divided_exactly(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(256, dtype=np.uint8)[:, None])
    np.testing.assert_array_equal(load(tmp_path / "a.npy").x[:, 0], np.arange(256, dtype=np.float32) / np.float32(255))


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_bits_become_zero_and_one(tmp_path, kind):
    np.save(tmp_path / "a.npy", np.array([[0, 1], [1, 1]], kind))
    np.testing.assert_array_equal(load(tmp_path / "a.npy").x, [[0, 1], [1, 1]])


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32, ">f8", ">i2"])
def test_all_else_keeps_its_values(tmp_path, kind):
    values = np.array([[-3, 0, 300], [7, 8, 1000]], kind)
    np.save(tmp_path / "a.npy", values)
    data = load(tmp_path / "a.npy")
    assert data.x.dtype == np.float32
    assert data.image_shape is None
    np.testing.assert_array_equal(data.x, values)


def test_csv_gives_rows(tmp_path):
    (tmp_path / "a.csv").write_text("height,width\n1.5,2\n3,4\n")
    data = load(str(tmp_path / "a.csv"))
    np.testing.assert_array_equal(data.x, np.array([[1.5, 2], [3, 4]], np.float32))


def test_values_that_are_not_known(tmp_path):
    x = np.array([[1, np.nan, 3], [4, 5, np.nan]], np.float32)
    np.save(tmp_path / "a.npy", x)
    (tmp_path / "a.csv").write_text("a,b,c\n1,,3\n4,5, \n")
    for name in ("a.npy", "a.csv"):
        np.testing.assert_array_equal(load(tmp_path / name, missing=True).x, x)
        with pytest.raises(ValueError, match=r"must be finite, got nan"):
            load(tmp_path / name)
    np.save(tmp_path / "a.npy", x * np.inf)
    with pytest.raises(ValueError, match="must be finite, got inf"):
        load(tmp_path / "a.npy", missing=True)


@pytest.mark.parametrize("kind", ["npy", "npz", "idx", "csv", "floats", "column"])
def test_labels_come_from_a_file_of_their_own(tmp_path, kind):
    labels = np.array([5, 0, 9], np.uint8)
    path = tmp_path / f"labels.{'csv' if kind == 'csv' else kind}"
    if kind == "npz":
        np.savez(path, labels=labels)
    elif kind == "idx":
        path.write_bytes(idx_bytes(labels))
    elif kind == "csv":
        path.write_text("label\n5\n0\n9\n")
    else:
        path = path.with_suffix(".npy")
        np.save(path, {"npy": labels, "floats": labels.astype(float), "column": labels[:, None]}[kind])
    data = load(write(tmp_path, "a.npy"), labels=path)
    assert data.labels.dtype == np.int64
    np.testing.assert_array_equal(data.labels, labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(2, int), r"labels must have one value for each of the 3 rows, got shape \(2,\)"),
        (np.zeros((3, 2), int), r"labels must have one value for each of the 3 rows, got shape \(3, 2\)"),
        (np.array([0, 1, 2.5]), "labels must be finite whole numbers .*, got 2.5"),
        (np.array([0, 1, np.nan]), "labels must be finite whole numbers"),
        (np.array([0, 1, 1e300]), "labels must be finite whole numbers below 2^53".replace("^", r"\^")),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, message):
    np.save(tmp_path / "labels.npy", labels)
    with pytest.raises(ValueError, match=message):
        load(write(tmp_path, "a.npy"), labels=tmp_path / "labels.npy")


def test_labels_that_are_missing_are_named_as_labels(tmp_path):
    with pytest.raises(FileNotFoundError, match="labels must name an existing file"):
        load(write(tmp_path, "a.npy"), labels=tmp_path / "nothing")
    with pytest.raises(IsADirectoryError, match="labels must name a file"):
        load(tmp_path / "a.npy", labels=tmp_path)


def test_packed_bits_are_unpacked(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2, (3, 784), dtype=np.uint8)
    packed = np.packbits(bits, axis=1)
    np.savez(tmp_path / "b.npz", train=packed[:1], valid=packed[1:2], test=packed[2:])
    data = load(f"{tmp_path / 'b.npz'}:test")
    np.testing.assert_array_equal(data.x, bits[2:])
    assert data.image_shape == (28, 28)


def test_an_archive_of_several_arrays_wants_a_key(tmp_path):
    np.savez(tmp_path / "b.npz", a=np.ones((2, 2)), b=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"must hold one array, or be asked for one as b\.npz:KEY; got a, b"):
        load(tmp_path / "b.npz")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e60])
def test_what_is_not_finite_in_float32_is_located(tmp_path, bad):
    x = np.zeros((3, 4))
    x[1, 2] = bad
    np.save(tmp_path / "a.npy", x)
    with pytest.raises(
        ValueError, match=r"a\.npy must be finite( in float32, got 1e\+60|, got .*(nan|inf)) at row 1, column 2"
    ):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 2, 2)])
def test_empty_data_are_refused(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match=r"a\.npy must not be empty"):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2)])
def test_data_that_are_neither_rows_nor_images_are_refused(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.ones(shape))
    with pytest.raises(ValueError, match=r"must hold rows \(n, features\) or images .*, got shape"):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            b"hello",
            "path must name data of a known kind, IDX .*, .npy, .npz, .csv, .tsv or a folder of .png and .jpg pictures",
        ),
        ("a", b"", "path must name data of a known kind"),
        ("a.npy", b"hello", "must begin with the magic bytes of the .npy format"),
        ("a.npz", b"hello", "is no .npz archive or is damaged"),
        ("a.gz", b"\x1f\x8bhello", "is a damaged gzip file"),
        ("a.csv", b"\xff\xfe1", "must be a table in UTF-8 text"),
    ],
)
def test_files_of_no_known_kind_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_objects_are_refused_and_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([["a", 1]], object), allow_pickle=True)
    with pytest.raises(ValueError, match="must be an array of numbers or booleans"):
        load(tmp_path / "a.npy")


def test_missing_path(tmp_path):
    for name in ("nothing", "nothing.npz:key", "nothing.png"):
        with pytest.raises(FileNotFoundError, match="path must name an existing file"):
            load(tmp_path / name)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_any_compression_is_said(tmp_path, compression):
    path, whole = tmp_path / "a.npz", io.BytesIO()
    np.save(whole, np.random.default_rng(0).random((20, 30)))
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", whole.getvalue())
    content = path.read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(content)
        damaged[draw.integers(40, len(content) - 80)] ^= 1 << draw.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.npz"):
            load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes a pipe")
def test_pipes_and_devices_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    for path in (tmp_path / "pipe.npy", Path("/dev/zero"), Path("/dev/stdin")):
        if not path.is_file() and path.exists():
            with pytest.raises(ValueError, match="which is a pipe or a device"):
                load(path)
