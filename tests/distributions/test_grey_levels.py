"""What the likelihoods of grey levels share: sums over all 256 levels, means, draws, floors, and what is no level."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from npvae.distributions import DiscretizedLogistic, LogisticMixture
from npvae.distributions.grey_levels import LOWEST_FLOOR
from tests.numerical import assert_gradient

LEVELS = np.arange(256) / 255
RNG = np.random.default_rng(0)
FAMILIES = [DiscretizedLogistic(), DiscretizedLogistic("sigmoid"), LogisticMixture(1), LogisticMixture(4)]
every_family = pytest.mark.parametrize("q", FAMILIES, ids=repr)


def random_a(q, n=20, d=3):
    """From scales that fill [0, 1] to such that lie within a level."""
    a = q.output_bias(np.full(d, 0.4), np.full(d, 0.1)) + 0.3 * RNG.standard_normal((n, q.n_params(d)))
    blocks = q.n_params(1)
    shape = a.reshape(n, blocks, d)
    shape[:, -(blocks // (3 if isinstance(q, LogisticMixture) else 2)) :] += RNG.uniform(-4, 2, (n, 1, d))
    return a


def level_probabilities(q, a, d=3):
    """P of every level and dimension, (256, n, d), one dimension at a time."""
    each = a.reshape(len(a), -1, d)
    return np.stack([np.exp(q.log_prob(each[None, :, :, j], LEVELS[:, None, None])[0]) for j in range(d)], axis=-1)


@every_family
def test_the_probabilities_of_all_levels_sum_to_one(q):
    np.testing.assert_allclose(level_probabilities(q, random_a(q)).sum(axis=0), 1, rtol=1e-12)


@every_family
def test_dimensions_add_up(q):
    a = random_a(q)
    p = level_probabilities(q, a)
    level = np.minimum((np.cumsum(p, axis=0) < RNG.random((20, 3))).sum(axis=0), 255)
    picked = np.take_along_axis(p, level[None], axis=0)[0]
    np.testing.assert_allclose(q.log_prob(a, level / 255)[0], np.log(picked).sum(axis=1), rtol=1e-11, atol=1e-12)


@every_family
def test_mean_and_entropy_are_sums_over_all_levels(q):
    a = random_a(q)
    p = level_probabilities(q, a)
    np.testing.assert_allclose(q.mean(a), np.einsum("l,lnd->nd", LEVELS, p), rtol=1e-10, atol=1e-14)
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=(0, 2))
    np.testing.assert_allclose(q.entropy(a)[0], entropy, rtol=1e-9, atol=1e-12)


@every_family
def test_the_unrounded_mean_is_that_of_the_logistic_cut_off_at_both_ends(q):
    a = random_a(q, n=6, d=1)
    log_weights, mean, log_scale = (part.reshape(-1, 6) for part in q.components(a))
    cut = np.linspace(0, 1, 200_001)
    tails = scipy.stats.logistic(mean[..., None], np.exp(log_scale)[..., None]).sf(cut)
    expected = (np.exp(log_weights) * scipy.integrate.trapezoid(tails, cut)).sum(axis=0)
    np.testing.assert_allclose(q.unrounded.mean(a)[:, 0], expected, rtol=1e-6, atol=1e-8)


@every_family
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_unrounded_mean_is_within_half_a_level_of_the_mean(q, dtype):
    a = random_a(q, n=200)
    a[:100] *= np.array([1, 3])[RNG.integers(2, size=(100, 1))]  # down to scales far below a level, and means outside
    found = q.unrounded.mean(a.astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, q.mean(a), atol=0.5 / 255 + 1e-6)


@every_family
def test_the_gradient_of_the_unrounded_mean_fits(q):
    a, dmean = random_a(q, n=3), RNG.standard_normal((3, 3))
    assert_gradient(lambda a: (dmean * q.unrounded.mean(a)).sum(), a, q.unrounded.mean_grad(a, dmean), "a")


@every_family
def test_the_score_has_mean_zero(q):
    a = random_a(q, d=1)
    value, cache = q.log_prob(a[None], LEVELS[:, None, None])
    np.testing.assert_allclose(q.log_prob_backward(cache, np.exp(value)), 0, atol=1e-9)  # a score is up to 1/s


@every_family
def test_draws_are_levels_with_their_probabilities(q):
    a = random_a(q, n=4, d=2)
    draws, _ = q.sample(a, q.draw_noise(np.random.default_rng(1), (20_000, 4, 2), np.float64))
    q.require_support("draws", draws)
    p = level_probabilities(q, a, 2)
    frequencies = np.stack([(draws == level).mean(axis=0) for level in LEVELS])
    assert (abs(frequencies - p) <= 5 * np.sqrt(p / 20_000) + 1e-3).all()


@every_family
def test_the_output_bias_starts_at_mean_and_spread_of_the_data(q):
    mean, var = np.array([0.3, 0.5, 0.6]), np.full(3, 0.03)
    bias = q.output_bias(mean, var)
    assert q.mean(bias) == pytest.approx(mean, abs=0.06)
    draws, _ = q.sample(bias, q.draw_noise(np.random.default_rng(1), (20_000, 3), np.float64))
    assert (draws.std(axis=0) > 0.1).all()
    assert (draws.std(axis=0) < 0.35).all()
    assert np.isfinite(q.log_prob(q.output_bias(mean, 0 * var), mean)[0])


@every_family
@pytest.mark.parametrize("bad", [0.5, -1 / 255, 256 / 255, np.nan, 17.0])
def test_what_is_no_level_is_refused(q, bad):
    q.require_support("X", LEVELS.astype(np.float32)[None])
    advice = "divide 256-level images by 255" if bad > 1 else "round them, or take a gaussian"
    said = rf"X must hold the 256 grey levels 0, 1/255, …, 1, got {bad:.9g} at row 0, column 1; {advice}$"
    with pytest.raises(ValueError, match=said):
        q.require_support("X", np.array([[0.0, bad]]))


@every_family
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_at_a_scale_beyond_the_dtype_are_levels_and_nothing_warns(q, dtype):
    a = np.full((4, q.n_params(2)), 2e3, dtype)
    x, _ = q.sample(a, q.draw_noise(np.random.default_rng(0), (4, 2), dtype))
    q.require_support("x", x)
    assert x.dtype == dtype


@pytest.mark.parametrize("make", [DiscretizedLogistic, LogisticMixture])
@pytest.mark.parametrize("x", [0.0, 100 / 255, 1.0])
@pytest.mark.parametrize("r", [-1e3, LOWEST_FLOOR])
def test_at_the_lowest_floor_float32_holds_values_gradients_and_their_squares(make, x, r):
    """Means outside [0, 1], at its ends, at the level itself, half a level beside it, and anywhere."""
    q = make(min_log_scale=LOWEST_FLOOR)
    means = np.array([-2, 0, 100 / 255, 100.5 / 255, 0.7, 1, 3], np.float32)
    a = np.zeros((1, q.n_params(7)), np.float32)
    blocks = a.reshape(-1, 7)
    count = q.n_components if make is LogisticMixture else 1
    blocks[-2 * count : -count], blocks[-count:] = means, r
    value, cache = q.log_prob(a, np.full((1, 7), x, np.float32))
    entropy, of_entropy = q.entropy(a)
    one = np.ones(1, np.float32)
    found = {
        "log_prob": value,
        "da": q.log_prob_backward(cache, one),
        "dx": q.log_prob_backward_x(cache, one),
        "entropy": entropy,
        "da of the entropy": q.entropy_backward(of_entropy, one),
        "mean": q.mean(a),
        "unrounded mean": q.unrounded.mean(a),
        "its gradient": q.unrounded.mean_grad(a, np.ones((1, 7), np.float32)),
    }
    for name, numbers in found.items():
        assert numbers.dtype == np.float32, name
        assert np.isfinite(numbers).all(), name
        assert np.isfinite(np.square(numbers).sum()), name
