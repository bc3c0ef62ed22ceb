import numpy as np
import pytest

from npvae.gradcheck import FAIL, INCONCLUSIVE, PASS, GradientCheckError, check_gradient_of_gradient, taylor_test

A = np.random.default_rng(0).standard_normal((4, 4))
S = A + A.T


def loss(w):
    return 0.5 * w @ S @ w + np.exp(w).sum()


def gradient(w):
    return S @ w + np.exp(w)


def hvp(w, v):
    return S @ v + np.exp(w) * v


W = np.array([0.1, -0.5, 0.7, 0.3])


def test_the_gradient_of_a_function_has_a_symmetric_jacobian():
    report = check_gradient_of_gradient(gradient, W)
    assert report.status == PASS, str(report)
    assert report.worst_error < 1e-13


def test_a_field_that_is_no_gradient_is_found_without_its_function():
    report = check_gradient_of_gradient(lambda w: A @ w + np.exp(w), W)
    assert report.status == FAIL
    assert "is not the gradient of any function" in str(report)


def test_value_and_gradient_together_will_do():
    assert check_gradient_of_gradient(lambda w: (loss(w), gradient(w)), W).status == PASS


def test_a_hessian_vector_product_is_checked():
    assert check_gradient_of_gradient(gradient, W, hvp).status == PASS
    report = check_gradient_of_gradient(gradient, W, lambda w, v: S @ v + 1.01 * np.exp(w) * v)
    assert report.status == FAIL
    assert "The Hessian-vector product is not the derivative of the gradient." in str(report)


def test_dicts_of_arrays():
    def field(theta):
        return {"a": theta["b"] * 2, "b": theta["a"] * 2}

    def crooked(theta):
        return {"a": theta["b"] * 2, "b": theta["a"] * 3}

    theta = {"a": np.arange(3.0), "b": np.ones(3)}
    assert check_gradient_of_gradient(field, theta).status == PASS
    assert check_gradient_of_gradient(crooked, theta).status == FAIL


def test_a_gradient_that_is_not_analytic_is_inconclusive_without_a_product_and_judged_with_one():
    def real_only(w):
        return np.logaddexp(w, 0.0)

    def product(w, v):
        return v / (1 + np.exp(-w))

    report = check_gradient_of_gradient(real_only, W)
    assert report.status == INCONCLUSIVE
    assert "the gradient does not run on complex numbers" in str(report)
    assert check_gradient_of_gradient(real_only, W, product).status == PASS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((3, W), "gradient must be callable, got int"), ((gradient, [1.0]), "theta must be an array or a dict of arrays")],
)
def test_senseless_arguments(arguments, message):
    with pytest.raises(TypeError, match=message):
        check_gradient_of_gradient(*arguments)


def test_a_gradient_that_returns_nothing():
    assert "gradient returned nothing" in str(check_gradient_of_gradient(lambda w: None, W))


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
