"""Active units of models in which it is known which units are in use."""

import re

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import FixedGaussian, FullGaussian
from npvae.evaluation import active_units, activity, collapse_message, kl_per_unit, prune
from npvae.models import VAE
from tests.evaluation.linear_gaussian import Linear
from tests.evaluation.table import identity_encoder


def test_activity_and_kl_by_hand():
    model, theta = identity_encoder(2, likelihood=FixedGaussian())
    x = np.array([[1.0, 0.3, np.log(0.25), 0.0], [-1.0, 0.3, np.log(0.25), 0.0]])
    np.testing.assert_allclose(activity(model, theta, x), [1, 0], atol=1e-15)
    np.testing.assert_allclose(kl_per_unit(model, theta, x), [0.5 + np.log(2) - 0.375, 0.045])


def test_activity_is_that_of_many_rows_too():
    linear = Linear(n=2500)
    expected = linear.posterior_mu.var(axis=0)
    np.testing.assert_allclose(activity(linear.model, linear.theta, linear.x), expected, rtol=1e-12)


def test_the_threshold_itself_is_inactive():
    np.testing.assert_array_equal(active_units(np.array([0.005, 0.01, 0.011])), [False, False, True])
    np.testing.assert_array_equal(active_units(np.array([0.005, 0.01]), threshold=0), [True, True])


@pytest.mark.parametrize(
    ("active", "words"),
    [
        ([True] * 3, "all 3 latents are in use"),
        ([False, True, False, True], r"2 of 4 latents collapsed: .*; in use: z\[:, \[1, 3\]\]; fewer latents would do"),
        ([False] * 2, "2 of 2 latents collapsed: .* the decoder knows nothing of x"),
    ],
)
def test_message(active, words):
    message = collapse_message(np.array(active))
    assert re.search(words, message), message


@pytest.fixture(scope="module")
def partly():
    """Two units in use, the third ignored by the decoder, with its posterior a little off the prior."""
    linear = Linear(d=3, n=30)
    linear.weights[2] = 0
    rest = Linear(d=2, n=30)
    rest.weights = linear.weights[:2]
    for each in (linear, rest):
        each.cov = linear.weights.T @ linear.weights + 0.49 * np.eye(4)
        each.gain = np.linalg.solve(each.cov, each.weights.T)
    linear.log_var[2] = -1.0
    return linear, rest


@pytest.mark.parametrize("replace_by", ["prior", "zero"])
def test_without_a_unit_that_says_nothing_the_bound_rises_by_its_kl(partly, replace_by):
    linear, _ = partly
    active = active_units(activity(linear.model, linear.theta, linear.x))
    np.testing.assert_array_equal(active, [True, True, False])
    result = prune(linear.model, linear.theta, linear.x, active, 0, replace_by, k=20_000)
    kl = scipy.stats.norm.expect(
        lambda z: scipy.stats.norm.logpdf(z, 0, np.exp(-0.5)) + 0.5 * z * z, scale=np.exp(-0.5)
    )
    kl += 0.5 * np.log(2 * np.pi)
    assert kl == pytest.approx(0.5 * np.exp(-1))  # ½ (σ² − 1 − log σ²) with log σ² = −1
    assert result.change("elbo").value == pytest.approx(kl, abs=0.01)
    change = result.change()
    assert change.standard_error < 0.01
    assert change.value == pytest.approx(0, abs=4 * change.standard_error)


def test_pruned_to_zero_is_the_smaller_model(partly):
    linear, rest = partly
    linear_x, active = rest.x, np.array([True, True, False])
    theta = linear.theta
    theta["decoder.0.W"][2] = 5.0  # the decoder would listen
    result = prune(linear.model, theta, linear_x, active, 0, "zero", k=2000)
    log_px = scipy.stats.multivariate_normal.logpdf(linear_x, linear.bias, linear.cov)
    np.testing.assert_allclose(result.pruned.log_px, log_px, atol=0.2)
    assert result.change("elbo").value > 10


def test_pruned_to_the_prior_the_decoder_still_gets_noise():
    linear = Linear(d=1, n=5)
    result = prune(linear.model, linear.theta, linear.x, np.array([False]), 0, k=20_000)
    fit = scipy.stats.norm.logpdf(linear.x, linear.bias, 0.7).sum(axis=1)
    slope = (linear.x - linear.bias) @ linear.weights[0] / 0.49
    curvature = (linear.weights[0] ** 2).sum() / 0.49
    np.testing.assert_allclose(result.pruned.elbo, fit - 0.5 * curvature, atol=0.05 * np.abs(slope).max() + 0.05)
    np.testing.assert_allclose(result.pruned.log_px, linear.log_px, atol=0.05)


def test_all_units_kept_change_nothing():
    linear = Linear()
    result = prune(linear.model, linear.theta, linear.x, np.ones(2, bool), 0, k=5)
    assert [*result.change()] == [*result.change("elbo")] == [0, 0]


def test_arguments_that_cannot_be():
    linear = Linear()
    arguments = linear.model, linear.theta, linear.x
    with pytest.raises(ValueError, match=r"active must have shape \(2,\) of bool, got shape \(3,\) of bool"):
        prune(*arguments, np.ones(3, bool), 0)
    with pytest.raises(ValueError, match=r"of bool, got shape \(2,\) of int64"):
        prune(*arguments, np.array([0, 1]), 0)
    with pytest.raises(ValueError, match="replace_by must be one of 'prior', 'zero'"):
        prune(*arguments, np.ones(2, bool), 0, "one")
    with pytest.raises(ValueError, match="bound must be one of 'log_px', 'elbo'"):
        prune(*arguments, np.ones(2, bool), 0, k=1).change("kl")
    with pytest.raises(ValueError, match="threshold must be at least 0"):
        active_units(np.ones(2), -1)
    full = VAE.mlp(4, 2, (), likelihood=FixedGaussian(), posterior=FullGaussian())
    theta = full.init(np.random.default_rng(0))
    assert activity(full, theta, linear.x).shape == (2,)
    with pytest.raises(TypeError, match=r"posterior must be DiagonalGaussian\(\), .* for prune, got FullGaussian\(\)"):
        prune(full, theta, linear.x, np.ones(2, bool), 0)
    with pytest.raises(TypeError, match="posterior must have a KL to the prior for every latent"):
        kl_per_unit(full, theta, linear.x)
