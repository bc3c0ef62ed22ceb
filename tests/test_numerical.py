"""The oracle itself: right where the answer is known, and able to say no."""

import numpy as np
import pytest

from tests.numerical import assert_gradient, central_difference, complex_step, error

X = np.array([[0.3, -1.2], [2.0, 0.7]])


def cubic(x):
    return (x**3).sum() + x[0, 0] * x[1, 1]


CUBIC_GRADIENT = 3 * X**2 + np.array([[0.7, 0.0], [0.0, 0.3]])


def test_both_methods_know_the_gradient_of_a_cubic():
    np.testing.assert_allclose(central_difference(cubic, X), CUBIC_GRADIENT, rtol=1e-9)
    np.testing.assert_allclose(complex_step(cubic, X), CUBIC_GRADIENT, rtol=1e-15)


def test_a_right_gradient_passes():
    assert_gradient(cubic, X, CUBIC_GRADIENT)


@pytest.mark.parametrize("element", [(0, 0), (1, 1)])
def test_one_element_off_by_a_thousandth_is_found(element):
    wrong = CUBIC_GRADIENT.copy()
    wrong[element] *= 1.001
    with pytest.raises(AssertionError, match="central_difference differs"):
        assert_gradient(cubic, X, wrong)


def test_an_error_too_small_for_differences_is_found_by_the_complex_step():
    with pytest.raises(AssertionError, match="complex_step differs"):
        assert_gradient(cubic, X, CUBIC_GRADIENT * (1 + 1e-9))


def test_a_function_that_is_not_analytic_is_found():
    with pytest.raises(AssertionError, match="complex_step differs"):
        assert_gradient(lambda x: (np.abs(x) ** 2).sum(), X, 2 * X)


def test_a_gradient_of_the_wrong_shape_is_found():
    with pytest.raises(AssertionError, match="shape"):
        assert_gradient(cubic, X, CUBIC_GRADIENT[:1])


def test_the_error_is_relative_to_the_largest_element_and_absolute_at_zero():
    assert error(np.array([1.0, 102.0]), np.array([2.0, 100.0])) == pytest.approx(0.02)
    assert error(np.array([0.25, 0.0]), np.zeros(2)) == 0.25
