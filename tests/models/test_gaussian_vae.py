"""The VAE's gradient, through the loss value that it returns, and what a gradient check cannot see."""

from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian, FullGaussian, LearnedGaussian
from npvae.layers import ACTIVATIONS
from npvae.models import GaussianVAE
from npvae.parameters import Parameters
from tests.numerical import assert_gradient, frozen

LIKELIHOODS = {"Bernoulli": Bernoulli(), "DiagonalGaussian": DiagonalGaussian(), "FixedGaussian": FixedGaussian(0.8)}
D = 3
EXACT = ("monte-carlo", "iwae")  # bounds, beside the default one, whose gradient is the derivative of the loss
CASES = [
    pytest.param(
        GaussianVAE(D, 2, hidden=(4,), activation=activation, likelihood=LIKELIHOODS[name], n_samples=L, beta=beta),
        id=f"{activation} {name} L={L} beta={beta}",
    )
    for activation, name, L, beta in product(ACTIVATIONS, LIKELIHOODS, (1, 3), (1.0, 0.25))
] + [
    pytest.param(
        GaussianVAE(D, 2, (4,), "tanh", LIKELIHOODS[name], n_samples=L, bound=bound), id=f"{bound} {name} L={L}"
    )
    for name, L, bound in product(LIKELIHOODS, (1, 3), EXACT)
]
every_case = pytest.mark.parametrize("model", CASES)
every_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS.keys())


def batch(model, n=4, dtype=np.float64, seed=0):
    """Random parameters (biases too), data in [0, 1], and noise, all read-only."""
    rng = np.random.default_rng(seed)
    theta = Parameters(model.shapes, dtype)
    theta.flat[:] = 0.7 * rng.standard_normal(theta.flat.size)
    theta.flat.flags.writeable = False
    x, noise = frozen(rng.random((n, model.n_features)).astype(dtype), model.draw_noise(rng, n, dtype))
    return Parameters(model.shapes, flat=theta.flat), x, noise


def assert_model_gradient(model, n=4):
    theta, x, noise = batch(model, n)
    loss, grads = model.loss_and_grad(theta, x, noise)
    assert loss.value == model.loss(theta, x, noise).value

    for name in theta:

        def value(changed, name=name):
            other = theta.astype(changed.dtype)
            other[name][...] = changed
            return model.loss(other, x, noise).value

        assert_gradient(value, theta[name], grads[name], name)


@every_case
def test_the_gradient_is_the_derivative_of_the_returned_value(model):
    assert_model_gradient(model)


@pytest.mark.parametrize("hidden", [(), (5, 4), [3, 2, 4]], ids=str)
@every_likelihood
def test_the_gradient_is_right_for_any_depth(hidden, likelihood):
    assert_model_gradient(GaussianVAE(D, 2, hidden=hidden, activation="tanh", likelihood=likelihood, n_samples=2))


def test_the_gradient_is_right_for_a_single_row_and_a_single_latent():
    assert_model_gradient(GaussianVAE(2, 1, hidden=(3,), activation="softplus"), n=1)


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
    model = GaussianVAE(D, 2, (4,), "tanh", likelihood, n_samples, beta=0.5)
    theta, x, noise = batch(model)
    x = (x > 0.5).astype(float)
    reconstruction, kl = by_scipy(model, theta, x, noise)
    loss = model.loss(theta, x, noise)
    np.testing.assert_allclose(loss.terms["reconstruction"], reconstruction, rtol=1e-12)
    np.testing.assert_allclose(loss.terms["kl"], kl, rtol=1e-12)
    assert loss.value == pytest.approx((reconstruction + 0.5 * kl).mean(), rel=1e-12)


@every_likelihood
def test_the_importance_weighted_bound_is_what_scipy_and_the_definition_say(likelihood):
    model = GaussianVAE(D, 2, (4,), "tanh", likelihood, n_samples=3, bound="iwae")
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
        ({"bound": "stl", "free_bits": 0.1}, r"free_bits needs bound='elbo'.*got bound='stl'"),
        ({"posterior": FullGaussian(), "free_bits": 0.1}, r"free_bits needs.*posterior=FullGaussian\(\)"),
        ({"free_bits": -0.1}, r"free_bits must be at least 0, got -0\.1"),
        ({"weight_precision": -1}, r"weight_precision must be at least 0, got -1"),
    ],
    ids=str,
)
def test_what_a_bound_has_no_place_for_is_refused_with_the_reason(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianVAE(D, 2, **settings)


@pytest.mark.parametrize("bound", ["monte-carlo", "stl", "score-function", "iwae", "dreg"])
def test_every_bound_has_the_terms_of_the_elbo_and_the_same_decoder_gradient_at_one_sample(bound):
    """With one sample all of them are the ELBO of that sample, and none touches the decoder's gradient."""
    model, plain = GaussianVAE(D, 2, (4,), bound=bound), GaussianVAE(D, 2, (4,))
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
    monkeypatch.setattr("npvae.distributions.standard_normal.log_prob", refuse)
    model = GaussianVAE(D, 2, (4,))
    model.loss_and_grad(*batch(model))


def test_free_bits_cost_at_least_what_is_free_and_bend_only_the_encoder():
    """Both sides of the threshold: one latent of the two is pushed to the prior and one is not."""
    model, plain = (GaussianVAE(D, 2, (), free_bits=bits, beta=2.0) for bits in (0.3, 0.0))
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
    model, plain = (GaussianVAE(D, 2, (4,), bound="iwae", weight_precision=p) for p in (0.25, 0.0))
    theta, x, noise = batch(model)
    (loss, grads), (expected, without) = (m.loss_and_grad(theta, x, noise) for m in (model, plain))
    np.testing.assert_allclose(loss.terms["weights"], np.full(len(x), 0.5 * (theta.flat**2).sum()), rtol=1e-13)
    assert loss.value == pytest.approx(expected.value + 0.125 * (theta.flat**2).sum(), rel=1e-13)
    np.testing.assert_allclose(grads.flat - without.flat, 0.25 * theta.flat, atol=1e-13)
    assert "weights" not in expected.terms
    assert model.loss(theta, x, noise).value == loss.value


def test_a_shared_variance_is_a_trained_constant_behind_what_the_decoder_puts_out():
    model = GaussianVAE(D, 2, (4,), likelihood=LearnedGaussian(shared=True))
    assert {name: s for name, s in model.shapes.items() if name[:9] in ("decoder.2", "decoder.3")} == {
        "decoder.2.W": (4, D),
        "decoder.2.b": (D,),
        "decoder.3.b": (1,),
    }
    assert_model_gradient(model)
    moments = np.array([[0.1, 0.5, 0.8], [0.01, 0.0, 0.05]])
    theta = model.init(np.random.default_rng(0), np.float64, *moments)
    np.testing.assert_array_equal(theta["decoder.2.b"], model.likelihood.output_bias(*moments)[:D])
    np.testing.assert_array_equal(theta["decoder.3.b"], model.likelihood.output_bias(*moments)[D:])
    assert theta["decoder.3.b"] == pytest.approx(np.log(0.02), abs=0.01)
    theta["decoder.3.b"][...] = -0.7
    assert (model.decode(theta, np.random.default_rng(1).standard_normal((5, 2)))[:, D] == -0.7).all()


def test_a_posterior_with_correlations_has_its_own_width_and_gradient():
    for bound in ("elbo", *EXACT):
        model = GaussianVAE(D, 2, (4,), "tanh", posterior=FullGaussian(), n_samples=2, bound=bound)
        assert model.shapes["encoder.2.b"] == (5,)
        assert_model_gradient(model)


@every_likelihood
def test_a_batch_twice_over_has_the_same_value_and_gradient(likelihood):
    model = GaussianVAE(D, 2, (4,), likelihood=likelihood, n_samples=3)
    theta, x, noise = batch(model)
    loss, grads = model.loss_and_grad(theta, x, noise)
    twice, same = model.loss_and_grad(theta, np.tile(x, (2, 1)), np.tile(noise, (1, 2, 1)))
    assert twice.value == pytest.approx(loss.value, rel=1e-14)
    np.testing.assert_allclose(same.flat, grads.flat, rtol=0, atol=1e-14)


@every_likelihood
def test_value_and_gradient_are_means_over_rows_and_over_samples(likelihood):
    many = GaussianVAE(D, 2, (4,), likelihood=likelihood, n_samples=3)
    one = GaussianVAE(D, 2, (4,), likelihood=likelihood)
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
    model = GaussianVAE(D, 2, (5, 4), likelihood=likelihood, n_samples=2)
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
    model = GaussianVAE(D, 2, (5, 4))
    theta, x, noise = batch(model)
    _, grads = model.loss_and_grad(theta, x, noise)
    assert grads.shapes == theta.shapes
    assert np.isfinite(grads.flat).all()


def test_beta_weighs_the_kl_in_value_and_gradient_but_not_in_its_term():
    models = {beta: GaussianVAE(D, 2, (4,), beta=beta) for beta in (0.0, 1.0, 3.0)}
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
    model = GaussianVAE(D, 2, (4,), "tanh", beta=2.0, **settings)
    changed, built = model.with_beta(0.25), GaussianVAE(D, 2, (4,), "tanh", beta=0.25, **settings)
    assert changed == built
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
        GaussianVAE(D, 2).with_beta(-1)
    with pytest.raises(ValueError, match="beta must be 1 with bound='iwae'"):
        GaussianVAE(D, 2, bound="iwae").with_beta(0.5)


def test_at_the_prior_the_kl_is_zero_and_asks_for_nothing():
    model = GaussianVAE(D, 2, (4,), beta=100.0)
    theta, x, noise = batch(model)
    theta = theta.copy()
    for name in ("encoder.2.W", "encoder.2.b"):
        theta[name][...] = 0
    loss, grads = model.loss_and_grad(theta, x, noise)
    _, without = GaussianVAE(D, 2, (4,), beta=0.0).loss_and_grad(theta, x, noise)
    np.testing.assert_array_equal(loss.terms["kl"], 0)
    np.testing.assert_array_equal(grads.flat, without.flat)


def test_initial_parameters_follow_from_the_seed_in_the_asked_dtype():
    model = GaussianVAE(20, 2, (30,))
    for dtype in (np.float32, np.float64):
        theta = model.init(np.random.default_rng(4), dtype)
        assert (theta.shapes, theta.dtype) == (dict(model.shapes), dtype)
        np.testing.assert_array_equal(theta.flat, model.init(np.random.default_rng(4), dtype).flat)
        assert (theta["encoder.0.W"] != model.init(np.random.default_rng(5), dtype)["encoder.0.W"]).any()
        assert not any(theta[name].any() for name in theta if name.endswith("b"))
    assert theta["encoder.0.W"].var() == pytest.approx(1 / (3 * 20), rel=0.2)
    assert theta["decoder.2.W"].var() == pytest.approx(1 / (3 * 30), rel=0.2)


@every_likelihood
def test_with_the_mean_of_the_data_the_decoder_starts_there(likelihood):
    model = GaussianVAE(D, 2, (4,), likelihood=likelihood)
    mean = np.array([0.1, 0.5, 0.8])
    kept = mean.copy()
    theta = model.init(np.random.default_rng(0), np.float64, mean=mean)
    np.testing.assert_array_equal(mean, kept)
    z = np.random.default_rng(1).standard_normal((50, 2))
    np.testing.assert_allclose(likelihood.mean(model.decode(theta, np.zeros((1, 2))))[0], mean, rtol=1e-13)
    theta["decoder.2.W"][...] = 0
    np.testing.assert_allclose(likelihood.mean(model.decode(theta, z)), np.tile(mean, (50, 1)), rtol=1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_at_the_start_what_is_decoded_lies_around_the_mean_of_the_data(activation):
    model = GaussianVAE(100, 5, (50,), activation)
    mean = np.random.default_rng(0).random(100)
    z = np.random.default_rng(2).standard_normal((500, 5))
    told, untold = (model.init(np.random.default_rng(1), np.float64, mean=given) for given in (mean, None))
    off, without = (abs(expit(model.decode(theta, z)) - mean).mean() for theta in (told, untold))
    assert off < 0.15
    assert off < 0.5 * without


def test_noise_is_standard_normal_of_shape_samples_rows_latents():
    model = GaussianVAE(D, 5, n_samples=3)
    for dtype in (np.float32, np.float64):
        noise = model.draw_noise(np.random.default_rng(0), 2000, dtype)
        assert (noise.shape, noise.dtype) == ((3, 2000, 5), dtype)
        assert scipy.stats.kstest(noise.ravel(), "norm").pvalue > 0.01


@every_likelihood
def test_encode_and_decode_are_the_halves_of_the_loss(likelihood):
    model = GaussianVAE(D, 2, (4,), "tanh", likelihood)
    theta, x, noise = batch(model)
    a = model.encode(theta, x)
    assert a.shape == (len(x), 4)
    z, _ = DiagonalGaussian().sample(a, noise[0])
    b = model.decode(theta, z)
    assert b.shape == (len(x), likelihood.n_params(D))
    loss = model.loss(theta, x, noise)
    np.testing.assert_allclose(loss.terms["kl"], DiagonalGaussian().kl(a)[0], rtol=1e-13)
    np.testing.assert_allclose(loss.terms["reconstruction"], -likelihood.log_prob(b, x)[0], rtol=1e-13)


def test_the_decoder_has_the_encoders_widths_in_reverse():
    assert GaussianVAE(6, 2, (5, 4)).shapes == {
        **{"encoder.0.W": (6, 5), "encoder.0.b": (5,), "encoder.2.W": (5, 4), "encoder.2.b": (4,)},
        **{"encoder.4.W": (4, 4), "encoder.4.b": (4,)},
        **{"decoder.0.W": (2, 4), "decoder.0.b": (4,), "decoder.2.W": (4, 5), "decoder.2.b": (5,)},
        **{"decoder.4.W": (5, 6), "decoder.4.b": (6,)},
    }


def test_an_unknown_activation_or_initialiser_is_refused_with_the_nearest_known():
    with pytest.raises(ValueError, match=r"^activation must be one of .*, got 'tahn'; did you mean 'tanh'\?$"):
        GaussianVAE(D, 2, activation="tahn")
    with pytest.raises(ValueError, match=r"^init must be one of .*, got 'glorrot'; did you mean 'glorot'\?$"):
        GaussianVAE(D, 2, init_weights="glorrot")


@given(
    n=st.integers(1, 4),
    d=st.integers(1, 4),
    latent_dim=st.integers(1, 3),
    hidden=st.lists(st.integers(1, 4), max_size=2),
    n_samples=st.integers(1, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_widths_rows_and_samples_go_through(n, d, latent_dim, hidden, n_samples, dtype):
    model = GaussianVAE(d, latent_dim, hidden, n_samples=n_samples)
    theta, x, noise = batch(model, n, dtype)
    loss, grads = model.loss_and_grad(theta, x, noise)
    assert {name: term.shape for name, term in loss.terms.items()} == {"reconstruction": (n,), "kl": (n,)}
    assert np.isfinite(loss.value)
    assert (grads.shapes, grads.dtype) == (dict(model.shapes), dtype)
    assert np.isfinite(grads.flat).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_features": 0}, "n_features must be at least 1, got 0"),
        ({"latent_dim": -2}, "latent_dim must be at least 1, got -2"),
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"hidden": (3, 0)}, r"hidden\[1\] must be at least 1, got 0"),
        ({"beta": -1.0}, "beta must be at least 0, got -1"),
        ({"beta": np.nan}, "beta must be finite, got nan"),
    ],
)
def test_sizes_and_weights_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianVAE(**{"n_features": 3, "latent_dim": 2} | arguments)


def test_shapes_that_do_not_fit_are_refused_by_name():
    model = GaussianVAE(3, 2, hidden=4)
    theta, x, noise = batch(model, 4)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(4, 2\)"):
        model.loss(theta, x[:, :2], noise)
    with pytest.raises(ValueError, match=r"noise must have shape \(L, 4, 2\), got \(1, 3, 2\)"):
        model.loss_and_grad(theta, x, noise[:, :3])
    with pytest.raises(ValueError, match=r"noise must have shape \(L, 4, 2\), got \(0, 4, 2\)"):
        model.loss(theta, x, noise[:0])
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(0, 3\)"):
        model.loss(theta, x[:0], noise[:, :0])
    with pytest.raises(ValueError, match=r"mean must have shape \(3,\), got \(1,\)"):
        model.init(np.random.default_rng(0), mean=np.ones(1))
    with pytest.raises(ValueError, match=r"var must have shape \(3,\), got \(2,\)"):
        model.init(np.random.default_rng(0), mean=np.ones(3), var=np.ones(2))
    with pytest.raises(ValueError, match="var needs the mean beside it, got mean=None"):
        model.init(np.random.default_rng(0), var=np.ones(3))


def test_models_with_the_same_settings_are_equal_and_hashable():
    assert GaussianVAE(3, 2, hidden=[4, 5]) == GaussianVAE(3, 2, hidden=(4, 5))
    assert len({GaussianVAE(3, 2), GaussianVAE(3, 2), GaussianVAE(3, 1)}) == 2


def test_numpy_scalars_as_settings_keep_float32():
    model = GaussianVAE(3, 2, hidden=4, likelihood=FixedGaussian(np.float64(0.7)), beta=np.float64(0.5))
    theta, x, noise = batch(model, 4, np.float32)
    loss, grads = model.loss_and_grad(theta, x, noise)
    assert (loss.value.dtype, grads.dtype) == (np.float32, np.float32)
