"""Wake-sleep of bits: the mean of each phase over all its draws is the exact gradient of what it minimises."""

import numpy as np
import pytest

from npvae.evaluation.enumeration import binary_states
from npvae.models import BinaryVAE, BinaryWakeSleep, DreamNoise
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from tests.numerical import complex_step

WIDTHS = (3, 2, 1)
X = np.array([[1.0, 0, 1]])


def model_of(**settings):
    return BinaryWakeSleep(BinaryVAE(3, WIDTHS[1:], estimator="no-baseline", learned_prior=True, **settings))


def parameters(model):
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = 0.8 * np.random.default_rng(0).standard_normal(theta.flat.size)
    return theta


def noise_for(states):
    """Uniform noise that gives these bits whatever the probabilities are, (1, d_t) each."""
    return tuple(1.0 - np.atleast_2d(state) - 1e-16 * (state == 0) for state in states)


def split(states):
    return np.split(states, np.cumsum(WIDTHS)[:-1], axis=1)


def log_q(vae, theta, x, zs):
    logits, _ = vae.encoder.logits(theta.section("encoder"), x, [z[None] for z in zs])
    return vae.encoder.log_prob(logits, [z[None] for z in zs])[0].sum(axis=0)[0]


def log_p(vae, theta, x, zs):
    return vae.decoder.log_prob(theta.section("decoder"), x, [z[None] for z in zs])[0].sum(axis=0)[0]


def test_the_mean_of_both_phases_over_all_draws_is_the_gradient_of_what_they_minimise():
    model = model_of()
    theta, vae = parameters(model), model.vae
    dreams, z = split(binary_states(6)), binary_states(3)
    awake, x = [z[:, :2], z[:, 2:]], np.repeat(X, 8, axis=0)
    p, q = np.exp(log_p(vae, theta, dreams[0], dreams[1:])), np.exp(log_q(vae, theta, x, awake))
    np.testing.assert_allclose([p.sum(), q.sum()], 1, rtol=1e-12)

    def loss(flat):
        at = Parameters.from_flat(theta.shapes, flat)
        sleep = -(p * log_q(vae, at, dreams[0], dreams[1:])).sum()
        return sleep - (q * log_p(vae, at, x, awake)).sum()

    def gradient(wake, sleep):
        noise = DreamNoise(tuple(u[None] for u in noise_for(wake)), noise_for(sleep))
        return model.loss_and_grad(theta, X, noise)[1]

    mean = theta.zeros_like()
    for i in range(64):
        mean.section("encoder").flat[:] += (
            p[i] * gradient([z[0, :2], z[0, 2:]], [d[i] for d in dreams]).section("encoder").flat
        )
    for i in range(8):
        mean.section("decoder").flat[:] += (
            q[i] * gradient([a[i] for a in awake], [d[0] for d in dreams]).section("decoder").flat
        )
    np.testing.assert_allclose(mean.flat, complex_step(loss, theta.flat.copy()), rtol=0, atol=1e-10)


def test_the_loss_is_the_elbo_of_the_vae_and_dreams_are_as_many_as_data():
    model = model_of(n_samples=4)
    theta, x = parameters(model), np.repeat(X, 5, axis=0)
    noise = model.draw_noise(np.random.default_rng(1), 5, np.float64)
    assert [u.shape for u in noise.wake] == [(4, 5, 2), (4, 5, 1)]
    assert [u.shape for u in noise.sleep] == [(5, 3), (5, 2), (5, 1)]
    loss, _ = model.loss_and_grad(theta, x, noise)
    expected = model.vae.loss(theta, x, noise.wake).per_datum
    np.testing.assert_array_equal(loss.per_datum, expected)
    np.testing.assert_array_equal(model.loss(theta, x, noise).per_datum, expected)


def test_it_learns_a_few_patterns():
    rng = np.random.default_rng(2)
    patterns = (rng.random((4, 16)) < 0.5).astype(np.float32)
    x = patterns[rng.integers(0, 4, 200)]
    model = BinaryWakeSleep(BinaryVAE(16, (8,), estimator="no-baseline", learned_prior=True))
    theta, adam = model.init(rng, mean=x.mean(axis=0)), Adam(0.02)
    state = adam.init(theta.flat)
    losses = []
    for _ in range(300):
        loss, dtheta = model.loss_and_grad(theta, x, model.draw_noise(rng, len(x)))
        adam.step(theta.flat, dtheta.flat, state)
        losses.append(loss.value)
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 4


def test_an_estimator_with_networks_of_its_own_is_refused():
    with pytest.raises(ValueError, match="vae must have estimator='no-baseline' for wake-sleep, got 'nvil'"):
        BinaryWakeSleep(BinaryVAE(3))
