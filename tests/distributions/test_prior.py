"""The priors: their densities against SciPy's; their gradients and draws."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import Bernoulli, LearnedBernoulli, StandardNormal, UniformBernoulli
from tests.numerical import assert_gradient, frozen

STANDARD = StandardNormal()
(Z,) = frozen(np.random.default_rng(0).standard_normal((3, 4, 2)))


@pytest.mark.parametrize("z", [Z, Z[0], Z[0, 0], 30 * Z], ids=lambda z: str(z.shape))
def test_the_density_is_scipys_summed_over_the_dimensions(z):
    np.testing.assert_allclose(STANDARD.log_prob(z)[0], scipy.stats.norm.logpdf(z).sum(axis=-1), rtol=1e-14)


def test_the_gradient():
    value, cache = STANDARD.log_prob(Z)
    upstream = np.random.default_rng(1).standard_normal(value.shape)
    dz = STANDARD.log_prob_backward(cache, upstream)
    assert_gradient(lambda z: (upstream * STANDARD.log_prob(z)[0]).sum(), Z, dz, "z")


def test_float32_stays_float32():
    value, cache = STANDARD.log_prob(Z.astype(np.float32))
    assert value.dtype == STANDARD.log_prob_backward(cache, value).dtype == np.float32


@pytest.mark.parametrize("prior", [STANDARD, UniformBernoulli()], ids=repr)
def test_without_parameters_nothing_is_shaped_or_drawn(prior):
    assert prior.shapes == prior.init(np.random.default_rng(0)) == {}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("prior", [STANDARD, UniformBernoulli(), LearnedBernoulli(3)], ids=repr)
def test_draws_have_the_mean_and_keep_their_dtype(prior, dtype):
    params = {name: np.array([0.5, -1, 2], dtype) for name in prior.shapes}
    z = prior.sample(prior.draw_noise(np.random.default_rng(1), (20_000, 3), dtype), params)
    assert z.dtype == dtype
    np.testing.assert_allclose(z.mean(axis=0), prior.mean(3, params), atol=0.03)
    assert prior.log_prob(z, params)[0].dtype == dtype


def test_a_draw_of_n_0_i_is_a_copy_of_its_noise():
    z = STANDARD.sample(Z)
    np.testing.assert_array_equal(z, Z)
    assert not np.shares_memory(z, Z)


def test_the_bernoulli_densities_are_scipys_and_sum_to_one():
    z = np.array([[i >> j & 1 for j in range(3)] for i in range(8)], float)
    b = np.array([0.5, -1.0, 30.0])
    for prior, params in ((UniformBernoulli(), {}), (LearnedBernoulli(3), {"b": b})):
        log_p = prior.log_prob(z, params)[0]
        expected = scipy.stats.bernoulli.logpmf(z, prior.mean(3, params)).sum(axis=1)
        np.testing.assert_allclose(log_p[z[:, 2] == 1], expected[z[:, 2] == 1], rtol=1e-12)
        assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-13)


def test_a_learned_bernoulli_starts_as_the_uniform_one():
    prior, z = LearnedBernoulli(4), np.ones((2, 4))
    params = prior.init(np.random.default_rng(0))
    np.testing.assert_allclose(prior.log_prob(z, params)[0], UniformBernoulli().log_prob(z)[0], rtol=1e-15)


@pytest.mark.parametrize("leading", [(5,), (2, 5)])
def test_the_gradients_of_a_learned_bernoulli(leading):
    rng = np.random.default_rng(2)
    prior, z, b = LearnedBernoulli(3), rng.standard_normal((*leading, 3)), rng.standard_normal(3)
    value, cache = prior.log_prob(z, {"b": b})
    upstream, grads = rng.standard_normal(value.shape), {"b": np.full(3, np.nan)}
    dz = prior.log_prob_backward(cache, upstream, grads)
    assert_gradient(lambda z: (upstream * prior.log_prob(z, {"b": b})[0]).sum(), z, dz, "z")
    assert_gradient(lambda b: (upstream * prior.log_prob(z, {"b": b})[0]).sum(), b, grads["b"], "b")


def test_the_kl_of_a_bernoulli_is_that_over_all_latents():
    rng = np.random.default_rng(3)
    z = np.array([[i >> j & 1 for j in range(3)] for i in range(8)], float)
    a, b, q = rng.standard_normal((5, 3)), rng.standard_normal(3), Bernoulli()
    for prior, params in ((UniformBernoulli(), {}), (LearnedBernoulli(3), {"b": b})):
        log_q = q.log_prob(a[:, None], z)[0]
        expected = (np.exp(log_q) * (log_q - prior.log_prob(z, params)[0])).sum(axis=1)
        np.testing.assert_allclose(q.kl(a, prior, params)[0], expected, rtol=1e-12)


def test_a_kl_that_has_no_closed_form_is_refused():
    with pytest.raises(ValueError, match=r"to which Bernoulli\(\) has an analytic KL, got Standard"):
        Bernoulli().kl(np.zeros((2, 3)), STANDARD)
