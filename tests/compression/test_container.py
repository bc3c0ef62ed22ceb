"""The file of compressed rows: they come back exactly, or an error says what is wrong and where."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npvae.compression import CompressedFileError, compress, decompress, model_digest
from npvae.distributions import Bernoulli, LogisticMixture
from tests.compression.models import LIKELIHOODS, every_likelihood, model_of, rows_of


@every_likelihood
@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_rows_come_back(name, n):
    model, theta = model_of(LIKELIHOODS[name])
    rows = rows_of(model, n)
    found = decompress(model, theta, compress(model, theta, rows))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("dtype", [bool, np.int64])
def test_the_type_of_the_rows_does_not_matter(dtype):
    model, theta = model_of(Bernoulli())
    rows = rows_of(model, 10).astype(dtype)
    np.testing.assert_array_equal(decompress(model, theta, compress(model, theta, rows)), rows)


def test_the_header_has_the_length_that_the_page_says():
    """A file of no rows is its header and the heads with their checksum."""
    model, theta = model_of(Bernoulli())
    lanes = 4
    header = len(compress(model, theta, rows_of(model, 0))) - 8 * lanes - 4
    page = (Path(__file__).parents[2] / "docs" / "compression.md").read_text("utf-8")
    assert header == 68
    assert f"{header} bytes of header" in page


def test_every_damaged_byte_is_found_and_its_place_said():
    model, theta = model_of(Bernoulli())
    data = compress(model, theta, rows_of(model, 40))
    for i in range(len(data)):
        damaged = bytearray(data)
        damaged[i] ^= 0x10
        with pytest.raises(CompressedFileError) as error:
            decompress(model, theta, bytes(damaged))
        if i >= 8:
            first, last = (int(place.replace(",", "")) for place in re.findall(r"byte ([\d,]+)\b", str(error.value)))
            assert first <= i < last


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_happens_to_a_file_no_wrong_images_come_of_it(data):
    model, theta = model_of(Bernoulli())
    rows = rows_of(model, 20)
    file = compress(model, theta, rows)
    start = data.draw(st.integers(0, len(file) - 1), "start")
    end = data.draw(st.integers(start, min(start + 12, len(file))), "end")
    damaged = file[:start] + data.draw(st.binary(max_size=12), "instead") + file[end:]
    try:
        found = decompress(model, theta, damaged)
    except CompressedFileError:
        return
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_of_some_bytes_is_found(bit):
    model, theta = model_of(LogisticMixture(2))
    file = compress(model, theta, rows_of(model, 3))
    for i in range(bit, len(file), 8):
        damaged = bytearray(file)
        damaged[i] ^= 1 << bit
        with pytest.raises(CompressedFileError):
            decompress(model, theta, bytes(damaged))


def test_every_cut_is_found():
    model, theta = model_of(Bernoulli())
    data = compress(model, theta, rows_of(model, 40))
    for length in range(len(data)):
        with pytest.raises(CompressedFileError, match=r"is cut short|it does not begin like one"):
            decompress(model, theta, data[:length])
    with pytest.raises(CompressedFileError, match="has 3 bytes behind its end"):
        decompress(model, theta, data + b"abc")


def test_large_files_are_checked_by_blocks(monkeypatch):
    monkeypatch.setattr("npvae.compression.container.BLOCK", 64)
    model, theta = model_of(Bernoulli())
    rows = rows_of(model, 100)
    data = compress(model, theta, rows)
    np.testing.assert_array_equal(decompress(model, theta, data), rows)
    damaged = bytearray(data)
    damaged[-10] ^= 1
    with pytest.raises(CompressedFileError, match=r"is damaged between byte [\d,]+ and byte [\d,]+, in its block"):
        decompress(model, theta, bytes(damaged))


def test_another_model_is_refused():
    model, theta = model_of(Bernoulli())
    data = compress(model, theta, rows_of(model, 5))
    other = theta.copy()
    other.flat[0] += 1e-6
    with pytest.raises(CompressedFileError, match="was compressed by another model"):
        decompress(model, other, data)
    assert model_digest(model, theta) != model_digest(model_of(LogisticMixture(1))[0], theta)


def test_a_machine_that_rounds_otherwise_gets_an_error_and_no_images(monkeypatch):
    model, theta = model_of(Bernoulli())
    data = compress(model, theta, rows_of(model, 5))
    decode = type(model).decode
    monkeypatch.setattr(type(model), "decode", lambda *args: decode(*args) + 0.02)
    with pytest.raises(CompressedFileError, match="networks round otherwise"):
        decompress(model, theta, data)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.full((2, 49), 2), "rows must lie in 0, …, 1, the levels of the likelihood, got values from 2 to 2"),
        (np.full((2, 49), -1), "got values from -1 to -1"),
        (np.zeros((2, 50), int), r"rows must have 49 features, got shape \(2, 50\)"),
        (np.zeros((2, 49)), "rows must hold whole numbers, got dtype float64"),
    ],
)
def test_rows_that_cannot_be_coded_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        compress(*model_of(Bernoulli()), rows)
