"""Compressed rows: they come back exactly, at the price of −ELBO, or an error says what is wrong and where."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npvae.compression import Coder, CompressedFileError, compress, decompress, model_digest
from npvae.compression.bits_back import LATENT_BITS
from npvae.datasets import digits
from npvae.distributions import (
    Bernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    FixedGaussian,
    FullGaussian,
    LogisticMixture,
)
from npvae.models import VAE

LIKELIHOODS = {
    "bernoulli": Bernoulli(),
    "logistic": DiscretizedLogistic("sigmoid"),
    "mixture": LogisticMixture(2),
    "five levels": DiscretizedLogistic(levels=5),
}
every_likelihood = pytest.mark.parametrize("name", LIKELIHOODS)


def model_of(likelihood, n_features=49, latent_dim=3, **options):
    model = VAE.mlp(n_features, latent_dim, (8,), likelihood=likelihood, **options)
    theta = model.init(np.random.default_rng(0), np.float32, np.full(n_features, 0.3), np.full(n_features, 0.1))
    return model, theta


def rows_of(model, n, seed=0):
    levels = getattr(model.likelihood, "levels", 2)
    small = digits(n, seed=seed).x.reshape(n, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(n, 49) if n else np.empty((0, 49))
    return np.rint(small * (levels - 1)).astype(np.uint8)


@every_likelihood
@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_rows_come_back(name, n):
    model, theta = model_of(LIKELIHOODS[name])
    rows = rows_of(model, n)
    found = decompress(model, theta, compress(model, theta, rows))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, rows)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), n=st.integers(1, 20), width=st.integers(1, 11), latents=st.integers(1, 7))
def test_any_rows_come_back_under_any_network(seed, n, width, latents):
    rng = np.random.default_rng(seed)
    likelihood = [Bernoulli(), DiscretizedLogistic(levels=9)][seed % 2]
    model, theta = model_of(likelihood, width, latents)
    theta.flat += rng.standard_normal(theta.flat.size).astype(np.float32)  # far from anything trained
    rows = rng.integers(0, getattr(likelihood, "levels", 2), (n, width))
    np.testing.assert_array_equal(decompress(model, theta, compress(model, theta, rows)), rows)


@every_likelihood
@pytest.mark.parametrize("log_var", [-500, -100, 100, 500])
def test_rows_come_back_under_posteriors_of_any_width(name, log_var):
    model, theta = model_of(LIKELIHOODS[name])
    theta["encoder.2.b"][...] = [1e6, 0, -3, log_var, log_var, 0]
    theta["decoder.2.b"][...] *= 1e3
    rows = rows_of(model, 7)
    np.testing.assert_array_equal(decompress(model, theta, compress(model, theta, rows)), rows)


class OfAnyScale(DiscretizedLogistic):
    log_scale = 0.0

    def components(self, a):
        log_weights, mean, log_scale = super().components(a)
        return log_weights, mean, np.full_like(log_scale, self.log_scale)


@pytest.mark.parametrize("log_scale", [-2000.0, -100.0, 100.0, 2000.0])
def test_rows_come_back_at_scales_whose_exponential_no_float_holds(monkeypatch, log_scale):
    monkeypatch.setattr(OfAnyScale, "log_scale", log_scale)
    model, theta = model_of(OfAnyScale())
    rows = rows_of(model, 7)
    np.testing.assert_array_equal(decompress(model, theta, compress(model, theta, rows)), rows)


def test_a_network_that_puts_out_infinity_is_refused():
    model, theta = model_of(Bernoulli())
    theta["encoder.2.b"][0] = np.inf
    with pytest.raises(ValueError, match="model must put out finite numbers in its encoder"):
        compress(model, theta, rows_of(model, 2))


@every_likelihood
def test_the_length_is_minus_the_elbo_and_the_first_bits(name):
    model, theta = model_of(LIKELIHOODS[name])
    theta["encoder.2.W"][...] *= 0.1
    rows = rows_of(model, 512)
    data = compress(model, theta, rows)
    x = (rows / (getattr(model.likelihood, "levels", 2) - 1)).astype(np.float32)
    noise = np.random.default_rng(1).standard_normal((20, 512, 3)).astype(np.float32)
    bits = model.loss(theta, x, noise).per_datum.sum() / np.log(2)
    lanes, latents = 2 * (4 if name == "bernoulli" else 8), 2 * 3
    first = lanes * 33 + latents * LATENT_BITS + 8 * 100  # heads, the first latents, header and checksums
    assert bits * 0.99 <= 8 * len(data) <= bits * 1.01 + first


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


def test_rounding_errors_of_float64_change_nothing(monkeypatch):
    model, theta = model_of(Bernoulli())
    rows = rows_of(model, 50)
    data = compress(model, theta, rows)
    decode, encode = type(model).decode, type(model).encode
    monkeypatch.setattr(type(model), "decode", lambda *args: decode(*args) * (1 + 1e-13))
    monkeypatch.setattr(type(model), "encode", lambda *args: encode(*args) * (1 - 1e-13))
    np.testing.assert_array_equal(decompress(model, theta, data), rows)


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": FixedGaussian()}, "have a likelihood of discrete data"),
        ({"likelihood": Bernoulli(), "posterior": FullGaussian()}, "have a diagonal Gaussian posterior"),
    ],
)
def test_models_that_cannot_code_are_refused(options, message):
    with pytest.raises(ValueError, match=f"model must {message}.* to compress"):
        Coder(*model_of(**options), batch=1, lanes=1)
    assert isinstance(model_of(Bernoulli())[0].posterior, DiagonalGaussian)
