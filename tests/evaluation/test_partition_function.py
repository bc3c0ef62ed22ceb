"""Exact partition functions against sums over every joint state and numerical derivatives."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special

from npvae.evaluation.enumeration import binary_state_blocks
from npvae.evaluation.partition_function import exact_gradient, exact_log_partition
from npvae.models import RBM, BinaryUnits, GaussianUnits
from tests.models.machines import joint_energies, machine, rows
from tests.numerical import central_difference, error


@pytest.mark.parametrize(("n_features", "n_hidden"), [(5, 3), (3, 5), (4, 4), (1, 1)])
def test_log_z_is_the_sum_over_all_joint_states(n_features, n_hidden):
    model, theta = machine(n_features, n_hidden)
    expected = scipy.special.logsumexp(-joint_energies(theta))
    assert exact_log_partition(model, theta) == pytest.approx(expected, rel=1e-13)


def test_log_z_of_gaussian_units_is_the_integral_of_the_free_energy():
    model, theta = machine(1, 3, units=GaussianUnits())
    integral, _ = scipy.integrate.quad(lambda v: np.exp(-model.free_energy(theta, np.array([[v]]))[0][0]), -30, 30)
    assert exact_log_partition(model, theta) == pytest.approx(np.log(integral), abs=1e-9)


def test_all_states_come_once_and_in_blocks():
    blocks = list(binary_state_blocks(16))
    assert [len(block) for block in blocks] == [2**14] * 4
    states = np.concatenate(blocks)
    np.testing.assert_array_equal(states @ 2.0 ** np.arange(15, -1, -1), np.arange(2**16))
    np.testing.assert_array_equal(np.concatenate(list(binary_state_blocks(3))), rows(3))


@pytest.mark.parametrize(("n_features", "n_hidden"), [(5, 3), (3, 5)])
@pytest.mark.parametrize("units", [BinaryUnits(), GaussianUnits(learn_variance=True), GaussianUnits()], ids=str)
def test_the_gradient_of_the_likelihood_is_its_numerical_derivative(n_features, n_hidden, units):
    model, theta = machine(n_features, n_hidden, units=units)
    x = np.random.default_rng(1).integers(0, 2, (4, n_features)).astype(float)
    value, dtheta = exact_gradient(model, theta, x)
    F, _ = model.free_energy(theta, x)
    assert value == pytest.approx(F.mean() + exact_log_partition(model, theta), rel=1e-13)

    def at(flat):
        other = theta.copy()
        other.flat[:] = flat
        return exact_gradient(model, other, x)[0]

    numeric = theta.copy()
    numeric.flat[:] = central_difference(at, theta.flat)
    if units == GaussianUnits():
        assert (dtheta["log_var"] == 0).all()
        numeric["log_var"][...] = 0
    assert error(numeric.flat, dtheta.flat) < 1e-8


def test_binary_likelihoods_sum_to_one():
    model, theta = machine(6, 4)
    log_z = exact_log_partition(model, theta)
    assert np.exp(-model.free_energy(theta, rows(6))[0] - log_z).sum() == pytest.approx(1, rel=1e-12)


def test_too_many_units_are_refused_with_the_cost():
    model = RBM(784, 500)
    theta = model.init(np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"model must have at most 20 units .*, got 500 hidden units: 2\^500 = 3.3e\+150 states"
    ):
        exact_log_partition(model, theta)
    with pytest.raises(ValueError, match=r"got 21 visible units: 2\^21 = 2.1e\+06 states; 2\^20 take seconds"):
        exact_log_partition(RBM(21, 30), RBM(21, 30).init(np.random.default_rng(0)))
    model, theta = machine(3, 2)
    with pytest.raises(ValueError, match="model must have at most 1 units on the side"):
        exact_gradient(model, theta, rows(3), most_units=1)
