"""Wake-sleep: each phase against its definition, with SciPy's densities and the VAE's own gradient."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian
from npvae.models import VAE, WakeSleep
from npvae.optimizers import Adam
from npvae.training import train
from tests.numerical import assert_gradient, frozen

D = 3
every_likelihood = pytest.mark.parametrize(
    "likelihood",
    [Bernoulli(), FixedGaussian(0.8), DiagonalGaussian()],
    ids=lambda thing: type(thing).__name__,
)


def batch(likelihood, n=4, n_samples=2, dtype=np.float64):
    model = WakeSleep(VAE.mlp(D, 2, (4,), "tanh", likelihood, n_samples))
    rng = np.random.default_rng(0)
    theta = model.init(rng, dtype)
    theta.flat += 0.5 * rng.standard_normal(theta.flat.size, dtype=dtype)
    (x,) = frozen(rng.integers(0, 2, (n, D)).astype(dtype))
    return model, theta, x, model.draw_noise(rng, n, dtype)


@every_likelihood
def test_the_loss_is_the_elbo_of_the_vae(likelihood):
    model, theta, x, noise = batch(likelihood)
    expected = model.vae.loss(theta, x, noise.eps)
    for loss in (model.loss(theta, x, noise), model.loss_and_grad(theta, x, noise)[0]):
        for name, term in expected.terms.items():
            np.testing.assert_array_equal(loss.terms[name], term)
        assert loss.value == expected.value


@every_likelihood
def test_awake_the_decoder_goes_the_way_of_the_elbo(likelihood):
    model, theta, x, noise = batch(likelihood)
    _, dtheta = model.loss_and_grad(theta, x, noise)
    _, gradient = model.vae.loss_and_grad(theta, x, noise.eps)
    np.testing.assert_allclose(dtheta.section("decoder").flat, gradient.section("decoder").flat, atol=1e-14)


@every_likelihood
def test_asleep_the_encoder_learns_the_latents_of_the_dreams(likelihood):
    model, theta, x, noise = batch(likelihood)
    _, dtheta = model.loss_and_grad(theta, x, noise)
    a_x = model.vae.decode(theta, noise.z)
    if isinstance(likelihood, Bernoulli):
        dream = (noise.u < 1 / (1 + np.exp(-a_x))).astype(float)
    elif isinstance(likelihood, FixedGaussian):
        dream = a_x + 0.8 * noise.u
    else:
        dream = a_x[:, :D] + np.exp(a_x[:, D:] / 2) * noise.u

    def value(changed, name):
        other = theta.astype(changed.dtype)
        other[name][...] = changed
        hidden = np.tanh(dream @ other["encoder.0.W"] + other["encoder.0.b"])
        mu, log_var = np.split(hidden @ other["encoder.2.W"] + other["encoder.2.b"], 2, axis=1)
        return 0.5 * (np.log(2 * np.pi) + log_var + (noise.z - mu) ** 2 / np.exp(log_var)).sum(axis=1).mean()

    for name in theta:
        if name.startswith("encoder"):
            assert_gradient(lambda changed, name=name: value(changed, name), theta[name], dtheta[name], name)


def test_data_do_not_reach_the_encoder_nor_dreams_the_decoder():
    model, theta, x, noise = batch(Bernoulli())
    _, dtheta = model.loss_and_grad(theta, x, noise)
    _, other_data = model.loss_and_grad(theta, 1 - x, noise)
    _, other_dreams = model.loss_and_grad(theta, x, noise._replace(z=noise.z + 1, u=1 - noise.u))
    np.testing.assert_array_equal(dtheta.section("encoder").flat, other_data.section("encoder").flat)
    np.testing.assert_array_equal(dtheta.section("decoder").flat, other_dreams.section("decoder").flat)
    assert (dtheta["decoder.2.W"] != other_data["decoder.2.W"]).all()
    assert (dtheta["encoder.2.W"] != other_dreams["encoder.2.W"]).all()


def test_the_noise_is_normal_awake_and_the_priors_and_the_likelihoods_asleep():
    model = WakeSleep(VAE.mlp(D, 5, n_samples=2))
    noise = model.draw_noise(np.random.default_rng(0), 2000)
    assert [part.shape for part in noise] == [(2, 2000, 5), (2000, 5), (2000, D)]
    assert all(part.dtype == np.float32 for part in noise)
    for part, name in zip(noise, ("norm", "norm", "uniform"), strict=True):
        assert scipy.stats.kstest(part.ravel(), name).pvalue > 0.01


@every_likelihood
def test_float32_stays_float32(likelihood):
    model, theta, x, noise = batch(likelihood, dtype=np.float32)
    loss, dtheta = model.loss_and_grad(theta, x, noise)
    assert loss.value.dtype == dtheta.dtype == np.float32


def test_it_trains_on_data_that_one_latent_explains():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.integers(0, 2, (200, 1)), 8, axis=1).astype(np.float32)
    model = WakeSleep(VAE.mlp(8, 1, (8,), "tanh"))
    run = train(model, model.init(rng), x, optimizer=Adam(0.01), epochs=60, batch_size=50)
    assert run.history["loss"][0] > 5
    assert run.history["loss"][-1] < 2.5


@pytest.mark.parametrize("settings", [{"bound": "iwae"}, {"beta": 2.0}, {"free_bits": 0.1}, {"weight_precision": 0.1}])
def test_another_objective_is_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"vae must have {name}="):
        WakeSleep(VAE.mlp(D, 2, **settings))


def test_data_and_noise_that_do_not_fit_are_refused():
    model, theta, x, noise = batch(Bernoulli())
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(4, 2\)"):
        model.loss_and_grad(theta, x[:, :2], noise)
    with pytest.raises(ValueError, match=r"noise must have shape \(L, 3, 2\), got \(2, 4, 2\)"):
        model.loss_and_grad(theta, x[:3], noise)
