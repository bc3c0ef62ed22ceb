import json
import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae import storage

HEADER = {"kind": "VAE", "params": {"hidden": [400, 200], "beta": 1.0, "seed": None, "ok": True}, "σ": "log σ²"}
DTYPES = (bool, "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and not set(name) & {"/", "\\"}
)
values = hnp.arrays(
    st.sampled_from(DTYPES).map(np.dtype), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def model():
    rng = np.random.default_rng(0)
    return {
        "encoder.0.W": rng.standard_normal((5, 3), dtype=np.float32),
        "encoder.0.b": rng.standard_normal(3),
        "steps": np.array(7),
        "none": np.empty((0, 4)),
    }


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


class TestRoundTrip:
    @in_one_folder
    @given(
        header=st.dictionaries(st.text(), json_values, max_size=4), arrays=st.dictionaries(names, values, max_size=4)
    )
    def test_returns_what_was_saved(self, tmp_path, header, arrays):
        storage.save(tmp_path / "model.npz", header, arrays)
        found_header, found = storage.load(tmp_path / "model.npz")
        assert found_header == header
        assert_same(found, arrays)

    def test_keeps_every_bit_of_a_float_in_the_header(self, tmp_path):
        numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, np.float64(1) / 3]
        storage.save(tmp_path / "m", {"numbers": numbers}, {})
        assert list(map(repr, storage.load(tmp_path / "m")[0]["numbers"])) == [repr(float(n)) for n in numbers]

    @pytest.mark.parametrize(
        "view", [lambda a: a.T, lambda a: a[::2, ::-1], np.asfortranarray, lambda a: a.astype(">f4")]
    )
    def test_memory_and_byte_order_do_not_matter(self, tmp_path, view):
        array = view(np.arange(24, dtype=np.float32).reshape(4, 6))
        storage.save(tmp_path / "a", {}, {"W": array})
        storage.save(tmp_path / "b", {}, {"W": np.array(array, np.float32, order="C")})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
        np.testing.assert_array_equal(storage.load(tmp_path / "a")[1]["W"], array)

    def test_arrays_come_back_native_writable_and_c_ordered(self, tmp_path):
        storage.save(tmp_path / "m", {}, {"W": np.ones((2, 3), ">f8").T})
        array = storage.load(tmp_path / "m")[1]["W"]
        assert array.dtype == np.float64
        assert array.flags.writeable
        assert array.flags.c_contiguous

    def test_same_content_makes_the_same_bytes_at_any_time(self, tmp_path, monkeypatch):
        storage.save(tmp_path / "a", HEADER, model())
        monkeypatch.setattr("time.time", lambda: 2e9)
        storage.save(tmp_path / "b", HEADER, model())
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_numpy_opens_it_without_pickle(self, tmp_path):
        storage.save(tmp_path / "m.npz", HEADER, model())
        with np.load(tmp_path / "m.npz", allow_pickle=False) as found:
            np.testing.assert_array_equal(found["encoder.0.W"], model()["encoder.0.W"])
            assert json.loads(found["header.json"])["format"] == "npvae"

    def test_leaves_its_arguments_alone(self, tmp_path):
        header, arrays = {"a": (1, 2)}, model()
        storage.save(tmp_path / "m", header, arrays)
        assert header == {"a": (1, 2)}
        assert_same(arrays, model())


class TestSaveRefuses:
    @pytest.mark.parametrize(
        ("header", "error", "message"),
        [
            (
                {"a": {"b": [0, {1}]}},
                TypeError,
                r"header\['a'\]\['b'\]\[1\] must be something that JSON can hold, got set",
            ),
            ({"a": np.float32(1)}, TypeError, r"header\['a'\] .*got float32"),
            ({"a": np.int64(1)}, TypeError, r"header\['a'\] .*got int64"),
            ({"a": {1: 2}}, TypeError, r"header\['a'\] must have strings for keys, got 1"),
            ({"a": [1.0, math.nan]}, ValueError, r"header\['a'\]\[1\] must be finite, got nan"),
            ({"a": -math.inf}, ValueError, r"header\['a'\] must be finite, got -inf"),
            ([1], TypeError, "header must be a mapping, got list"),
        ],
    )
    def test_headers_beyond_json(self, tmp_path, header, error, message):
        with pytest.raises(error, match=message):
            storage.save(tmp_path / "m", header, {})
        assert os.listdir(tmp_path) == []

    def test_arrays_without_names(self, tmp_path):
        with pytest.raises(TypeError, match="arrays must be a mapping, got list"):
            storage.save(tmp_path / "m", {}, [np.zeros(1)])
        with pytest.raises(TypeError, match="arrays must have strings for names, got 1"):
            storage.save(tmp_path / "m", {}, {1: np.zeros(1)})

    def test_more_axes_than_every_numpy_reads(self, tmp_path):
        array = np.lib.stride_tricks.as_strided(np.zeros(1), (1,) * 32, (8,) * 32)
        storage.save(tmp_path / "m", {}, {"W": array})
        assert storage.load(tmp_path / "m")[1]["W"].shape == (1,) * 32
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
            with pytest.raises(ValueError, match=r"arrays\['W'\] must have at most 32 axes, got 33"):
                storage.save(tmp_path / "m", {}, {"W": array[None]})

    def test_headers_without_end(self, tmp_path):
        mapping, sequence = {}, []
        mapping["self"] = mapping
        sequence.append(sequence)
        for header in (mapping, {"self": sequence}):
            with pytest.raises(ValueError, match="header must be at most 32 levels deep"):
                storage.save(tmp_path / "m", header, {})

    def test_a_header_that_would_not_be_read_back(self, tmp_path):
        with pytest.raises(ValueError, match="header must take at most 8,388,608 bytes as JSON, got 9,"):
            storage.save(tmp_path / "m", {"text": "x" * 9_000_000}, {})

    @pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\0b", "a\n", "\ud800", "x" * 256])
    def test_names_that_a_zip_member_cannot_have(self, tmp_path, name):
        with pytest.raises(ValueError, match="arrays must have printable names"):
            storage.save(tmp_path / "m", {}, {name: np.zeros(1)})

    @pytest.mark.parametrize("dtype", [object, "U3", "S3", "M8[s]", "f4,i4", np.longdouble])
    def test_arrays_of_anything_but_numbers(self, tmp_path, dtype):
        with pytest.raises(
            TypeError, match=r"arrays\['W'\] must hold numbers of at most 64 bits a component, got dtype"
        ):
            storage.save(tmp_path / "m", {}, {"W": np.zeros(2, dtype)})
        assert os.listdir(tmp_path) == []


class TestReplacing:
    def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(self, tmp_path, monkeypatch):
        path = tmp_path / "m.npz"
        storage.save(path, HEADER, model())

        def full(*args, **kwargs):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np.lib.format, "write_array", full)
        with pytest.raises(OSError, match="No space left"):
            storage.save(path, {}, {"other": np.zeros(3)})
        assert os.listdir(tmp_path) == ["m.npz"]
        assert storage.load(path)[0] == HEADER

    def test_the_file_is_whole_and_on_the_disk_before_it_gets_its_name(self, tmp_path, monkeypatch):
        order, fsync, replace = [], os.fsync, os.replace

        def replace_whole(source, target):
            order.append(storage.load(source)[0])
            replace(source, target)

        monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
        monkeypatch.setattr(os, "replace", replace_whole)
        storage.save(tmp_path / "m", HEADER, model())
        assert order == ["fsync", HEADER]

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_permissions_are_those_of_a_plain_file(self, tmp_path):
        (tmp_path / "plain").write_bytes(b"")
        storage.save(tmp_path / "m", {}, {})
        assert (tmp_path / "m").stat().st_mode == (tmp_path / "plain").stat().st_mode

    def test_the_path_is_taken_as_it_is(self, tmp_path):
        storage.save(tmp_path / "best.model", {}, {})
        assert os.listdir(tmp_path) == ["best.model"]
