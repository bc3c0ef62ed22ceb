"""Annealed importance sampling against exact partition functions."""

import numpy as np
import pytest

from npvae.evaluation.annealed_importance_sampling import (
    LogPartition,
    annealed_importance_sampling,
    annealing_schedule,
    base_rate_machine,
    reverse_annealing,
)
from npvae.evaluation.partition_function import exact_log_partition
from npvae.models import RBM, GaussianUnits
from tests.models.machines import machine, probabilities, rows


def test_log_z_of_a_hundred_random_machines_lies_within_the_error_bars():
    outside, z = [], []
    for seed in range(100):
        rng = np.random.default_rng([seed, 1])
        n_features, n_hidden = rng.integers(2, 9, 2)
        model, theta = machine(n_features, n_hidden, seed, scale=rng.uniform(0.3, 2))
        exact = exact_log_partition(model, theta)
        found = annealed_importance_sampling(model, theta, rng, rng.uniform(0.1, 0.9, n_features), 200, 100)
        low, high = found.interval
        outside += [seed] if not low <= exact <= high else []
        z.append((found.log_z - exact) / found.standard_error)
    assert not outside
    assert 0.7 < np.std(z) < 1.3  # the bars are as wide as they should be


@pytest.mark.parametrize("units", [None, GaussianUnits()], ids=["binary", "gaussian"])
def test_both_ways_enclose_log_z_on_average(units):
    model, theta = machine(6, 4, seed=3, units=units, scale=0.6 if units else 1.2)
    exact, rng = exact_log_partition(model, theta), np.random.default_rng(0)
    forward = annealed_importance_sampling(model, theta, rng, steps=60, runs=2000)
    reverse = reverse_annealing(model, theta, np.zeros((2000, 6)), rng, steps=60, burn_in=300)
    assert forward.log_weights.mean() < exact < reverse.log_weights.mean()
    for found in (forward, reverse):
        low, high = found.interval
        assert low < exact < high
        assert high - low < 1


def test_the_weights_of_one_step_have_the_mean_z_exactly():
    """Two machines on the way: the weight is the ratio of unnormalised densities at an exact draw."""
    model, theta = machine(3, 2, scale=0.5)
    base, log_z_base = base_rate_machine(model, theta)
    _, same = base_rate_machine(model, theta, 1 / (1 + np.exp(-theta["a"])))
    assert same == pytest.approx(log_z_base)
    assert log_z_base == pytest.approx(exact_log_partition(model, base))
    expected = probabilities(base) @ np.exp(model.free_energy(base, rows(3))[0] - model.free_energy(theta, rows(3))[0])
    assert np.log(expected) + log_z_base == pytest.approx(exact_log_partition(model, theta))
    found = annealed_importance_sampling(model, theta, np.random.default_rng(0), steps=2, runs=100_000)
    assert found.log_z == pytest.approx(exact_log_partition(model, theta), abs=4 * found.standard_error)


def test_the_base_machine_has_the_base_rates_of_the_data():
    model, theta = machine(3, 2)
    base, log_z = base_rate_machine(model, theta, [0.2, 0.5, 0.9])
    np.testing.assert_allclose(1 / (1 + np.exp(-base["a"])), [0.2, 0.5, 0.9], atol=2e-3)
    assert log_z == pytest.approx(exact_log_partition(model, base))
    gaussian, theta = machine(3, 2, units=GaussianUnits())
    base, log_z = base_rate_machine(gaussian, theta, [0.2, 5.0, -0.9])
    np.testing.assert_allclose(gaussian.visible.mean(base, np.zeros(3)), [0.2, 5.0, -0.9])
    assert log_z == pytest.approx(exact_log_partition(gaussian, base))


def test_temperatures_rise_from_zero_to_one_and_are_finer_towards_one():
    betas = annealing_schedule(14_501)
    assert (betas[0], betas[500], betas[4500], betas[-1]) == pytest.approx((0, 0.5, 0.9, 1))
    assert (np.diff(betas) > 0).all()
    np.testing.assert_array_equal(annealing_schedule(2), [0, 1])


def test_in_float32_it_is_the_same_to_its_rounding():
    model, theta = machine(8, 6, scale=1.0)
    exact = exact_log_partition(model, theta)
    found = annealed_importance_sampling(model, theta.astype(np.float32), np.random.default_rng(0), steps=500, runs=200)
    assert found.log_z == pytest.approx(exact, abs=4 * found.standard_error)


def test_large_weights_overflow_nowhere():
    model, theta = machine(6, 5)
    theta["W"][...] *= 1e4
    found = annealed_importance_sampling(model, theta, np.random.default_rng(0), steps=10, runs=5)
    assert np.isfinite(found.log_weights).all()


def test_error_bars_by_hand():
    found = LogPartition(np.log([1.0, 3.0]) - np.log(2), "forward", 2)
    assert found.log_z == pytest.approx(0)
    assert found.standard_error == pytest.approx(0.5)
    assert found.interval == (-np.inf, pytest.approx(np.log(2.5)))
    assert found.effective_runs == pytest.approx(1.6)
    reverse = LogPartition(np.log(2) - np.log([1.0, 3.0]), "reverse", 2)
    assert reverse.log_z == pytest.approx(0)
    assert reverse.standard_error == pytest.approx(0.5)
    assert reverse.interval == (pytest.approx(-np.log(2.5)), np.inf)
    assert reverse.effective_runs == pytest.approx(1.6)


def test_progress_is_told():
    model, theta = machine(3, 2)
    told = []
    annealed_importance_sampling(
        model, theta, np.random.default_rng(0), steps=4, runs=2, progress=lambda *at: told.append(at)
    )
    reverse_annealing(
        model, theta, rows(3), np.random.default_rng(0), steps=4, burn_in=0, progress=lambda *at: told.append(at)
    )
    assert told == 2 * [(2, 4), (3, 4), (4, 4)]


def test_an_untrained_machine_is_refused():
    model = RBM(3, 2)
    theta, rng = model.init(np.random.default_rng(0)).zeros_like(), np.random.default_rng(0)
    message = "theta must be that of a trained machine, got weights that are all zero; .* gives its log Z exactly"
    with pytest.raises(ValueError, match=message):
        annealed_importance_sampling(model, theta, rng)
    with pytest.raises(ValueError, match=message):
        reverse_annealing(model, theta, rows(3), rng)


def test_arguments_that_cannot_be_are_refused():
    model, theta = machine(3, 2)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"mean must have shape \(3,\), got \(2,\)"):
        annealed_importance_sampling(model, theta, rng, [0.5, 0.5])
    with pytest.raises(ValueError, match="runs must be at least 2, got 1"):
        annealed_importance_sampling(model, theta, rng, runs=1)
    with pytest.raises(ValueError, match="steps must be at least 2, got 1"):
        annealed_importance_sampling(model, theta, rng, steps=1)
    with pytest.raises(ValueError, match="v must have 3 features"):
        reverse_annealing(model, theta, np.zeros((4, 2)), rng)
    with pytest.raises(ValueError, match="v must be 0 or 1"):
        reverse_annealing(model, theta, np.full((4, 3), 0.5), rng)
    with pytest.raises(ValueError, match="rows of v must be at least 2, got 1"):
        reverse_annealing(model, theta, rows(3)[:1], rng)
