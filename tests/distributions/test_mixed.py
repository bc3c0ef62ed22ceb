import numpy as np
import pytest
from scipy import special, stats

from npvae.distributions import Categories, Counts, Mixed
from npvae.distributions.column_blocks import FLOOR
from npvae.distributions.log_gamma import log_factorial, log_factorial_slope
from npvae.numerics import softplus
from npvae.validation import ArgumentError

COUNTS = Counts((0.7,), (0.6,), (2.5,))
MIXED = Mixed(2, COUNTS, 1, Categories((3,)))


def encoded(n):
    return (np.log1p(n) - 0.7) / 0.6


@pytest.fixture
def a():
    return np.random.default_rng(0).standard_normal((6, MIXED.n_params(MIXED.width)))


@pytest.fixture
def x():
    rng = np.random.default_rng(1)
    onehot = np.eye(3)[rng.integers(3, size=6)]
    return np.column_stack([rng.standard_normal((6, 2)), encoded(rng.poisson(3, 6)), rng.integers(2, size=6), onehot])


def parts(a, x):
    """log p of every column by SciPy: (rows, real, real, count, yes/no, category)."""
    sigma = np.exp(0.5 * (FLOOR + softplus(a[:, -2:] - FLOOR)))
    real = stats.norm.logpdf(x[:, :2], a[:, :2], sigma)
    count = stats.poisson.logpmf(np.rint(np.expm1(0.6 * x[:, 2] + 0.7)), 2.5 * softplus(a[:, 2]) / np.log(2))
    yes = stats.bernoulli.logpmf(x[:, 3].astype(int), special.expit(a[:, 3]))
    category = np.log(special.softmax(a[:, 4:7], axis=1)[x[:, 4:7] == 1])
    return np.column_stack([real, count, yes, category])


def test_log_prob_is_the_sum_of_scipys(a, x):
    np.testing.assert_allclose(MIXED.log_prob(a, x)[0], parts(a, x).sum(axis=1), rtol=1e-10)


def test_of_what_is_missing_nothing_is_asked(a, x):
    holes = x.copy()
    holes[0, 1] = holes[1, 2] = holes[2, 3] = holes[3, 4:7] = np.nan
    expected = parts(a, x)
    expected[[0, 1, 2, 3], [1, 2, 3, 4]] = 0
    np.testing.assert_allclose(MIXED.log_prob(a, holes)[0], expected.sum(axis=1), rtol=1e-10)


def test_a_row_of_which_nothing_is_known_has_probability_one(a):
    assert (MIXED.log_prob(a, np.full((6, 7), np.nan))[0] == 0).all()


def test_probabilities_of_counts_and_categories_add_up_to_one():
    counts, categories = Mixed(counts=COUNTS), Mixed(categories=Categories((4,)))
    n = encoded(np.arange(400.0))[:, None]
    assert np.exp(counts.log_prob(np.array([1.3]), n)[0]).sum() == pytest.approx(1, abs=1e-12)
    a = np.array([0.3, -2.0, 30.0, 1.0])
    assert np.exp(categories.log_prob(a, np.eye(4))[0]).sum() == pytest.approx(1, abs=1e-12)


def test_draws_have_the_means_that_mean_tells():
    rng = np.random.default_rng(2)
    a = 0.7 * rng.standard_normal(MIXED.n_params(MIXED.width))
    draws = MIXED.sample(a, MIXED.draw_noise(rng, (100_000, MIXED.width), np.float64))[0]
    counts = np.expm1(0.6 * draws[:, 2] + 0.7)
    mean = MIXED.mean(a)
    rate = np.expm1(0.6 * mean[2] + 0.7)
    assert abs(counts.mean() - rate) < 5 * np.sqrt(rate / len(draws))
    assert counts.var() == pytest.approx(rate, rel=0.03)
    np.testing.assert_allclose(np.delete(draws, 2, 1).mean(axis=0), np.delete(mean, 2), atol=0.02)
    np.testing.assert_array_equal(draws[:, 4:].sum(axis=1), 1)


def test_draws_of_large_counts_have_the_right_moments():
    rng, many = np.random.default_rng(3), Counts((0.0,), (1.0,), (5000.0,))
    draws = np.expm1(many.draw(np.zeros(1), rng.standard_normal((20_000, 1))))
    assert draws.mean() == pytest.approx(5000, rel=0.001)
    assert draws.var() == pytest.approx(5000, rel=0.05)


def test_the_output_bias_is_the_distribution_of_the_data():
    rng = np.random.default_rng(4)
    x = np.column_stack([rng.normal(3, 2, 5000), rng.random(5000) < 0.2, np.eye(3)[rng.integers(2, size=5000)]])
    mixed = Mixed(1, Counts(), 1, Categories((3,)))
    bias = mixed.output_bias(x.mean(axis=0), x.var(axis=0))
    np.testing.assert_allclose(mixed.mean(bias), np.maximum(x.mean(axis=0), 1e-3), rtol=2e-3)
    np.testing.assert_allclose(softplus(bias[-1] - FLOOR) + FLOOR, np.log(x[:, 0].var()))


@pytest.mark.parametrize("a", [-1e4, -80.0, 80.0, 1e4])
def test_extreme_numbers_give_finite_densities_and_gradients(a):
    mixed = Mixed(0, COUNTS, 1, Categories((2,)))
    x = np.array([[encoded(3.0), 1, 0, 1]], np.float32)
    value, cache = mixed.log_prob(np.full((1, 4), a, np.float32), x)
    assert np.isfinite(value).all()
    assert np.isfinite(mixed.log_prob_backward(cache, np.ones(1, np.float32))).all()


def test_log_factorial_is_scipys():
    n = np.concatenate([np.arange(60.0), [1e3, 1e6], np.linspace(0, 5, 21)])
    np.testing.assert_allclose(log_factorial(n), special.gammaln(n + 1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_factorial_slope(n), special.digamma(n + 1), rtol=1e-11)


def test_support():
    with pytest.raises(ArgumentError, match=r"x must lie in \[0, 1\] in columns of yes and no"):
        Mixed(truth_values=1).require_support("x", np.array([[2.0]]))
    with pytest.raises(ArgumentError, match="x must have 7 columns"):
        MIXED.require_support("x", np.zeros((2, 3)))
    assert Mixed(truth_values=1).is_density(np.array([[1.0], [np.nan]]))
    assert not Mixed(truth_values=1).is_density(np.array([[0.5]]))


def test_precision_is_kept(a, x):
    value, cache = MIXED.log_prob(a.astype(np.float32), x.astype(np.float32))
    assert value.dtype == np.float32
    assert MIXED.log_prob_backward(cache, np.ones(6, np.float32)).dtype == np.float32
    assert MIXED.mean(a.astype(np.float32)).dtype == np.float32
