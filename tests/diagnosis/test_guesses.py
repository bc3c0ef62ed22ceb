"""Each kind of mistake is said in words."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, check_function
from tests.gradcheck.doubles import arrays, backward, changed, forward


def text_of(forward, backward, inputs, params=None):
    report = check_function(forward, backward, inputs, params)
    assert report.status == FAIL
    return str(report)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("W", np.negative, ["numeric = −analytic", "The sign is wrong."]),
        ("W", lambda g: g / 2, ["numeric = 2 × analytic", "A factor 2 is missing"]),
        ("W", lambda g: 2 * g, ["numeric = 0.5 × analytic", "A factor ½ is missing"]),
        ("b", lambda g: g / 7, ["numeric = 7 × analytic", "7 is the batch size: a mean over it where a sum is meant."]),
        ("b", lambda g: g * 7, ["numeric = analytic / 7", "7 is the batch size: a sum over it where a mean is meant."]),
        (
            "W",
            lambda g: g / 4,
            ["4 is the size of the output along axis 1, and", ": a mean over it where a sum is meant."],
        ),
        ("W", lambda g: 1.7 * g, ["The gradient is wrong by the constant factor 0.588235."]),
        ("W", lambda g: 0 * g, ["analytic = 0", "The gradient of W is all zeros: backward never writes it."]),
        (
            "W",
            lambda g: np.roll(g, 1, axis=1),
            ["np.roll(analytic, -1, 1)", "W's gradient is shifted by one along axis 1"],
        ),
        ("W", lambda g: g[::-1], ["np.flip(analytic, 0)", "W's gradient is reversed along axis 0."]),
        ("W", lambda g: g.reshape(4, 5).T, ["analytic, reshaped", "a reshape that should have been a transpose"]),
        ("b", lambda g: np.roll(g, 2), ["the halves of analytic swapped", "swapped by halves along axis 0"]),
        ("b", lambda g: g[[1, 3, 0, 2]], ["The values of b's gradient are right, but in the wrong places."]),
    ],
)
def test_a_gradient_changed_in_a_known_way_is_recognised(name, change, words):
    text = text_of(forward, changed(name, change), *arrays())
    for word in words:
        assert word in text


def test_a_transposed_square_matrix():
    given = arrays(n_in=4, n_out=4)
    assert "W's gradient is the transpose of what it should be." in text_of(forward, changed("W", np.transpose), *given)
    text = text_of(forward, changed("W", lambda g: -g.T), *given)
    assert "the transpose of what it should be, with the wrong sign" in text


@pytest.mark.parametrize(
    ("forward", "backward", "words"),
    [
        (lambda x, W: x @ W, lambda x, W, dy: (dy @ W, x.T @ dy), "The gradient of x is multiplied by W where W.T is"),
        (lambda x, W: x @ W, lambda x, W, dy: (dy @ W.T, x @ dy), "The gradient of W is multiplied by x where x.T is"),
        (lambda x, W: W @ x, lambda x, W, dy: (W @ dy, dy @ x.T), "The gradient of x is multiplied by W where W.T is"),
        (
            lambda x, W: x @ W.T,
            lambda x, W, dy: (dy @ W.T, dy.T @ x),
            "multiplied by W.T where W is meant",
        ),
    ],
)
def test_a_product_with_a_square_matrix_where_one_with_its_transpose_is_meant(forward, backward, words):
    given = arrays(n_in=4, n_out=4)
    x, W = given[0]["x"][:4], given[1]["W"]
    text = text_of(lambda x, W: (forward(x, W), (x, W)), lambda cache, dy: backward(*cache, dy), (x, W))
    assert words in text


def test_swapped_names():
    def forward(x, a, b):
        return a * x + b * x**2, x

    def backward(x, dy):
        return {"x": 0 * x, "a": (dy * x**2).sum(0), "b": (dy * x).sum(0)}

    text = text_of(forward, lambda x, dy: {**backward(x, dy), "x": None}, *given_two())
    assert "The gradient returned as that of b is that of a: the names are swapped." in text


def given_two():
    rng = np.random.default_rng(0)
    return {"x": rng.standard_normal((6, 3))}, {"a": rng.standard_normal(3), "b": rng.standard_normal(3)}


def test_a_hidden_decay_in_a_loss():
    x = np.random.default_rng(0).standard_normal((6, 3))

    def value_and_grad(w):
        r = x @ w
        return (r * r).sum(), 2 * x.T @ r + 1e-3 * w

    from npvae.gradcheck import check_loss

    text = str(check_loss(value_and_grad, np.array([1.0, -2.0, 0.5]), name="loss"))
    assert "The error is 0.001 × theta itself: a hidden weight decay." in text


def test_a_missing_term_is_named_where_it_is_known():
    def forward(x, e):
        return x * e + x**2, (x, e)

    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((4, 3)), "e": rng.standard_normal((4, 3))}
    text = text_of(forward, lambda c, dy: {"x": 2 * c[0] * dy}, given)
    assert "x[0, 0]" in text
    text = text_of(lambda x: (x + x**2, x), lambda x, dy: {"x": 2 * x * dy}, given["x"])
    assert "A term is missing: 1 × dy." in text


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (np.tanh, "The derivative of tanh, (1 − y²), is missing."),
        (lambda a: 1 / (1 + np.exp(-a)), "The derivative of the sigmoid, y (1 − y), is missing."),
        (lambda a: np.maximum(a, 0), "The derivative of the rectifier, (y > 0), is missing."),
        (lambda a: np.log1p(np.exp(a)), "The derivative of softplus, (1 − exp(−y)), is missing."),
        (np.exp, "The derivative of exp, y, is missing."),
    ],
)
def test_a_forgotten_activation_derivative(function, derivative):
    def forward(x, W):
        return function(x @ W), (x, W)

    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((6, 3))}, {"W": rng.standard_normal((3, 5))}
    assert derivative in text_of(forward, lambda c, dy: {"x": dy @ c[1].T, "W": c[0].T @ dy}, *given)


def test_an_activation_derivative_applied_twice():
    def twice(cache, dy):
        return backward(cache, dy * (1 - cache[2] ** 2))

    assert "The derivative of tanh, (1 − y²), is there once too often." in text_of(forward, twice, *arrays())


def test_a_forgotten_factor_that_is_an_argument():
    given = given_two()[0]["x"]
    text = text_of(lambda x, m: (x * m, m), lambda m, dy: (dy, None), (given, np.abs(given) + 1))
    assert "The factor m is missing." in text


def test_an_unknown_mistake_is_admitted_with_numbers():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(4)
    text = text_of(forward, changed("b", lambda g: g * noise), *arrays())
    assert "No factor, transpose, shift or missing term that is known here fits." in text
    assert text.count("analytic there") == 3


def test_a_tensor_the_output_does_not_depend_on():
    text = text_of(lambda x, c: (x * 2.0, x), lambda x, dy: {"x": 2.0 * dy, "c": dy.sum(0)}, *given_c())
    assert "The output does not depend on c: its gradient should be zero." in text


def given_c():
    return {"x": np.ones((3, 2))}, {"c": np.ones(2)}


def test_the_place_is_told_from_what_is_right_and_what_is_wrong():
    def forward(x, U, V, W):
        h = np.tanh(x @ U)
        g = np.tanh(h @ V)
        return g @ W, (x, h, g, U, V, W)

    def backward(cache, dy):
        x, h, g, U, V, W = cache
        dg = (dy @ W.T) * (1 - g**2)
        dh = (dg @ V.T) * (1 + h)
        return {"x": dh @ U.T, "U": x.T @ dh, "V": h.T @ dg, "W": g.T @ dy}

    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal((4, 4)) for name in "UVW"}
    report = check_function(forward, backward, {"x": rng.standard_normal((5, 4))}, weights)
    assert [entry.status for entry in report.entries].count(FAIL) == 2
    given = {"x": rng.standard_normal((5, 4)), "e": np.ones((5, 4))}

    def shifted(x, e, U, V, W):
        return forward(x + e, U, V, W)

    def shifted_back(cache, dy):
        grads = backward(cache, dy)
        return grads | {"e": grads["x"]}

    text = text_of(shifted, shifted_back, given, weights)
    assert "Everything up to U is wrong, and from V on all is right" in text


def test_a_constant_of_few_digits_is_called_that():
    x = np.random.default_rng(0).normal(size=5)
    forward = lambda x: (np.sin(np.pi * x), x)  # noqa: E731
    report = str(check_function(forward, lambda x, dy: dy * 3.14159265 * np.cos(np.pi * x), x))
    assert "numeric = (1 + 1.14267e−09) × analytic" in report
    assert "a constant has too few digits" in report
    assert "The factor 1 " not in report
