"""The Laplace likelihood against SciPy's, and what is special in it: the kink, and a pull that does not grow."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import Laplace
from npvae.models import VAE
from tests.numerical import assert_gradient

A, X = np.random.default_rng(0).standard_normal((2, 5, 3))


@pytest.mark.parametrize("scale", [0.1, 1.0, 7.0])
def test_density_and_entropy_are_scipys(scale):
    q = Laplace(scale)
    np.testing.assert_allclose(q.log_prob(A, X)[0], scipy.stats.laplace.logpdf(X, A, scale).sum(axis=1), rtol=1e-13)
    np.testing.assert_allclose(q.entropy(A)[0], 3 * scipy.stats.laplace.entropy(scale=scale), rtol=1e-13)


def test_with_a_sigmoid_the_mean_is_that_of_the_logit():
    mean = 1 / (1 + np.exp(-A))
    q = Laplace(0.3, "sigmoid")
    np.testing.assert_allclose(q.mean(A), mean, rtol=1e-13)
    np.testing.assert_allclose(q.log_prob(A, X)[0], scipy.stats.laplace.logpdf(X, mean, 0.3).sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_are_laplace(dtype):
    q = Laplace(0.4)
    eps = q.draw_noise(np.random.default_rng(1), (4000, 3), dtype)
    x, _ = q.sample(np.full(3, 2, dtype), eps)
    assert x.dtype == dtype
    assert scipy.stats.kstest(x.ravel(), "laplace", (2, 0.4)).pvalue > 0.01


def test_an_outlier_pulls_no_harder_than_its_neighbour():
    x = np.array([[1.0, 1e6, -3.0]])
    da = Laplace(0.5).log_prob_backward(Laplace(0.5).log_prob(np.zeros((1, 3)), x)[1], np.ones(1))
    np.testing.assert_array_equal(da, [[2, 2, -2]])


def test_an_exact_fit_has_the_value_of_the_peak_and_no_pull():
    value, cache = Laplace(0.5).log_prob(X, X)
    np.testing.assert_array_equal(value, 0)  # −log 2b
    assert not Laplace(0.5).log_prob_backward(cache, np.ones(5)).any()


@pytest.mark.parametrize("link", ["identity", "sigmoid"])
def test_the_mean_has_a_gradient(link):
    q = Laplace(0.5, link)
    assert_gradient(lambda a: (X * q.mean(a)).sum(), A, q.mean_grad(A, X), "a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "scale must be greater than 0, got 0"),
        ((np.inf,), "scale must be finite, got inf"),
        (("1",), "scale must be a number, got '1'"),
        ((1, "logit"), "link must be one of 'identity', 'sigmoid', got 'logit'"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Laplace(*arguments)


def test_a_vae_learns_with_it():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1)).astype(np.float32) * np.ones(4, np.float32)
    model = VAE.mlp(4, 1, (8,), "tanh", Laplace(0.1))
    theta = model.init(rng, mean=x.mean(axis=0), var=x.var(axis=0))
    before = model.loss(theta, x, model.draw_noise(rng, 200)).value
    for _ in range(300):
        theta.flat -= 0.002 * model.loss_and_grad(theta, x, model.draw_noise(rng, 200))[1].flat
    assert model.loss(theta, x, model.draw_noise(rng, 200)).value < 0.5 * before
