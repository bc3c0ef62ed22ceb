"""Dropout: what is dropped is an argument, and reaches the layers of a network by their numbers."""

import numpy as np
import pytest
import scipy.stats

from npvae.layers import Chain, Dense, Dropout, Residual, Tanh, draw_noise, with_noise
from npvae.parameters import Parameters

NONE = Parameters({})


def test_three_numbers_by_hand():
    layer = Dropout(3, 0.75).with_noise(np.array([[0.74, 0.75, 0.99]]))
    np.testing.assert_array_equal(layer.forward(NONE, np.array([[1.0, 2.0, 3.0]]))[0], [[0, 8, 12]])
    np.testing.assert_array_equal(layer.backward(NONE, None, np.array([[5.0, 5.0, 5.0]]), NONE), [[0, 20, 20]])


def test_the_share_that_is_dropped_is_the_rate_and_the_mean_stays():
    layer = Dropout(100, 0.3)
    kept, _ = layer.with_noise(layer.draw_noise(np.random.default_rng(0), 1000)).forward(NONE, np.ones((1000, 100)))
    dropped = int((kept == 0).sum())
    assert scipy.stats.binomtest(dropped, kept.size, 0.3).pvalue > 0.01
    assert kept.mean() == pytest.approx(1, abs=4 * np.sqrt(0.3 / 0.7 / kept.size))


def test_without_noise_nothing_is_dropped():
    x = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_array_equal(Dropout(3, 0.9).forward(NONE, x)[0], x)


NETWORK = Chain(Dense(3, 3), Dropout(3, 0.2), Chain(Tanh(), Residual(Dropout(3, 0.5))), Dense(3, 1))


def test_a_network_draws_for_its_layers_and_gives_it_to_them():
    noise = draw_noise(NETWORK, np.random.default_rng(0), 5)
    assert [noise["1"].shape, noise["2"]["1"].shape] == [(5, 3), (5, 3)]
    assert set(noise) == {"1", "2"}
    assert noise["1"].dtype == np.float32

    fixed = with_noise(NETWORK, noise)
    assert fixed.shapes == NETWORK.shapes
    theta = Parameters.from_arrays(NETWORK.init(np.random.default_rng(1)), np.float64)
    x = np.random.default_rng(2).standard_normal((5, 3))
    h = np.tanh((x @ theta["0.W"]) * (noise["1"] >= 0.2) / 0.8)
    h = h + h * (noise["2"]["1"] >= 0.5) / 0.5
    np.testing.assert_allclose(fixed.forward(theta, x)[0], h @ theta["3.W"], rtol=1e-12)


def test_a_network_without_dropout_wants_no_noise_and_stays_itself():
    network = Chain(Dense(3, 3), Tanh())
    assert draw_noise(network, np.random.default_rng(0), 5) is None
    assert with_noise(network, None) is network
    assert draw_noise(Tanh(), np.random.default_rng(0), 5) is None


@pytest.mark.parametrize(("rate", "rule"), [(1.0, "less than 1"), (-0.1, "at least 0")])
def test_a_rate_that_is_no_probability_below_one_is_refused(rate, rule):
    with pytest.raises(ValueError, match=rf"^rate must be {rule}, got {rate}$"):
        Dropout(3, rate)
