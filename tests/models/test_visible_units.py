"""Binary and Gaussian visible units against SciPy's distributions and quadrature."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from npvae.evaluation.partition_function import exact_gradient
from npvae.models import RBM, BinaryUnits, GaussianUnits
from npvae.optimizers import Adam
from npvae.parameters import Parameters
from tests.models.machines import rows

A, LOG_VAR, FIELD = np.array([0.3, -0.8]), np.array([-0.5, 0.4]), np.array([[0.7, -1.1], [0.0, 2.0]])
LEARNED = GaussianUnits(learn_variance=True, min_var=0.01)


def parameters(**arrays):
    return Parameters.from_arrays(arrays, np.float64)


def test_the_normalizer_of_binary_units_is_the_sum_over_all_states():
    theta = parameters(a=A)
    summed = np.log(np.exp(rows(2) @ (A + FIELD).T).sum(axis=0))
    np.testing.assert_allclose(BinaryUnits().log_normalizer(theta, FIELD), summed, rtol=1e-14)


def test_the_normalizer_of_gaussian_units_is_the_integral():
    units = GaussianUnits()
    for i in range(2):
        theta = parameters(a=A[i : i + 1], log_var=LOG_VAR[i : i + 1])

        def density(v, theta=theta, i=i):
            row = np.array([[v]])
            return np.exp(-units.energy(theta, row) + (units.scaled(theta, row) * FIELD[0, i]).sum())[0]

        integral, _ = scipy.integrate.quad(density, -20, 20)
        found = units.log_normalizer(theta, FIELD[:1, i : i + 1])[0]
        assert found == pytest.approx(np.log(integral), abs=1e-9)


def test_gaussian_conditionals_are_the_normalised_energies():
    units, theta = GaussianUnits(), parameters(a=A, log_var=LOG_VAR)
    v = np.array([[0.2, 1.5], [-0.4, 0.1]])
    found = -units.energy(theta, v) + (units.scaled(theta, v) * FIELD).sum(axis=1) - units.log_normalizer(theta, FIELD)
    expected = scipy.stats.norm.logpdf(v, np.exp(LOG_VAR / 2) * (A + FIELD), np.exp(LOG_VAR / 2)).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("units", [BinaryUnits(), GaussianUnits()], ids=["binary", "gaussian"])
def test_draws_have_the_conditional_mean(units):
    theta = parameters(a=A, log_var=LOG_VAR)
    n = 50_000
    field = np.repeat(FIELD[:1], n, axis=0)
    v = units.sample(theta, field, units.draw_noise(np.random.default_rng(0), (n, 2), np.float64))
    np.testing.assert_allclose(v.mean(axis=0), units.mean(theta, FIELD)[0], atol=0.03)
    if not units.binary:
        np.testing.assert_allclose(v.var(axis=0), np.exp(LOG_VAR), rtol=0.03)


def test_units_start_at_the_moments_of_the_data():
    theta = parameters(a=np.zeros(2), log_var=np.zeros(2))
    GaussianUnits().start(theta, np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    np.testing.assert_allclose(np.exp(theta["log_var"]), 2)
    np.testing.assert_allclose(GaussianUnits().mean(theta, np.zeros(2)), [1, 2])
    GaussianUnits().start(theta, np.ones(2), np.zeros(2))
    np.testing.assert_allclose(np.exp(theta["log_var"]), 1e-4)


def test_a_learned_variance_has_a_floor_and_is_that_of_the_draws():
    r = np.array([-1e3, np.log(0.01), 0.0, 2.0])
    theta = parameters(a=np.zeros(4), r=r)
    expected = 0.01 * (1 + np.exp(r - np.log(0.01)))  # e^softplus is 1 + exp
    np.testing.assert_allclose(LEARNED.log_var(theta), np.log(expected), rtol=1e-13)
    noise = LEARNED.draw_noise(np.random.default_rng(0), (50_000, 4), np.float64)
    np.testing.assert_allclose(LEARNED.sample(theta, np.zeros(4), noise).var(axis=0), expected, rtol=0.03)


def test_a_density_with_learned_variances_is_bounded_and_integrates_to_one():
    theta = parameters(a=np.array([0.5]), r=np.array([-1e3]))
    field = np.array([[0.3]])

    def log_density(v):
        row = np.array([[v]])
        scaled = (LEARNED.scaled(theta, row) * field).sum()
        return (-LEARNED.energy(theta, row) + scaled - LEARNED.log_normalizer(theta, field))[0]

    assert log_density(0.08) == pytest.approx(-0.5 * np.log(2 * np.pi * 0.01))  # at its mean, 0.8 σ
    integral, _ = scipy.integrate.quad(lambda v: np.exp(log_density(v)), -1, 1)
    assert integral == pytest.approx(1, abs=1e-9)


def test_learned_variances_start_at_that_of_the_data_or_at_twice_the_floor():
    theta = parameters(a=np.zeros(2), r=np.zeros(2))
    for var, expected in ((np.array([4.0, 0.0]), 2), (np.array([0.015, 0.015]), 0.02), (np.zeros(2), 0.02)):
        LEARNED.start(theta, np.array([1.0, 2.0]), var)
        np.testing.assert_allclose(np.exp(LEARNED.log_var(theta)), expected)
        np.testing.assert_allclose(LEARNED.mean(theta, np.zeros(2)), [1, 2])


def test_the_variance_of_a_constant_column_stays_above_the_floor():
    """Exact gradients of the likelihood, which rises with every fall of the variance."""
    model = RBM(2, 1, LEARNED)
    x = np.stack([np.linspace(-1, 1, 20), np.zeros(20)], axis=1)
    theta = model.init(np.random.default_rng(0), np.float64, x.mean(axis=0), x.var(axis=0))
    optimizer = Adam(0.3)
    state = optimizer.init(theta.flat)
    for _ in range(300):
        optimizer.step(theta.flat, exact_gradient(model, theta, x)[1].flat, state)
    constant = LEARNED.log_var(theta)[1]
    assert np.log(0.01) < constant < np.log(0.0101)
    assert LEARNED.log_var(theta)[0] == pytest.approx(np.log(x.var(axis=0)[0]), abs=0.3)


def test_grey_pixels_are_refused_with_the_advice_to_binarise():
    message = "x must be 0 or 1 for binary visible units, got 0.5; binarise it"
    with pytest.raises(ValueError, match=message):
        BinaryUnits().require_support("x", np.array([[0.0, 0.5]]))
    BinaryUnits().require_support("x", np.array([[0.0, 1.0]]))
    GaussianUnits().require_support("x", np.array([[0.0, 0.5]]))


def test_a_floor_of_the_variance_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="min_var must be greater than 0, got 0"):
        GaussianUnits(min_var=0)
