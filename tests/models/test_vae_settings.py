"""How a VAE begins, what goes through it, and what it refuses."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from npvae.distributions import DiagonalGaussian, FixedGaussian
from npvae.layers import ACTIVATIONS
from npvae.models import VAE
from tests.models.vaes import D, batch, every_likelihood


def test_initial_parameters_follow_from_the_seed_in_the_asked_dtype():
    model = VAE.mlp(20, 2, (30,))
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
    model = VAE.mlp(D, 2, (4,), likelihood=likelihood)
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
    model = VAE.mlp(100, 5, (50,), activation)
    mean = np.random.default_rng(0).random(100)
    z = np.random.default_rng(2).standard_normal((500, 5))
    told, untold = (model.init(np.random.default_rng(1), np.float64, mean=given) for given in (mean, None))
    off, without = (abs(expit(model.decode(theta, z)) - mean).mean() for theta in (told, untold))
    assert off < 0.15
    assert off < 0.5 * without


def test_noise_is_standard_normal_of_shape_samples_rows_latents():
    model = VAE.mlp(D, 5, n_samples=3)
    for dtype in (np.float32, np.float64):
        noise = model.draw_noise(np.random.default_rng(0), 2000, dtype)
        assert (noise.shape, noise.dtype) == ((3, 2000, 5), dtype)
        assert scipy.stats.kstest(noise.ravel(), "norm").pvalue > 0.01


@every_likelihood
def test_encode_and_decode_are_the_halves_of_the_loss(likelihood):
    model = VAE.mlp(D, 2, (4,), "tanh", likelihood)
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
    assert VAE.mlp(6, 2, (5, 4)).shapes == {
        **{"encoder.0.W": (6, 5), "encoder.0.b": (5,), "encoder.2.W": (5, 4), "encoder.2.b": (4,)},
        **{"encoder.4.W": (4, 4), "encoder.4.b": (4,)},
        **{"decoder.0.W": (2, 4), "decoder.0.b": (4,), "decoder.2.W": (4, 5), "decoder.2.b": (5,)},
        **{"decoder.4.W": (5, 6), "decoder.4.b": (6,)},
    }


def test_an_unknown_activation_or_initialiser_is_refused_with_the_nearest_known():
    with pytest.raises(ValueError, match=r"^activation must be one of .*, got 'tahn'; did you mean 'tanh'\?$"):
        VAE.mlp(D, 2, activation="tahn")
    with pytest.raises(ValueError, match=r"^init_weights must be one of .*, got 'glorrot'; did you mean 'glorot'\?$"):
        VAE.mlp(D, 2, init_weights="glorrot")


@given(
    n=st.integers(1, 4),
    d=st.integers(1, 4),
    latent_dim=st.integers(1, 3),
    hidden=st.lists(st.integers(1, 4), max_size=2),
    n_samples=st.integers(1, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_widths_rows_and_samples_go_through(n, d, latent_dim, hidden, n_samples, dtype):
    model = VAE.mlp(d, latent_dim, hidden, n_samples=n_samples)
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
        VAE.mlp(**{"n_features": 3, "latent_dim": 2} | arguments)


def test_shapes_that_do_not_fit_are_refused_by_name():
    model = VAE.mlp(3, 2, hidden=4)
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
    with pytest.raises(ValueError, match="mean must be given where var is, got None"):
        model.init(np.random.default_rng(0), var=np.ones(3))


def test_numpy_scalars_as_settings_keep_float32():
    model = VAE.mlp(3, 2, hidden=4, likelihood=FixedGaussian(np.float64(0.7)), beta=np.float64(0.5))
    theta, x, noise = batch(model, 4, np.float32)
    loss, grads = model.loss_and_grad(theta, x, noise)
    assert (loss.value.dtype, grads.dtype) == (np.float32, np.float32)
