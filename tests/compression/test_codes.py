"""Frequencies: whole, positive, complete, and close to the distribution that they stand for."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from npvae.compression.ans import Message
from npvae.compression.codes import (
    FRACTION,
    Bits,
    Categorical,
    GaussianBins,
    LogisticBins,
    Uniform,
    bin_centres,
    pop_all,
    push_all,
)

RNG = np.random.default_rng


def grey(rng, steps=3, lanes=4, components=2, levels=256):
    shares = np.rint(rng.dirichlet(np.ones(components), (steps, lanes)) * (1 << FRACTION)).astype(np.int64)
    shares[..., 0] += (1 << FRACTION) - shares.sum(axis=-1)
    mean = rng.uniform(-0.2, 1.2, (components, steps, lanes))
    return LogisticBins(np.moveaxis(shares, -1, 0), mean, np.exp(rng.uniform(-9, 1, mean.shape)), levels)


CODES = {
    "Uniform": lambda rng: Uniform(5),
    "Bits": lambda rng: Bits(rng.uniform(-40, 40, (3, 4))),
    "GaussianBins": lambda rng: GaussianBins(5 * rng.standard_normal((3, 4)), np.exp(rng.uniform(-9, 2, (3, 4))), 6),
    "LogisticBins": grey,
    "LogisticBins of 2": lambda rng: grey(rng, levels=2),
    "Categorical": lambda rng: Categorical(np.moveaxis(1 + rng.multinomial(1017, np.ones(7) / 7, (3, 4)), -1, 0), 10),
}
every_code = pytest.mark.parametrize("make", CODES.values(), ids=CODES.keys())


def shares(code):
    """Shares of every symbol, (size, 3, 4)."""
    ends = np.stack([code.below(np.full((3, 4), i)) for i in range(code.size + 1)]).astype(np.int64)
    assert (ends[0] == 0).all()
    assert (ends[-1] == 1 << code.precision).all()
    return np.diff(ends, axis=0)


@every_code
@pytest.mark.parametrize("seed", range(20))
def test_every_symbol_has_a_share_and_they_add_up(make, seed):
    assert shares(make(RNG(seed))).min() >= 1


@every_code
def test_a_step_alone_is_the_step_of_all(make):
    code = make(RNG(0))
    symbols = RNG(1).integers(0, code.size + 1, (3, 4))
    for step in range(3):
        np.testing.assert_array_equal(code.below(symbols[step], (step,)), code.below(symbols)[step])
        many = np.stack([symbols[step], np.zeros(4, int)])
        np.testing.assert_array_equal(code.below(many, (step,))[0], code.below(symbols)[step])
        some = np.array([3, 1])
        np.testing.assert_array_equal(code.below(many[:, some], (step, some))[0], code.below(symbols)[step, some])


@pytest.mark.parametrize("name", CODES)
@given(seed=st.integers(0, 10_000))
def test_any_symbols_come_back(name, seed):
    rng = RNG(seed)
    code = CODES[name](rng)
    symbols, active = rng.integers(0, code.size, (3, 4)), rng.random((3, 4)) < 0.8
    before = Message.of(
        rng.integers(1 << 31, 1 << 63, 4, dtype=np.uint64), rng.integers(0, 1 << 32, 5, dtype=np.uint32)
    )
    message, found = pop_all(push_all(before, code, symbols, active), code, active)
    np.testing.assert_array_equal(found, np.where(active, symbols, 0))
    np.testing.assert_array_equal(message.heads, before.heads)


def test_bits_have_the_probability_of_their_logit():
    logits = np.linspace(-15, 15, 12).reshape(3, 4)
    np.testing.assert_allclose(shares(Bits(logits))[1] / (1 << 24), expit(logits), rtol=2e-4, atol=1e-6)


def test_bins_have_the_probability_of_the_gaussian():
    mu, sigma, bits = RNG(0).standard_normal((3, 4)), np.exp(RNG(1).uniform(-2, 0.5, (3, 4))), 6
    edges = scipy.stats.norm.ppf(np.arange((1 << bits) + 1) / (1 << bits))
    expected = np.diff(scipy.stats.norm(mu, sigma).cdf(edges[:, None, None]), axis=0)
    np.testing.assert_allclose(shares(GaussianBins(mu, sigma, bits)) / (1 << 24), expected, atol=2e-5)


def test_the_prior_itself_has_equal_bins():
    found = shares(GaussianBins(np.zeros((3, 4)), np.ones((3, 4)), 4)) / (1 << 24)
    np.testing.assert_allclose(found, 1 / 16, rtol=1e-4)
    np.testing.assert_allclose(bin_centres(4), scipy.stats.norm.ppf((np.arange(16) + 0.5) / 16), rtol=1e-7)


def test_levels_have_the_probability_of_the_rounded_logistic():
    code = grey(RNG(0))
    weights = code.weights / (1 << FRACTION)
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 255, [np.inf]])[:, None, None, None]
    cdf = (weights * scipy.stats.logistic(code.mean, 1 / code.inverse).cdf(edges)).sum(axis=1)
    np.testing.assert_allclose(shares(code) / (1 << 24), np.diff(cdf, axis=0), atol=3e-5)
