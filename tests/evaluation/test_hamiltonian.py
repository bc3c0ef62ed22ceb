"""Hamiltonian Monte Carlo against the densities that it should draw from."""

import numpy as np
import pytest
import scipy.stats

from npvae.evaluation.hamiltonian import hamiltonian_monte_carlo, leapfrog

COV = np.array([[1.0, 0.6], [0.6, 0.5]])
PRECISION = np.linalg.inv(COV)


def gaussian(z):
    return 0.5 * np.einsum("ni,ij,nj->n", z, PRECISION, z), z @ PRECISION


def quartic(z):
    """e^{−z⁴}: no Gaussian at all."""
    return (z**4).sum(axis=1), 4 * z**3


def test_leapfrog_runs_back_to_where_it_began():
    rng = np.random.default_rng(0)
    z, p, step = rng.standard_normal((5, 2)), rng.standard_normal((5, 2)), np.full(5, 0.1)
    there = leapfrog(gaussian, z, p, gaussian(z)[1], step, 20)
    back = leapfrog(gaussian, there[0], -there[1], there[3], step, 20)
    np.testing.assert_allclose(back[0], z, atol=1e-12)
    np.testing.assert_allclose(-back[1], p, atol=1e-12)


def test_the_energy_is_kept_to_the_square_of_the_step():
    rng = np.random.default_rng(0)
    z, p = rng.standard_normal((4, 2)), rng.standard_normal((4, 2))

    def drift(step, n):
        _, p_new, U_new, _ = leapfrog(gaussian, z, p, gaussian(z)[1], np.full(4, step), n)
        return np.abs(U_new + 0.5 * (p_new**2).sum(axis=1) - gaussian(z)[0] - 0.5 * (p**2).sum(axis=1)).max()

    assert drift(0.01, 100) < drift(0.02, 50) / 3.5


def test_draws_have_the_mean_and_covariance_of_the_density():
    start = np.full((200, 2), 3.0)
    found = hamiltonian_monte_carlo(gaussian, start, np.random.default_rng(0), warm_up=200, steps=60)
    draws = found.draws.reshape(-1, 2)
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), COV, atol=0.04)
    assert 0.7 < found.acceptance.mean() < 0.9


def test_the_last_draws_are_distributed_as_the_density_however_long_the_steps():
    """Large steps are rejected often, and leave the distribution as it is."""
    grid = np.linspace(-3, 3, 4001)
    cdf = np.cumsum(np.exp(-(grid**4)))
    start = np.zeros((2000, 1))
    found = hamiltonian_monte_carlo(
        quartic, start, np.random.default_rng(1), warm_up=0, steps=60, n_leapfrog=3, step_size=0.7
    )
    assert 0.3 < found.acceptance.mean() < 0.9
    assert scipy.stats.kstest(found.draws[-1, :, 0], lambda z: np.interp(z, grid, cdf / cdf[-1])).pvalue > 0.01


def test_trajectories_that_run_away_are_rejected():
    found = hamiltonian_monte_carlo(
        quartic, np.ones((3, 1)), np.random.default_rng(0), warm_up=0, steps=5, step_size=100.0
    )
    np.testing.assert_array_equal(found.draws, 1)
    np.testing.assert_array_equal(found.acceptance, 0)


@pytest.mark.parametrize("nowhere", [np.inf, np.nan])
@pytest.mark.parametrize("force", ["that of the Gaussian", np.nan, np.inf])
def test_a_chain_that_begins_where_there_is_no_density_leaves_and_draws_from_it(nowhere, force):
    """N(0, 1) within |z| < 3. A force that is not finite counts as none: only the momentum leads a chain inside."""

    def truncated(z):
        outside = np.abs(z) >= 3
        dU = z if isinstance(force, str) else np.where(outside, force, z)
        return np.where(outside[:, 0], nowhere, 0.5 * z[:, 0] ** 2), dU

    start = np.full((400, 1), 4.0)
    found = hamiltonian_monte_carlo(
        truncated, start, np.random.default_rng(0), warm_up=300, steps=20, n_leapfrog=10, step_size=0.25
    )
    assert (found.acceptance > 0).all()
    assert np.isfinite(found.draws).all()
    assert scipy.stats.kstest(found.draws[-1, :, 0], scipy.stats.truncnorm(-3, 3).cdf).pvalue > 0.01


@pytest.mark.parametrize("slope", [1.0, 1e4, 1e6])
def test_a_chain_finds_the_density_from_afar_whatever_the_force_on_the_way(slope):
    def far(z):
        outside = np.abs(z) > 100
        return np.where(outside[:, 0], np.inf, 0.5 * z[:, 0] ** 2), np.where(outside, slope * z, z)

    found = hamiltonian_monte_carlo(far, np.full((50, 1), 200.0), np.random.default_rng(0), warm_up=400, steps=20)
    assert (found.acceptance > 0).all()


def test_from_nowhere_to_nowhere_no_step_is_taken():
    found = hamiltonian_monte_carlo(
        lambda z: (np.full(len(z), np.inf), 0 * z), np.ones((3, 2)), np.random.default_rng(0), warm_up=2, steps=5
    )
    np.testing.assert_array_equal(found.draws, 1)
    np.testing.assert_array_equal(found.acceptance, 0)


def test_the_warm_up_goes_through_the_tempered_densities():
    seen = []

    def tempered(t):
        seen.append(t)
        return gaussian

    hamiltonian_monte_carlo(
        gaussian, np.zeros((2, 2)), np.random.default_rng(0), warm_up=4, steps=3, n_leapfrog=1, tempered=tempered
    )
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_counts_that_cannot_be_are_refused():
    for settings, message in (
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"n_leapfrog": 0}, "n_leapfrog must be at least 1, got 0"),
        ({"step_size": 0.0}, "step_size must be greater than 0"),
    ):
        with pytest.raises(ValueError, match=message):
            hamiltonian_monte_carlo(
                gaussian, np.zeros((1, 2)), np.random.default_rng(0), **{"warm_up": 1, "steps": 1, **settings}
            )
