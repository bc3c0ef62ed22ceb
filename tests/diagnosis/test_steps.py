"""Taylor remainders, and error against step size, have the orders of the textbooks."""

import numpy as np
import pytest

from npvae.diagnosis.steps import METHODS, step_curve
from npvae.gradcheck import FAIL, INCONCLUSIVE, PASS, GradientCheckError, taylor_test
from npvae.gradcheck.check import TargetError
from npvae.layers import Dense, Tanh, mlp

A = np.random.default_rng(0).standard_normal((4, 4))
S = A + A.T


def loss(w):
    return 0.5 * w @ S @ w + np.exp(w).sum()


def gradient(w):
    return S @ w + np.exp(w)


W = np.array([0.1, -0.5, 0.7, 0.3])


def test_the_remainder_of_taylors_formula_is_of_second_order():
    test = taylor_test(loss, gradient, W)
    assert test.status == PASS
    assert test.slope == pytest.approx(2.0, abs=0.05)
    assert "slope 2.0" in str(test)
    assert test.raise_if_failed() is test


@pytest.mark.parametrize("error", [1.0, 1e-2, 1e-4])
def test_a_wrong_gradient_leaves_a_remainder_of_first_order(error):
    test = taylor_test(loss, lambda w: gradient(w) * (1 + error), W)
    assert test.status == FAIL
    assert test.slope == pytest.approx(1.0, abs=0.3)
    with pytest.raises(GradientCheckError, match="FAIL Taylor test"):
        test.raise_if_failed()


def test_a_gradient_may_be_given_as_an_array_and_a_direction_as_well():
    assert taylor_test(loss, gradient(W), W, along=np.array([1.0, 0, 0, 0])).status == PASS


def test_a_linear_function_has_no_remainder():
    test = taylor_test(lambda w: w.sum(), np.ones(4), W)
    assert (test.status, test.slope) == (PASS, np.inf)


def test_a_function_that_is_not_finite_is_inconclusive():
    assert taylor_test(lambda w: np.log(w).sum(), 1 / W, W).status == INCONCLUSIVE


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"gradient must have the shape of x, \(4,\), got \(3,\)"):
        taylor_test(loss, np.ones(3), W)


def order(curve, method, coarse, fine):
    """By which power of the step the error falls."""
    steps = np.array([coarse, fine])
    errors = np.interp(steps, curve["step"][::-1], curve[method][::-1])
    return np.log(errors[0] / errors[1]) / np.log(coarse / fine)


@pytest.fixture(scope="module")
def curve():
    return step_curve(mlp(4, [5], 3, "tanh"))


@pytest.mark.parametrize(
    ("method", "coarse", "fine", "power"),
    [
        ("forward", 1e-2, 1e-5, 1),
        ("central", 1e-1, 1e-3, 2),
        ("complex", 1e-1, 1e-3, 2),
        ("forward", 1e-9, 1e-14, -1),
        ("central", 1e-8, 1e-14, -1),
    ],
)
def test_both_arms_of_the_v_have_the_slopes_of_theory(curve, method, coarse, fine, power):
    assert order(curve, method, coarse, fine) == pytest.approx(power, abs=0.25)


def test_richardson_falls_with_the_fourth_power():
    curve = step_curve(Tanh(), steps=[10**-0.5, 10**-1.0])
    assert order(curve, "richardson", 10**-0.5, 0.1) == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize(
    ("method", "at_best", "at_worst"),
    [("forward", 1e-7, 1e-10), ("central", 1e-9, 1e-13), ("richardson", 1e-11, 1e-16), ("complex", 1e-14, 0.0)],
)
def test_each_method_reaches_its_floor_and_not_more(curve, method, at_best, at_worst):
    assert at_worst <= np.nanmin(curve[method]) < at_best


def test_the_complex_step_is_exact_for_every_small_step(curve):
    assert (curve["complex"][curve["step"] < 1e-9] < 1e-14).all()


def test_a_step_can_be_taken_in_any_tensor():
    one = step_curve(Dense(3, 3), steps=[1e-3], only="W")
    other = step_curve(Dense(3, 3), steps=[1e-3], only="b")
    assert set(one) == {"step", *METHODS}
    assert not np.array_equal(one["forward"], other["forward"])


def test_where_the_forward_breaks_down_there_is_no_number():
    def forward(x):
        if x.max() > 2:
            raise ValueError("too large")
        return np.exp(x), np.exp(x)

    curve = step_curve((forward, lambda y, dy: dy * y, np.array([1.9])), steps=[1.0, 1e-4])
    assert np.isnan(curve["central"][0])
    assert curve["central"][1] < 1e-6


def test_a_forward_that_is_not_analytic_has_no_flat_line():
    curve = step_curve(
        (lambda x: np.abs(np.asarray(x)), lambda dy, x: dy * np.sign(x), (np.array([1.0, -2.0]),)), steps=[1e-6]
    )
    assert not curve["complex"][0] < 1e-3
    assert curve["central"][0] < 1e-9


@pytest.mark.parametrize("steps", [[0.0], [-1.0], [[1.0]], [np.nan]])
def test_steps_have_to_be_positive(steps):
    with pytest.raises(ValueError, match="steps must be a sequence of positive numbers"):
        step_curve(Tanh(), steps=steps)


def test_an_unknown_tensor_and_an_unknown_target_are_said():
    with pytest.raises(ValueError, match="only must be one of x, W, b, got 'c'"):
        step_curve(Dense(2, 2), only="c")
    with pytest.raises(TargetError, match="has to return"):
        step_curve(3)
