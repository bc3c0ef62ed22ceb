"""What a page gets of the weights, unpacked by hand."""

from base64 import b64decode

import numpy as np
import pytest

from npvae.explorer import ship
from npvae.parameters import Parameters


def parameters():
    rng = np.random.default_rng(0)
    return Parameters.from_arrays({"W": rng.standard_normal((3, 5)), "b": rng.standard_normal(5)}, np.float32)


def test_biases_keep_all_their_digits_and_matrices_the_first_ones():
    theta = parameters()
    for precision, largest in (("float32", 0), ("float16", 2**-11), ("int8", 0.5 / 127)):
        shipped = ship(theta, precision)
        np.testing.assert_array_equal(shipped.theta["b"], theta["b"])
        scale = np.abs(theta["W"]) if precision == "float16" else np.abs(theta["W"]).max(axis=0)
        assert (np.abs(shipped.theta["W"] - theta["W"]) <= largest * scale * (1 + 1e-6)).all()


def test_the_blob_holds_what_the_manifest_says():
    theta = parameters()
    shipped = ship(theta, "float16")
    data, entry = b64decode(shipped.blob), shipped.manifest["W"]
    assert entry["shape"] == [3, 5]
    W = np.frombuffer(data, "<f2", 15, entry["at"]).reshape(3, 5)
    np.testing.assert_array_equal(W, shipped.theta["W"])
    b = np.frombuffer(data, "<f4", 5, shipped.manifest["b"]["at"])
    np.testing.assert_array_equal(b, shipped.theta["b"])

    shipped = ship(theta, "int8")
    data, entry = b64decode(shipped.blob), shipped.manifest["W"]
    scale = np.frombuffer(data, "<f4", 5, entry["at"])
    numbers = np.frombuffer(data, "<i1", 15, entry["at"] + 20).reshape(3, 5)
    np.testing.assert_allclose(numbers * scale, shipped.theta["W"], rtol=1e-7)
    assert np.abs(numbers).max() == 127


def test_columns_of_zeros_stay_zeros():
    theta = Parameters.from_arrays({"W": np.zeros((2, 3))})
    np.testing.assert_array_equal(ship(theta, "int8").theta["W"], 0)


def test_weights_too_large_for_the_precision_are_refused():
    theta = Parameters.from_arrays({"W": np.full((2, 3), 1e6)})
    with pytest.raises(ValueError, match=r"precision must hold all weights, got 1e\+06 in W for float16"):
        ship(theta, "float16")
    with pytest.raises(ValueError, match="precision must be one of 'float32', 'float16', 'int8', got 'float8'"):
        ship(theta, "float8")
