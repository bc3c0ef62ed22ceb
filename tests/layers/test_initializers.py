"""The variance is what an initialiser is about; it is the one of the paper it is named after."""

import numpy as np
import pytest
import scipy.stats

from npvae.layers import (
    INITIALIZERS,
    glorot_uniform,
    he_normal,
    initializer,
    normal,
    register_initializer,
    standard_uniform,
)

VARIANCES = {
    "standard": lambda n_in, n_out: 1 / (3 * n_in),
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, n_out: 2 / n_in,
    "normal": lambda n_in, n_out: 0.01,
}


@pytest.mark.parametrize("name", VARIANCES)
@pytest.mark.parametrize(("n_in", "n_out"), [(500, 100), (100, 500)])
def test_mean_zero_and_the_variance_of_the_paper(name, n_in, n_out):
    weights = INITIALIZERS[name](np.random.default_rng(0), n_in, n_out)
    variance = VARIANCES[name](n_in, n_out)
    assert weights.shape == (n_in, n_out)
    assert abs(weights.mean()) < 4 * np.sqrt(variance / weights.size)
    assert weights.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / weights.size))


def test_two_are_uniform_and_two_are_normal():
    for init, radius in ((standard_uniform, 1 / np.sqrt(500)), (glorot_uniform, np.sqrt(6 / 600))):
        uniform = scipy.stats.uniform(-radius, 2 * radius)
        assert scipy.stats.kstest(init(np.random.default_rng(1), 500, 100).ravel(), uniform.cdf).pvalue > 0.01
    for init, sd in ((he_normal, np.sqrt(2 / 500)), (normal, 0.1)):
        gaussian = scipy.stats.norm(0, sd)
        assert scipy.stats.kstest(init(np.random.default_rng(1), 500, 100).ravel(), gaussian.cdf).pvalue > 0.01


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_same_seed_gives_the_same_weights(name):
    draws = [INITIALIZERS[name](np.random.default_rng(seed), 4, 3) for seed in (2, 2, 3)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).all()


def test_an_initialiser_is_found_by_name_or_given_as_a_function():
    assert initializer("he") is he_normal
    assert initializer(np.add) is np.add
    with pytest.raises(ValueError, match=r"^init_weights must be one of 'standard'.*, got 3$"):
        initializer(3)


def test_a_new_initialiser_is_a_function_and_a_registration(monkeypatch):
    monkeypatch.setattr("npvae.layers.initializers.INITIALIZERS", registry := dict(INITIALIZERS))
    assert register_initializer("sum")(np.add) is np.add
    assert registry["sum"] is initializer("sum") is np.add
    with pytest.raises(ValueError, match=r"^name must be new, got 'he', which is he_normal$"):
        register_initializer("he")(np.add)
