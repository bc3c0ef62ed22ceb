"""A VAE of other parts: networks, posteriors, priors and bounds, and what does not go together."""

import numpy as np
import pytest

from npvae.bounds import BOUNDS, monte_carlo_elbo
from npvae.distributions import (
    Bernoulli,
    DiagonalGaussian,
    FullGaussian,
    LearnedBernoulli,
    LearnedGaussian,
    UniformBernoulli,
)
from npvae.layers import Tanh, mlp
from npvae.models import VAE
from tests.models.vaes import EXACT, D, assert_model_gradient, batch


def test_a_shared_variance_is_a_trained_constant_behind_what_the_decoder_puts_out():
    model = VAE.mlp(D, 2, (4,), likelihood=LearnedGaussian(shared=True))
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
        model = VAE.mlp(D, 2, (4,), "tanh", posterior=FullGaussian(), n_samples=2, bound=bound)
        assert model.shapes["encoder.2.b"] == (5,)
        assert_model_gradient(model)


def test_binary_latents_need_a_bound_that_does_not_go_through_them():
    for bound in ("elbo", "monte-carlo", "stl", "iwae", "dreg"):
        message = rf"bound must be 'score-function' with posterior=Bernoulli\(\): .*; got '{bound}'"
        with pytest.raises(ValueError, match=message):
            VAE.mlp(D, 2, (4,), posterior=Bernoulli(), prior=UniformBernoulli(), bound=bound)
    VAE.mlp(D, 2, (4,), posterior=Bernoulli(), prior=UniformBernoulli(), bound="score-function")


def test_no_posterior_gets_the_kl_to_another_prior_than_its_own():
    message = r"bound must be one of 'monte-carlo', .* with posterior=.*Gaussian\(\) and prior=UniformBernoulli\(\)"
    for posterior in (DiagonalGaussian(), FullGaussian()):
        with pytest.raises(ValueError, match=message):
            VAE.mlp(D, 2, (4,), posterior=posterior, prior=UniformBernoulli())


def test_a_network_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"encoder must put out 4 numbers, those of DiagonalGaussian\(\), got 2"):
        VAE(D, 2, mlp(D, (4,), 2), mlp(2, (4,), D))
    with pytest.raises(ValueError, match=r"decoder must put out 3 numbers, those of LearnedGaussian\(.*\), got 4"):
        VAE(D, 2, mlp(D, (4,), 4), mlp(2, (4,), D + 1), likelihood=LearnedGaussian(shared=True))


def test_networks_and_a_bound_of_ones_own():
    bound = BOUNDS["monte-carlo"]._replace(name="mine", function=lambda **d: monte_carlo_elbo(**d), weighs_kl=False)
    own = VAE(D, 2, mlp(D, (4,), 4, Tanh()), mlp(2, (4,), D, Tanh()), bound=bound)
    known = VAE.mlp(D, 2, (4,), "tanh", bound="monte-carlo")
    assert own.bound == "mine"
    (loss, grads), (expected, same) = (model.loss_and_grad(*batch(known)) for model in (own, known))
    assert loss.value == expected.value
    np.testing.assert_array_equal(grads.flat, same.flat)


def binary(bound="score-function", n_samples=2):
    return VAE.mlp(
        4, 3, (4,), "tanh", posterior=Bernoulli(), prior=LearnedBernoulli(3), bound=bound, n_samples=n_samples
    )


def test_a_learned_prior_is_a_part_of_theta_and_starts_fair():
    model = binary()
    assert list(model.shapes)[-1] == "prior.b"
    theta = model.init(np.random.default_rng(0))
    np.testing.assert_array_equal(theta["prior.b"], 0)


def test_binary_latents_have_the_exact_gradient_in_the_mean():
    """The exact ELBO is a sum over all 2³ latents; its gradient by the complex step, the estimate over many draws."""
    model, rng = binary(n_samples=4000), np.random.default_rng(0)
    theta, x = model.init(rng, np.float64), (rng.random((3, 4)) < 0.5).astype(float)
    theta.flat += 0.5 * rng.standard_normal(theta.flat.size)
    z = np.array([[i >> j & 1 for j in range(3)] for i in range(8)], float)

    def exact(at):
        log_q = model.posterior.log_prob(model.encode(at, x)[:, None], z)[0]
        log_px_z = model.likelihood.log_prob(model.decode(at, z), x[:, None])[0]
        log_pz = model.prior.log_prob(z, at.section("prior"))[0]
        return (np.exp(log_q) * (log_q - log_px_z - log_pz)).sum(axis=1).mean()

    estimates = [model.loss_and_grad(theta, x, model.draw_noise(rng, 3, np.float64)) for _ in range(10)]
    mean = np.mean([grads.flat for _, grads in estimates], axis=0)
    spread = np.std([grads.flat for _, grads in estimates], axis=0) / 3
    expected = np.empty(theta.flat.size)
    for i in range(theta.flat.size):
        moved = theta.astype(np.complex128)
        moved.flat[i] += 1e-30j
        expected[i] = exact(moved).imag / 1e-30
    assert (np.abs(mean - expected) <= 5 * spread + 1e-12).all()
    assert np.mean([loss.value for loss, _ in estimates]) == pytest.approx(exact(theta), abs=0.01)
