"""Rows through latents and back: under any network, at the price of −ELBO, or the model is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npvae.compression import Coder, compress, decompress
from npvae.compression.bits_back import LATENT_BITS
from npvae.distributions import Bernoulli, DiagonalGaussian, DiscretizedLogistic, FixedGaussian, FullGaussian
from tests.compression.models import LIKELIHOODS, every_likelihood, model_of, rows_of


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


def test_rounding_errors_of_float64_change_nothing(monkeypatch):
    model, theta = model_of(Bernoulli())
    rows = rows_of(model, 50)
    data = compress(model, theta, rows)
    decode, encode = type(model).decode, type(model).encode
    monkeypatch.setattr(type(model), "decode", lambda *args: decode(*args) * (1 + 1e-13))
    monkeypatch.setattr(type(model), "encode", lambda *args: encode(*args) * (1 - 1e-13))
    np.testing.assert_array_equal(decompress(model, theta, data), rows)


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
