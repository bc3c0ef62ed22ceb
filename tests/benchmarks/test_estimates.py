import numpy as np
import pytest

from benchmarks import estimates as module
from benchmarks.estimates import active_units, bound, likelihood
from npvae.models import VAE
from npvae.parameters import Parameters

MODEL = VAE.mlp(6, 2, (5,), "tanh")
X = (np.random.default_rng(0).random((25, 6)) < 0.5).astype(np.float32)


@pytest.fixture
def theta(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 10)
    return MODEL.init(np.random.default_rng(1))


def test_an_interrupted_estimate_goes_on_and_ends_with_the_same_numbers(theta, tmp_path, monkeypatch):
    whole = likelihood(MODEL, theta, X, 50, tmp_path / "whole", "nll")
    real, calls = module.log_likelihood, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(module, "log_likelihood", interrupted)
    with pytest.raises(KeyboardInterrupt):
        likelihood(MODEL, theta, X, 50, tmp_path / "cut", "nll")
    again = likelihood(MODEL, theta, X, 50, tmp_path / "cut", "nll")
    assert len(calls) == 4  # two blocks, the interrupted third, and that one again
    np.testing.assert_array_equal(again.nll, whole.nll)
    np.testing.assert_array_equal(again.negative_elbo, whole.negative_elbo)


def test_processes_that_share_the_blocks_find_the_same_numbers(theta, tmp_path):
    alone = likelihood(MODEL, theta, X, 50, tmp_path / "alone", "nll")
    shared = likelihood(MODEL, theta, X, 50, tmp_path / "shared", "nll", jobs=2)
    np.testing.assert_array_equal(shared.nll, alone.nll)
    np.testing.assert_array_equal(shared.effective_samples, alone.effective_samples)


def test_other_parameters_never_meet_old_numbers(theta, tmp_path):
    one = likelihood(MODEL, theta, X, 20, tmp_path, "nll")
    other = likelihood(MODEL, Parameters.from_flat(theta.shapes, 2 * theta.flat), X, 20, tmp_path, "nll")
    assert not np.isclose(one.nll, other.nll).any()


def test_without_weights_every_image_costs_a_bit_a_pixel(theta, tmp_path):
    nothing = likelihood(MODEL, theta.zeros_like(), X, 5, tmp_path, "nll")
    summary = nothing.summary()
    assert summary["nll"] == pytest.approx(6 * np.log(2), rel=1e-6)
    assert summary["negative_elbo"] == pytest.approx(6 * np.log(2), rel=1e-6)
    assert summary["nll_standard_error"] == pytest.approx(0, abs=1e-6)
    assert summary["median_effective_samples"] == pytest.approx(5)
    assert summary["images"] == 25


def test_units_are_active_where_the_posterior_mean_moves(theta):
    still = theta.zeros_like()
    still["encoder.0.W"][0, 0] = 5
    still["encoder.2.W"][0, 1] = 0.5  # the mean of the second latent is tanh(5 x₀) / 2
    assert active_units(MODEL, still, X) == 1
    still["encoder.2.W"][0, 1] = 0.1  # its variance is at most 0.0025
    assert active_units(MODEL, still, X) == 0


def test_the_bound_is_the_elbo_whatever_the_model_was_trained_by(theta):
    iwae = VAE.mlp(6, 2, (5,), "tanh", bound="iwae", n_samples=3, weight_precision=0.1)
    assert bound(iwae, theta, X) == bound(MODEL, theta, X)
    assert bound(MODEL, theta.zeros_like(), X) == pytest.approx(6 * np.log(2), rel=1e-6)
