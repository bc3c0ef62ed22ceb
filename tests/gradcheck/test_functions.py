"""Every way in which people write a forward and a backward."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, PASS, check_function

X, W = np.random.default_rng(0).standard_normal((3, 4)), np.random.default_rng(1).standard_normal((4, 2))


def product(x, W):
    return x @ W, (x, W)


def product_backward(cache, dy):
    x, W = cache
    return {"x": dy @ W.T, "W": x.T @ dy}


def tuple_backward(cache, dy):
    x, W = cache
    return dy @ W.T, x.T @ dy


def closure(x, W):
    return x @ W, lambda dy: (dy @ W.T, x.T @ dy)


def reversed_arguments(dy, cache):
    return tuple_backward(cache, dy)


@pytest.mark.parametrize(
    ("inputs", "params"),
    [((X, W), None), ({"x": X, "W": W}, None), ((X,), {"W": W}), (X, {"W": W}), ({"x": X}, {"W": W})],
    ids=["tuple", "dict", "tuple and params", "array and params", "dict and params"],
)
@pytest.mark.parametrize("backward", [product_backward, tuple_backward, reversed_arguments])
def test_arguments_and_gradients_by_position_and_by_name(inputs, params, backward):
    report = check_function(product, backward, inputs, params)
    assert report.status == PASS, str(report)
    assert {entry.name for entry in report.entries} == {"x", "W"}


def test_a_closure_is_its_own_backward():
    assert check_function(closure, None, (X, W)).status == PASS


def test_a_backward_that_wants_the_arguments_again():
    report = check_function(lambda x, W: x @ W, lambda dy, x, W: (dy @ W.T, x.T @ dy), (X, W))
    assert report.status == PASS, str(report)


def test_a_backward_that_knows_everything_from_the_last_forward():
    kept = {}

    def forward(x, W):
        kept.update(x=x, W=W)
        return x @ W

    assert check_function(forward, lambda dy: (dy @ kept["W"].T, kept["x"].T @ dy), (X, W)).status == PASS


def test_one_argument_one_gradient():
    assert check_function(np.exp, lambda dy, x: dy * np.exp(x), X).status == PASS
    assert check_function(lambda x: (x**2, x), lambda x, dy: 2 * x * dy, X).status == PASS


def test_several_outputs():
    def split(a):
        mu, log_var = np.split(a, 2, axis=1)
        return (mu, np.exp(log_var)), log_var

    def backward(log_var, dys):
        return {"a": np.concatenate([dys[0], dys[1] * np.exp(log_var)], axis=1)}

    assert check_function(split, backward, X).status == PASS
    wrong = check_function(split, lambda c, dys: {"a": np.concatenate(dys, axis=1)}, X)
    assert wrong.status == FAIL
    assert "6 of 12 elements wrong" in str(wrong)


def test_a_scalar_output():
    assert check_function(lambda x: ((x * x).sum(), x), lambda x, dy: 2 * x * dy, X).status == PASS
    assert check_function(lambda x: (float((x.real**2).sum()), x), lambda x, dy: 2 * x * dy, X).status == PASS


def test_inputs_without_a_gradient_are_left_alone():
    labels = np.array([0, 2, 1])

    def forward(x, labels, weight, mode):
        picked = x[np.arange(3), labels]
        return weight * picked if mode == "plain" else picked, (x.shape, labels, weight)

    def backward(cache, dy):
        shape, labels, weight = cache
        dx = np.zeros(shape)
        dx[np.arange(3), labels] = weight * dy
        return {"x": dx}

    given = {"x": X, "labels": labels, "weight": 0.5, "mode": "plain"}
    report = check_function(forward, backward, given)
    assert report.status == PASS, str(report)
    assert [entry.name for entry in report.entries] == ["x"]
    report = check_function(forward, lambda c, dy: (backward(c, dy)["x"], None, None, None), given)
    assert report.status == PASS


def test_names_of_positional_arguments_come_from_the_forward():
    report = check_function(lambda *arrays: (arrays[0] @ arrays[1], arrays), tuple_backward, (X, W))
    assert [entry.name for entry in report.entries] == ["x0", "x1"]


def test_a_name_may_be_given_once_only():
    with pytest.raises(ValueError, match="'W' is both an input and a parameter"):
        check_function(product, product_backward, {"x": X, "W": W}, {"W": W})


def test_the_report_is_called_as_the_forward():
    assert check_function(product, product_backward, (X, W)).name == "product"
    assert check_function(product, product_backward, (X, W), name="matmul").name == "matmul"
