"""Restored images against the closed form of a linear decoder."""

import numpy as np
import pytest

from npvae.distributions import Bernoulli, DiscretizedLogistic, LogisticMixture, UniformBernoulli
from npvae.evaluation.operators import identity, mask, matrix
from npvae.evaluation.restoration import LatentPosterior, most_probable, restore
from npvae.evaluation.restoration import _scale_reduction as scale_reduction
from npvae.models import VAE
from tests.evaluation.linear_gaussian import Linear
from tests.numerical import central_difference

NOISE = 0.5
SEEN = np.array([True, False, True, True])


class Seen:
    """Three of four pixels of a linear decoder's images, with the posterior of latents and images in closed form."""

    def __init__(self, operator=None):
        self.linear = Linear(d=2, n_features=4, n=3)
        self.operator = operator or mask(SEEN)
        A = self.operator.forward(np.eye(4)).T
        rng = np.random.default_rng(5)
        self.y = self.operator.forward(self.linear.x) + NOISE * rng.standard_normal((3, self.operator.n_out))
        slope = A @ self.linear.weights.T
        self.cov = np.linalg.inv(np.eye(2) + slope.T @ slope / NOISE**2)
        self.mu = (self.y - A @ self.linear.bias) @ slope @ self.cov / NOISE**2
        self.x = self.mu @ self.linear.weights + self.linear.bias
        self.std = np.sqrt(np.diag(self.linear.weights.T @ self.cov @ self.linear.weights))

    def restored(self, **settings):
        rng = np.random.default_rng(0)
        return restore(self.linear.model, self.linear.theta, self.y, self.operator, NOISE, rng, **settings)


@pytest.mark.parametrize("operator", [mask(SEEN), matrix(np.arange(8.0).reshape(2, 4) / 4)], ids=["mask", "matrix"])
def test_mean_and_covariance_are_those_of_the_closed_form(operator):
    seen = Seen(operator)
    found = seen.restored(chains=20, warm_up=60, steps=100)
    latents = found.latents.transpose(2, 0, 1, 3).reshape(3, -1, 2)
    for z, mu in zip(latents, seen.mu, strict=True):
        np.testing.assert_allclose(z.mean(axis=0), mu, atol=0.08)
        np.testing.assert_allclose(np.cov(z.T), seen.cov, atol=0.08)
    np.testing.assert_allclose(found.mean, seen.x, atol=0.05)
    np.testing.assert_allclose(found.std, np.tile(seen.std, (3, 1)), rtol=0.08)
    assert 0.6 < found.acceptance.mean() < 0.95
    assert found.disagreement.max() < 1.1


def test_the_most_probable_image_of_a_gaussian_is_its_mean():
    seen = Seen()
    x, z = most_probable(
        seen.linear.model, seen.linear.theta, seen.y, seen.operator, NOISE, np.random.default_rng(0), starts=2
    )
    np.testing.assert_allclose(z, seen.mu, atol=1e-4)
    np.testing.assert_allclose(x, seen.x, atol=1e-4)


def decoder(seed=0, scale=1.0):
    model = VAE.mlp(6, 2, (5,), "tanh")
    rng = np.random.default_rng(seed)
    theta = model.init(rng, np.float64)
    theta.flat[:] = scale * rng.standard_normal(theta.flat.size)
    return model, theta


def test_the_energy_is_minus_the_log_density_and_its_gradient_fits():
    model, theta = decoder()
    rng = np.random.default_rng(1)
    y, z = rng.standard_normal((3, 6)), rng.standard_normal((3, 2))
    posterior = LatentPosterior(model, theta, identity(6), y, NOISE)
    energy, gradient = posterior.energy_and_grad(z)
    x = 1 / (1 + np.exp(-model.decode(theta, z)))
    np.testing.assert_allclose(posterior.images(z), x, atol=1e-14)
    expected = ((y - x) ** 2).sum(axis=1) / (2 * NOISE**2) + 0.5 * (z**2).sum(axis=1) + np.log(2 * np.pi)
    np.testing.assert_allclose(energy, expected, rtol=1e-12)
    numeric = central_difference(lambda z: posterior.energy(z)[0].sum(), z)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


def test_draws_follow_the_posterior_of_a_nonlinear_decoder():
    """Against the same density on a grid of latents."""
    model, theta = decoder(3)
    y = model.likelihood.mean(model.decode(theta, np.array([[0.7, -0.3]])))[:, :4]
    found = restore(model, theta, y, mask(np.arange(6) < 4), NOISE, np.random.default_rng(0), chains=40, steps=60)
    line = np.linspace(-5, 5, 201)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    x = model.likelihood.mean(model.decode(theta, grid))
    log_p = -((y - x[:, :4]) ** 2).sum(axis=1) / (2 * NOISE**2) - 0.5 * (grid**2).sum(axis=1)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    np.testing.assert_allclose(found.mean[0], p @ x, atol=0.03)
    np.testing.assert_allclose(found.std[0], np.sqrt(p @ x**2 - (p @ x) ** 2), atol=0.03)


def test_more_noise_means_more_uncertainty_and_draws_are_images():
    seen = Seen()
    found = seen.restored(chains=3, warm_up=30, steps=20)
    assert found.draws.shape == (3, 3, 4)
    assert found.latents.shape == (3, 20, 3, 2)
    np.testing.assert_allclose(found.draws, found.latents[:, -1] @ seen.linear.weights + seen.linear.bias, atol=1e-12)
    assert found.acceptance.shape == (3, 3)


def test_a_seed_gives_the_same_restoration_again():
    seen = Seen()
    first, second = (seen.restored(chains=2, warm_up=5, steps=5) for _ in range(2))
    np.testing.assert_array_equal(first.mean, second.mean)


def test_agreement_is_unknown_of_few_steps_and_of_chains_that_stand_still():
    seen = Seen()
    assert np.isnan(seen.restored(chains=2, warm_up=1, steps=3).disagreement).all()
    still = restore(
        seen.linear.model,
        seen.linear.theta,
        seen.y,
        seen.operator,
        1e-12,
        np.random.default_rng(0),
        warm_up=1,
        steps=4,
    )
    np.testing.assert_array_equal(still.acceptance, 0)
    assert not np.isfinite(still.disagreement).any()


def test_halves_of_chains_are_compared_by_the_formula():
    values = np.random.default_rng(0).standard_normal((3, 10, 2)) + np.arange(3.0)[:, None, None]
    halves = np.concatenate([values[:, :5], values[:, 5:]])
    for row in range(2):
        within = np.mean([np.var(half, ddof=1) for half in halves[..., row]])
        pooled = 4 / 5 * within + np.var([half.mean() for half in halves[..., row]], ddof=1)
        assert scale_reduction(values)[row] == pytest.approx(np.sqrt(pooled / within), rel=1e-12)


def test_an_estimator_or_a_matrix_in_the_wrong_place_is_named():
    model, theta = decoder()
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match=r"model must be a npvae.models.VAE, got dict; of an estimator, hand over"):
        restore({}, theta, np.ones((1, 6)), identity(6), 0.1, rng)
    with pytest.raises(TypeError, match=r"operator must be a LinearOperator, got ndarray; operators.matrix makes one"):
        restore(model, theta, np.ones((1, 6)), np.eye(6), 0.1, rng)


def test_what_does_not_fit_is_refused():
    model, theta = decoder()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="operator must be one for 6 features, got one for 4"):
        restore(model, theta, np.ones((1, 4)), identity(4), 0.1, rng)
    with pytest.raises(ValueError, match="y must have 6 features"):
        restore(model, theta, np.ones((1, 4)), identity(6), 0.1, rng)
    with pytest.raises(ValueError, match="sigma must be at least 1e-12, got 0"):
        restore(model, theta, np.ones((1, 6)), identity(6), 0, rng)
    with pytest.raises(ValueError, match="y must be finite"):
        most_probable(model, theta, np.full((1, 6), np.nan), identity(6), 0.1, rng)


@pytest.mark.parametrize("likelihood", [DiscretizedLogistic("sigmoid"), LogisticMixture(2)], ids=repr)
def test_images_of_grey_levels_are_restored_to_half_a_level(likelihood):
    model = VAE.mlp(6, 2, (5,), "tanh", likelihood)
    rng = np.random.default_rng(0)
    theta = model.init(rng, np.float64, np.full(6, 0.5), np.full(6, 0.05))
    theta["decoder.2.W"][...] *= 3
    z = np.array([[0.7, -0.3], [-1.0, 0.5]])
    x = likelihood.mean(model.decode(theta, z))
    found, _ = most_probable(model, theta, x, identity(6), 1e-3, rng, starts=4)
    np.testing.assert_allclose(found, x, atol=0.5 / 255 + 1e-4)
    drawn = restore(model, theta, x, identity(6), 0.02, rng, warm_up=60, steps=40)
    np.testing.assert_allclose(drawn.mean, x, atol=0.03)


class WithoutMeanGrad(Bernoulli):
    mean_grad = property()


def test_a_likelihood_without_the_gradient_of_its_mean_is_refused():
    model = VAE.mlp(6, 2, (5,), likelihood=WithoutMeanGrad())
    theta = model.init(np.random.default_rng(0), np.float64)
    with pytest.raises(ValueError, match="model must have a likelihood that tells the gradient of its mean"):
        restore(model, theta, np.ones((1, 6)), identity(6), 0.1, np.random.default_rng(0))


def test_binary_latents_are_refused():
    settings = {"prior": UniformBernoulli(), "posterior": Bernoulli(), "bound": "score-function"}
    model = VAE.mlp(6, 2, (5,), **settings)
    theta = model.init(np.random.default_rng(0), np.float64)
    with pytest.raises(ValueError, match="model must have real latents for steps along a gradient, got UniformBern"):
        restore(model, theta, np.ones((1, 6)), identity(6), 0.1, np.random.default_rng(0))
