"""The VAE's gradient, through the loss value that it returns, and what a gradient check cannot see."""

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit, logsumexp

from npvae.distributions import (
    Bernoulli,
    DiagonalGaussian,
    FixedGaussian,
    FullGaussian,
    StandardNormal,
)
from npvae.models import VAE
from npvae.parameters import Parameters
from tests.models.vaes import D, assert_model_gradient, batch, every_case, every_likelihood


@every_case
def test_the_gradient_is_the_derivative_of_the_returned_value(model):
    assert_model_gradient(model)


@pytest.mark.parametrize("hidden", [(), (5, 4), [3, 2, 4]], ids=str)
@every_likelihood
def test_the_gradient_is_right_for_any_depth(hidden, likelihood):
    assert_model_gradient(VAE.mlp(D, 2, hidden=hidden, activation="tanh", likelihood=likelihood, n_samples=2))


def test_the_gradient_is_right_for_a_single_row_and_a_single_latent():
    assert_model_gradient(VAE.mlp(2, 1, hidden=(3,), activation="softplus"), n=1)


def by_scipy(model, theta, x, noise):
    """The loss of every row, its terms computed from the definition with other people's densities."""

    def network(part, rows):
        hidden = np.tanh(rows @ theta[f"{part}.0.W"] + theta[f"{part}.0.b"])
        return hidden @ theta[f"{part}.2.W"] + theta[f"{part}.2.b"]

    mu, log_var = np.split(network("encoder", x), 2, axis=1)
    sigma = np.sqrt(np.exp(log_var))
    kl = 0.5 * (sigma**2 + mu**2 - 1 - np.log(sigma**2)).sum(axis=1)
    reconstruction = np.zeros(len(x))
    for eps in noise:
        a = network("decoder", mu + sigma * eps)
        if isinstance(model.likelihood, Bernoulli):
            log_p = scipy.stats.bernoulli.logpmf(x, expit(a))
        elif isinstance(model.likelihood, FixedGaussian):
            log_p = scipy.stats.norm.logpdf(x, a, model.likelihood.sigma)
        else:
            log_p = scipy.stats.norm.logpdf(x, a[:, :D], np.exp(a[:, D:] / 2))
        reconstruction -= log_p.sum(axis=1) / len(noise)
    return reconstruction, kl


@every_likelihood
@pytest.mark.parametrize("n_samples", [1, 3])
def test_both_terms_are_what_scipy_and_the_definition_say(likelihood, n_samples):
    model = VAE.mlp(D, 2, (4,), "tanh", likelihood, n_samples, beta=0.5)
    theta, x, noise = batch(model)
    x = (x > 0.5).astype(float)
    reconstruction, kl = by_scipy(model, theta, x, noise)
    loss = model.loss(theta, x, noise)
    np.testing.assert_allclose(loss.terms["reconstruction"], reconstruction, rtol=1e-12)
    np.testing.assert_allclose(loss.terms["kl"], kl, rtol=1e-12)
    assert loss.value == pytest.approx((reconstruction + 0.5 * kl).mean(), rel=1e-12)


@every_likelihood
def test_the_importance_weighted_bound_is_what_scipy_and_the_definition_say(likelihood):
    model = VAE.mlp(D, 2, (4,), "tanh", likelihood, n_samples=3, bound="iwae")
    theta, x, noise = batch(model)
    x = (x > 0.5).astype(float)
    mu, log_var = np.split(model.encode(theta, x), 2, axis=1)
    log_w = []
    for eps in noise:
        log_px_z = -by_scipy(model, theta, x, eps[None])[0]
        log_ratio = scipy.stats.norm.logpdf(mu + np.exp(log_var / 2) * eps) - scipy.stats.norm.logpdf(eps) + log_var / 2
        log_w.append(log_px_z + log_ratio.sum(axis=1))
    np.testing.assert_allclose(model.loss(theta, x, noise).per_datum, np.log(3) - logsumexp(log_w, axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bound": "iwae", "beta": 0.5}, r"beta must be 1 with bound='iwae'.*got 0\.5"),
        ({"bound": "dreg", "beta": 2}, r"beta must be 1 with bound='dreg'.*got 2"),
        ({"bound": "iwea"}, r"bound must be one of 'elbo', .*did you mean 'iwae'"),
        (
            {"bound": "stl", "free_bits": 0.1},
            r"free_bits must be 0 with bound='stl': .*got 0\.1",
        ),
        (
            {"posterior": FullGaussian(), "free_bits": 0.1},
            r"free_bits must be 0 with posterior=Full.*no sum",
        ),
        ({"free_bits": -0.1}, r"free_bits must be at least 0, got -0\.1"),
        ({"weight_precision": -1}, r"weight_precision must be at least 0, got -1"),
    ],
    ids=str,
)
def test_what_a_bound_has_no_place_for_is_refused_with_the_reason(settings, message):
    with pytest.raises(ValueError, match=message):
        VAE.mlp(D, 2, **settings)


@pytest.mark.parametrize("bound", ["monte-carlo", "stl", "score-function", "iwae", "dreg"])
def test_every_bound_has_the_terms_of_the_elbo_and_the_same_decoder_gradient_at_one_sample(bound):
    """With one sample all of them are the ELBO of that sample, and none touches the decoder's gradient."""
    model, plain = VAE.mlp(D, 2, (4,), bound=bound), VAE.mlp(D, 2, (4,))
    theta, x, noise = batch(model)
    loss, grads = model.loss_and_grad(theta, x, noise)
    expected, expected_grads = plain.loss_and_grad(theta, x, noise)
    np.testing.assert_allclose(loss.terms["reconstruction"], expected.terms["reconstruction"], rtol=1e-14)
    assert list(loss.terms)[1] == "kl"
    assert loss.value == model.loss(theta, x, noise).value
    np.testing.assert_allclose(grads.section("decoder").flat, expected_grads.section("decoder").flat, atol=1e-13)


def test_the_default_bound_asks_for_no_density_that_it_does_not_need(monkeypatch):
    def refuse(*_):
        raise AssertionError("not needed")

    monkeypatch.setattr(DiagonalGaussian, "log_prob", refuse)
    monkeypatch.setattr(StandardNormal, "log_prob", refuse)
    model = VAE.mlp(D, 2, (4,))
    model.loss_and_grad(*batch(model))


def test_free_bits_cost_at_least_what_is_free_and_bend_only_the_encoder():
    """Both sides of the threshold: one latent of the two is pushed to the prior and one is not."""
    model, plain = (VAE.mlp(D, 2, (), free_bits=bits, beta=2.0) for bits in (0.3, 0.0))
    theta, x, noise = batch(model)
    theta = theta.copy()
    theta["encoder.0.W"][...], theta["encoder.0.b"][...] = 0, [0.1, 2.0, 0.0, -1.0]
    loss, grads = model.loss_and_grad(theta, x, noise)
    kl = np.array([0.1**2 / 2, (4 + np.exp(-1)) / 2])
    assert loss.terms["kl"] == pytest.approx(np.full(len(x), kl.sum()), rel=1e-13)
    assert loss.terms["free_bits"] == pytest.approx(np.full(len(x), 0.3 - kl[0]), rel=1e-13)
    assert loss.value == pytest.approx(plain.loss(theta, x, noise).value + 2 * (0.3 - kl[0]), rel=1e-13)
    difference = plain.loss_and_grad(theta, x, noise)[1]["encoder.0.b"] - grads["encoder.0.b"]
    np.testing.assert_allclose(difference, [2 * 0.1, 0, 0, 0], atol=1e-13)


def test_a_prior_on_the_parameters_adds_half_their_square_and_pulls_them_to_zero():
    model, plain = (VAE.mlp(D, 2, (4,), bound="iwae", weight_precision=p) for p in (0.25, 0.0))
    theta, x, noise = batch(model)
    (loss, grads), (expected, without) = (m.loss_and_grad(theta, x, noise) for m in (model, plain))
    np.testing.assert_allclose(loss.terms["weights"], np.full(len(x), 0.5 * (theta.flat**2).sum()), rtol=1e-13)
    assert loss.value == pytest.approx(expected.value + 0.125 * (theta.flat**2).sum(), rel=1e-13)
    np.testing.assert_allclose(grads.flat - without.flat, 0.25 * theta.flat, atol=1e-13)
    assert "weights" not in expected.terms
    assert model.loss(theta, x, noise).value == loss.value


@every_likelihood
def test_a_batch_twice_over_has_the_same_value_and_gradient(likelihood):
    model = VAE.mlp(D, 2, (4,), likelihood=likelihood, n_samples=3)
    theta, x, noise = batch(model)
    loss, grads = model.loss_and_grad(theta, x, noise)
    twice, same = model.loss_and_grad(theta, np.tile(x, (2, 1)), np.tile(noise, (1, 2, 1)))
    assert twice.value == pytest.approx(loss.value, rel=1e-14)
    np.testing.assert_allclose(same.flat, grads.flat, rtol=0, atol=1e-14)


@every_likelihood
def test_value_and_gradient_are_means_over_rows_and_over_samples(likelihood):
    many = VAE.mlp(D, 2, (4,), likelihood=likelihood, n_samples=3)
    one = VAE.mlp(D, 2, (4,), likelihood=likelihood)
    theta, x, noise = batch(many)
    loss, grads = many.loss_and_grad(theta, x, noise)
    singles = [
        one.loss_and_grad(theta, x[i : i + 1], noise[s : s + 1, i : i + 1]) for s in range(3) for i in range(len(x))
    ]
    assert loss.value == pytest.approx(np.mean([single.value for single, _ in singles]), rel=1e-13)
    np.testing.assert_allclose(grads.flat, np.mean([g.flat for _, g in singles], axis=0), rtol=0, atol=1e-13)


@every_case
def test_float32_stays_float32_and_its_gradient_agrees_with_float64(model):
    theta, x, noise = batch(model, n=16, dtype=np.float32)
    loss, grads = model.loss_and_grad(theta, x, noise)
    double, precise = model.loss_and_grad(theta.astype(np.float64), x.astype(np.float64), noise.astype(np.float64))
    tolerance = 64 * np.finfo(np.float32).eps
    assert grads.dtype == loss.value.dtype == np.float32
    assert all(term.dtype == np.float32 for term in loss.terms.values())
    assert abs(loss.value - double.value) <= tolerance * abs(double.value)
    for name in grads:
        assert np.linalg.norm(grads[name] - precise[name]) <= tolerance * np.linalg.norm(precise[name])


@every_likelihood
def test_no_argument_changes_and_twice_is_the_same(likelihood):
    model = VAE.mlp(D, 2, (5, 4), likelihood=likelihood, n_samples=2)
    theta, x, noise = batch(model)
    kept = [array.copy() for array in (theta.flat, x, noise)]
    loss, grads = model.loss_and_grad(theta, x, noise)
    first = grads.flat.copy()
    again, same = model.loss_and_grad(theta, x, noise)
    for name, term in loss.terms.items():
        np.testing.assert_array_equal(again.terms[name], term)
    np.testing.assert_array_equal(same.flat, first)
    np.testing.assert_array_equal(grads.flat, first)  # the second call did not write into the first one's memory
    for array, before in zip((theta.flat, x, noise), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_the_gradient_has_the_layout_of_theta_and_every_element_is_written(monkeypatch):
    def full_of_nan(theta):
        empty = theta.zeros_like()
        empty.flat[:] = np.nan
        return empty

    monkeypatch.setattr(Parameters, "empty_like", full_of_nan)
    model = VAE.mlp(D, 2, (5, 4))
    theta, x, noise = batch(model)
    _, grads = model.loss_and_grad(theta, x, noise)
    assert grads.shapes == theta.shapes
    assert np.isfinite(grads.flat).all()


def test_beta_weighs_the_kl_in_value_and_gradient_but_not_in_its_term():
    models = {beta: VAE.mlp(D, 2, (4,), beta=beta) for beta in (0.0, 1.0, 3.0)}
    theta, x, noise = batch(models[1.0])
    results = {beta: model.loss_and_grad(theta, x, noise) for beta, model in models.items()}
    kl = results[1.0][0].terms["kl"]
    for loss, _ in results.values():
        np.testing.assert_array_equal(loss.terms["kl"], kl)
    assert results[3.0][0].value - results[0.0][0].value == pytest.approx(3 * kl.mean(), rel=1e-13)
    slope = results[1.0][1].flat - results[0.0][1].flat
    np.testing.assert_allclose(results[3.0][1].flat - results[0.0][1].flat, 3 * slope, rtol=0, atol=1e-13)


@pytest.mark.parametrize("settings", [{}, {"bound": "stl", "n_samples": 2}, {"free_bits": 0.1}])
def test_with_another_beta_it_is_the_model_built_with_that(settings):
    model = VAE.mlp(D, 2, (4,), "tanh", beta=2.0, **settings)
    changed, built = model.with_beta(0.25), VAE.mlp(D, 2, (4,), "tanh", beta=0.25, **settings)
    assert repr(changed) == repr(built)
    assert changed.encoder is model.encoder
    rng = np.random.default_rng(0)
    theta, x, noise = model.init(rng), (rng.random((5, D)) < 0.5).astype("f4"), model.draw_noise(rng, 5)
    (loss, dtheta), (expected, dexpected) = (m.loss_and_grad(theta, x, noise) for m in (changed, built))
    assert loss.value == expected.value
    np.testing.assert_array_equal(dtheta.flat, dexpected.flat)
    assert model.beta == 2.0
    assert model.loss(theta, x, noise).value != loss.value


def test_another_beta_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="beta must be at least 0, got -1"):
        VAE.mlp(D, 2).with_beta(-1)
    with pytest.raises(ValueError, match="beta must be 1 with bound='iwae'"):
        VAE.mlp(D, 2, bound="iwae").with_beta(0.5)


def test_at_the_prior_the_kl_is_zero_and_asks_for_nothing():
    model = VAE.mlp(D, 2, (4,), beta=100.0)
    theta, x, noise = batch(model)
    theta = theta.copy()
    for name in ("encoder.2.W", "encoder.2.b"):
        theta[name][...] = 0
    loss, grads = model.loss_and_grad(theta, x, noise)
    _, without = VAE.mlp(D, 2, (4,), beta=0.0).loss_and_grad(theta, x, noise)
    np.testing.assert_array_equal(loss.terms["kl"], 0)
    np.testing.assert_array_equal(grads.flat, without.flat)
