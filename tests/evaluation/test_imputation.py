"""Missing entries of a Gaussian, whose conditional mean and variance are known."""

import numpy as np
import pytest

from npvae.distributions import FixedGaussian
from npvae.evaluation import fill_in
from npvae.models import VAE
from tests.evaluation.linear_gaussian import Linear

SEEN = np.array([True, False, True, False])


def rng(seed=0):
    return np.random.default_rng(seed)


def conditional(linear, x, seen=SEEN):
    """Mean and covariance of x[:, ~seen] given x[:, seen]."""
    gain = np.linalg.solve(linear.cov[np.ix_(seen, seen)], linear.cov[np.ix_(seen, ~seen)])
    mean = linear.bias[~seen] + (x[:, seen] - linear.bias[seen]) @ gain
    return mean, linear.cov[np.ix_(~seen, ~seen)] - linear.cov[np.ix_(~seen, seen)] @ gain


@pytest.mark.parametrize("log_var", [-0.5, 0.3])
@pytest.mark.parametrize("shift", [0, 0.4])
def test_conditional_mean_in_closed_form_whatever_the_encoder(log_var, shift):
    """With a wrong encoder too: a mean that is off and variances of no posterior."""
    linear = Linear(n=8, log_var=log_var)
    theta = linear.theta
    theta["encoder.0.b"][:2] += shift
    filled = fill_in(linear.model, theta, linear.x, SEEN, 0, steps=8000)
    expected, _ = conditional(linear, linear.x)
    np.testing.assert_allclose(filled.mean[:, ~SEEN], expected, atol=0.08)
    assert (filled.acceptance > 0.2).all()
    assert (filled.acceptance < 1).all()


def test_draws_have_the_conditional_distribution():
    linear = Linear(n=1, log_var=-0.3)
    x = linear.x + 1e-9 * np.arange(6000)[:, None]  # equal rows would have equal draws
    filled = fill_in(linear.model, linear.theta, x, SEEN, 0, steps=60, batch_size=2500)
    mean, cov = conditional(linear, x[:1])
    np.testing.assert_allclose(filled.draw[:, ~SEEN].mean(axis=0), mean[0], atol=5 * np.sqrt(cov.max() / 6000))
    np.testing.assert_allclose(np.cov(filled.draw[:, ~SEEN].T), cov, atol=0.06)


def test_true_posteriors_are_always_accepted():
    linear = Linear()
    filled = fill_in(*linear.with_true_posterior(), linear.x, SEEN, 0, steps=50)
    np.testing.assert_allclose(filled.acceptance, 1)


def test_what_is_seen_stays_and_the_rest_of_x_does_not_matter():
    linear = Linear(n=6)
    before = linear.x.copy()
    masks = rng(1).random(linear.x.shape) < 0.5
    other = np.where(masks, linear.x, np.nan)
    filled = fill_in(linear.model, linear.theta, linear.x, masks, 0, steps=4)
    for values, again in zip(filled, fill_in(linear.model, linear.theta, other, masks, 0, steps=4), strict=True):
        np.testing.assert_array_equal(values, again)
    np.testing.assert_array_equal(filled.mean[masks], linear.x[masks])
    np.testing.assert_array_equal(filled.draw[masks], linear.x[masks])
    np.testing.assert_array_equal(linear.x, before)


def test_nothing_seen_gives_the_model_s_mean():
    linear = Linear(n=20)
    filled = fill_in(linear.model, linear.theta, linear.x, np.zeros(4, bool), 0, steps=6000)
    np.testing.assert_allclose(filled.mean.mean(axis=0), linear.bias, atol=0.06)


def test_binary_pixels_and_single_precision():
    model = VAE.mlp(6, 2, (5,))
    x = (rng().random((7, 6)) < 0.5).astype(np.float32)
    filled = fill_in(model, model.init(rng()), x, np.arange(6) < 3, 0, steps=10)
    assert filled.mean.dtype == filled.draw.dtype == np.float32
    assert ((filled.mean > 0) & (filled.mean < 1))[:, 3:].all()
    assert np.isin(filled.draw, [0, 1]).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"seen": np.ones(3, bool)},
            r"seen must be of bool and have shape \(6, 4\) or \(4,\), got shape \(3,\) of bool",
        ),
        ({"seen": np.ones(4)}, r"got shape \(4,\) of float64"),
        ({"x": np.full((6, 4), np.nan)}, "x must be finite"),
        ({"steps": 1}, "steps must be at least 2, got 1"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_arguments_that_cannot_be(change, text):
    model = VAE.mlp(4, 2, (), likelihood=FixedGaussian())
    with pytest.raises(ValueError, match=text):
        fill_in(model, model.init(rng()), **{"x": np.zeros((6, 4)), "seen": SEEN, "seed": 0, **change})


def test_pictures_are_filled_in_as_their_rows():
    model = VAE.mlp(6, 2, (4,))
    theta = model.init(rng(), np.float64)
    x, seen = (rng(1).random((3, 2, 3)) < 0.5).astype(float), rng(2).random((3, 2, 3)) < 0.5
    pictures = fill_in(model, theta, x, seen, 0, steps=4)
    rows = fill_in(model, theta, x.reshape(3, 6), seen.reshape(3, 6), 0, steps=4)
    np.testing.assert_array_equal(pictures.mean, rows.mean)
