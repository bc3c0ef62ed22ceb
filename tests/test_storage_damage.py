import io
import itertools
import json
import random
import tracemalloc
import zipfile

import numpy as np
import pytest

from npvae import storage
from tests.test_storage import HEADER, assert_same, model


def npy(array, **changes):
    """A member's content, with entries of its own header changed."""
    description = np.lib.format.header_data_from_array_1_0(array) | changes
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, description)
    return stream.getvalue() + array.tobytes("A")


def listed(array):
    return {"shape": list(array.shape), "dtype": array.dtype.str}


def craft(path, arrays, members, compression=zipfile.ZIP_STORED, version=1):
    """A file of our format made by hand, so that every part of it can lie."""
    description = {"format": "npvae", "version": version, "header": {}, "arrays": arrays}
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("header.json", json.dumps(description))
        for name, content in members:
            archive.writestr(name, content)
    return path


def refusal(path):
    with pytest.raises(storage.StorageError) as caught:
        storage.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ")
    assert "\n" not in message
    return message.removeprefix(f"{path} ")


DEEP = b'{"format": "npvae", "version": 1, "arrays": {}, "header": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}"
OTHERS = [b"[1]", b'{"format": "other"}', b"{", b"\xff", b"[" * 100_000, b"1" * 5000, b'{"a": NaN}', DEEP]


class TestForeignFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty"),
            (b"just some text\nin two lines", "is no npvae file: it does not begin like a zip archive"),
            (b"PK\x03\x04 and nothing more", "is damaged: File is not a zip file"),
        ],
    )
    def test_files_that_are_no_zip(self, tmp_path, content, message):
        path = tmp_path / "m.npz"
        path.write_bytes(content)
        assert refusal(path) == message

    def test_an_npz_of_someone_else(self, tmp_path):
        path = tmp_path / "other.npz"
        np.savez(path, W=np.zeros(3))
        assert refusal(path) == "is no npvae file: it has no header.json"

    @pytest.mark.parametrize("content", OTHERS, ids=range(len(OTHERS)))
    def test_a_header_of_someone_else(self, tmp_path, content):
        path = tmp_path / "other.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", content)
        assert refusal(path).startswith("is no npvae file: its header.json ")

    def test_a_missing_file_and_a_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
            storage.load(tmp_path / "nothing.npz")
        with pytest.raises(IsADirectoryError, match="must name a file, got the folder"):
            storage.load(tmp_path)

    def test_a_newer_version_says_both_numbers(self, tmp_path):
        path = craft(tmp_path / "m", "laid out otherwise", [], version=9)
        assert refusal(path) == "was written by a newer npvae: it has format 9, this one reads up to 1"

    @pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None])
    def test_no_version(self, tmp_path, version):
        assert "its version must be a positive integer" in refusal(craft(tmp_path / "m", {}, [], version=version))

    def test_pickled_arrays_are_never_run(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return pytest.fail, ("unpickled",)

        stream = io.BytesIO()
        np.save(stream, np.array([Trap()], dtype=object), allow_pickle=True)
        for description in ({"shape": [len(stream.getvalue()) - 128], "dtype": "|u1"}, {"shape": [1], "dtype": "|O"}):
            path = craft(tmp_path / "m", {"W": description}, [("W.npy", stream.getvalue())])
            assert "'W' must be an array of numbers or booleans, got type '|O'" in refusal(path)


class TestDamage:
    W = np.arange(6, dtype=np.float32).reshape(2, 3)

    @pytest.mark.parametrize(
        ("arrays", "members", "message"),
        [
            ({"W": listed(W)}, [], "it must hold 'W.npy' 1 times, as its header lists it, got 0"),
            ({"W": listed(W)}, [("W", npy(W))], "it must hold 'W' 0 times"),
            ({}, [("W.npy", npy(W))], "it must hold 'W.npy' 0 times, as its header lists it, got 1"),
            ({"W": listed(W.T)}, [("W.npy", npy(W))], '\'W\' must be {"dtype": "<f4", "shape": [3, 2]}, as the header'),
            ({"W": listed(W.view("i4"))}, [("W.npy", npy(W))], '"<i4", "shape": [2, 3]}, as the header lists it, got'),
            ({"W": listed(W)}, [("W.npy", npy(W)[:-1])], "'W' must hold 24 bytes for shape (2, 3) of float32, got 23"),
            (
                {"W": listed(W)},
                [("W.npy", npy(W) + b"+")],
                "'W' must hold 24 bytes for shape (2, 3) of float32, got 25",
            ),
            ({"W": listed(W)}, [("W.npy", npy(W) + bytes(10_000))], "'W' must hold 24 bytes for shape (2, 3)"),
            ({"W": listed(W)}, [("W.npy", npy(W[:1], shape=(2, 3)) + b" " * 12 + b"+")], "got 25"),
            ({"W": listed(W)}, [("W.npy", b"x" * 152)], "'W' must begin with the magic bytes of the .npy format"),
            (
                {"W": listed(W)},
                [("W.npy", b"\x93NUMPY\x01\x00\x40\x00" + b"{" * 142)],
                "'W' has an unreadable .npy header",
            ),
            (
                {"W": listed(W)},
                [("W.npy", b"\x93NUMPY\x03\x00" + npy(W)[8:])],
                "must have a header of 1 to 10000 bytes",
            ),
            ({"W": {"shape": [-2, -3], "dtype": "<f4"}}, [("W.npy", npy(W))], "as the header lists it, got"),
            ({"W": {"shape": [-2, -3], "dtype": "<f4"}}, [("W.npy", npy(W, shape=(-2, -3)))], "has an unreadable"),
            ({"W": {"shape": [2.0, 3], "dtype": "<f4"}}, [("W.npy", npy(W))], "[2.0, 3]}, as the header lists it, got"),
            ({"W": {"shape": [True, 3], "dtype": "<f4"}}, [("W.npy", npy(W[:1]))], "[true, 3]}, as the header lists"),
            ({"W": {"shape": [1] * 33, "dtype": "<f4"}}, [("W.npy", npy(W[:1, :1]))], "as the header lists it, got"),
            (
                {"W": {"shape": [1] * 33, "dtype": "<f4"}},
                [("W.npy", npy(W[:1, :1], shape=(1,) * 33))],
                "'W' has an unreadable .npy header",
            ),
            ({"W": {"shape": [2, 3]}}, [("W.npy", npy(W))], "as the header lists it, got"),
            ({"W": None}, [("W.npy", npy(W))], "'W' must be null, as the header lists it, got"),
            ([], [], "its header must have the entries 'header' and 'arrays'"),
        ],
    )
    def test_contradictions_are_said_by_name(self, tmp_path, arrays, members, message):
        found = refusal(craft(tmp_path / "m", arrays, members))
        assert found.startswith("is damaged: ")
        assert message in found

    def test_crafted_files_are_read_when_they_tell_the_truth(self, tmp_path):
        for content in (npy(self.W), npy(np.asfortranarray(self.W))):
            path = craft(tmp_path / "m", {"W": listed(self.W)}, [("W.npy", content)])
            assert_same(storage.load(path)[1], {"W": self.W})

    def test_a_name_twice(self, tmp_path):
        with pytest.warns(UserWarning, match="Duplicate name"):
            craft(tmp_path / "m", {"W": listed(self.W)}, [("W.npy", npy(self.W))] * 2)
        assert refusal(tmp_path / "m") == "is damaged: it must hold 'W.npy' 1 times, as its header lists it, got 2"

    def test_compressed_members(self, tmp_path):
        path = craft(tmp_path / "m", {"W": listed(self.W)}, [("W.npy", npy(self.W))], zipfile.ZIP_DEFLATED)
        assert "is compressed" in refusal(path)

    def test_compression_that_saves_nothing(self, tmp_path):
        path = craft(tmp_path / "m", {"W": listed(self.W)}, [("W.npy", npy(self.W))])
        content = bytearray(path.read_bytes())
        content[content.rindex(b"PK\x01\x02") + 10] = zipfile.ZIP_DEFLATED
        path.write_bytes(content)
        assert "is compressed" in refusal(path)

    def test_every_truncation(self, tmp_path):
        storage.save(tmp_path / "whole", HEADER, model())
        content = (tmp_path / "whole").read_bytes()
        path = tmp_path / "cut"
        for length in range(len(content)):
            path.write_bytes(content[:length])
            refusal(path)

    @pytest.mark.parametrize("seed", range(4))
    def test_flipped_bits_are_found_or_harmless(self, tmp_path, seed):
        storage.save(tmp_path / "whole", HEADER, model())
        content = (tmp_path / "whole").read_bytes()
        draw = random.Random(seed)
        path, found = tmp_path / "flipped", 0
        for _ in range(500):
            damaged = bytearray(content)
            for _ in range(draw.choice([1, 1, 2, 16])):
                damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            path.write_bytes(damaged)
            try:
                header, arrays = storage.load(path)
            except storage.StorageError:
                found += 1
            else:
                assert header == HEADER
                assert_same(arrays, model())
        assert found > 350

    def test_every_flip_in_the_values_is_found(self, tmp_path):
        values = np.random.default_rng(0).standard_normal(4)
        storage.save(tmp_path / "whole", {}, {"W": values})
        content = (tmp_path / "whole").read_bytes()
        start = content.index(values.tobytes())
        path = tmp_path / "flipped"
        for byte, bit in itertools.product(range(values.nbytes), range(8)):
            damaged = bytearray(content)
            damaged[start + byte] ^= 1 << bit
            path.write_bytes(damaged)
            assert "Bad CRC-32" in refusal(path)


class TestClaims:
    """A file that claims more than it holds takes no memory."""

    def peak(self, path):
        refusal(path)  # once before, so that what is imported or cached is not counted
        tracemalloc.start()
        try:
            refusal(path)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_shapes_in_the_header(self, tmp_path):
        huge = {"shape": [1 << 40], "dtype": "<f8"}
        content = npy(np.zeros(1), shape=(1 << 40,))
        path = craft(tmp_path / "m", {"W": huge}, [("W.npy", content)])
        assert "'W' must hold 8796093022208 bytes" in refusal(path)
        assert self.peak(path) < 200_000

    def test_shapes_that_no_machine_can_hold(self, tmp_path):
        huge = {"shape": [0] + [(1 << 62) - 1] * 31, "dtype": "<f8"}
        path = craft(tmp_path / "m", {"W": huge}, [("W.npy", npy(np.empty(0), shape=tuple(huge["shape"])))])
        assert self.peak(path) < 200_000

    @pytest.mark.parametrize("member", ["header.json", "W.npy"])
    def test_bombs(self, tmp_path, member):
        zeros = bytes(30_000_000)
        path = tmp_path / "m"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            if member != "header.json":
                archive.writestr("header.json", "{}", zipfile.ZIP_STORED)
            archive.writestr(member, zeros)
        del zeros
        assert "is compressed" in refusal(path)
        assert self.peak(path) < 200_000

    def test_sizes_in_the_directory_of_the_zip(self, tmp_path):
        path = craft(tmp_path / "m", {"W": listed(np.zeros(1))}, [("W.npy", npy(np.zeros(1)))])
        content = bytearray(path.read_bytes())
        entry = content.rindex(b"PK\x01\x02")
        content[entry + 20 : entry + 28] = (1 << 30).to_bytes(4, "little") * 2
        path.write_bytes(content)
        assert "its members claim more than" in refusal(path)
        assert self.peak(path) < 200_000

    @pytest.mark.parametrize("offset", [1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
    def test_places_in_the_directory_of_the_zip(self, tmp_path, offset):
        path = tmp_path / "m"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", "{}")
            archive.filelist[0].header_offset = offset
        assert refusal(path).startswith("is damaged: ")
        assert self.peak(path) < 200_000

    def test_names_that_are_no_text(self, tmp_path):
        path = craft(tmp_path / "m", {"ä": listed(np.zeros(1))}, [("ä.npy", npy(np.zeros(1)))])
        path.write_bytes(path.read_bytes().replace("ä.npy".encode(), b"\xff\xff.npy"))
        assert refusal(path).startswith("is damaged: ")

    def test_headers_beyond_the_limit(self, tmp_path):
        path = tmp_path / "m"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", b" " * 8_400_000)
        assert refusal(path) == "is damaged: its header takes 8,400,000 bytes, more than 8,388,608"
        assert self.peak(path) < 200_000

    def test_an_array_takes_no_more_than_itself_twice(self, tmp_path):
        array = np.zeros(1_000_000)
        storage.save(tmp_path / "m", {}, {"W": array})
        tracemalloc.start()
        try:
            storage.load(tmp_path / "m")
            assert tracemalloc.get_traced_memory()[1] < 2.2 * array.nbytes
        finally:
            tracemalloc.stop()
