"""The gradient of a gradient, and Hessian-vector products."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, INCONCLUSIVE, PASS, check_gradient_of_gradient

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
