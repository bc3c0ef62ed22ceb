"""Whatever the code under test does, the answer is one line of a report and never a traceback from the checker."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, check_distribution, check_function, check_layer, check_loss, check_model
from tests.gradcheck.doubles import Dense, Gaussian, Regression, arrays, backward, changed, forward


def raising(*_, **__):
    raise RuntimeError("out of\nideas")


def returning(value):
    return lambda *_, **__: value


def nan_at(x):
    y = x.copy()
    y[1, 2] = np.nan
    return y, None


BAD_FORWARDS = [
    (raising, "raises: forward raised RuntimeError: out of ideas"),
    (returning(None), "returns: forward returned nothing (None)"),
    (returning([1.0, 2.0]), "signature: backward takes 2 arguments (cache, dy), but forward returned y alone"),
    (returning(([["text"], 1.0], None)), "returns: forward returned a list, expected an array"),
    (returning("text"), "returns: forward returned a str, expected an array"),
    (returning(((), None)), "returns: forward returned an empty tuple"),
    (
        returning((np.arange(3), None)),
        "returns: forward returned int64 numbers: a derivative needs floating-point ones",
    ),
    (returning((np.array([True]), None)), "returns: forward returned bool numbers"),
    (returning((np.array([1j]), None)), "returns: forward returned complex numbers for real arguments"),
    (returning((np.float64("inf"), None)), "not finite: forward returned 1 element that are NaN or infinite"),
]

BAD_BACKWARDS = [
    (raising, "raises: backward raised RuntimeError: out of ideas"),
    (returning(None), "returns: backward returned nothing"),
    (returning({}), "keys: backward returned no gradient for the parameter 'W'"),
    (lambda c, dy: {**backward(c, dy), "w": 0.0}, "'w', which is not among x, W, b (did you mean 'W'?)"),
    (lambda c, dy: (1.0, 2.0), "keys: backward returned 2 gradients for the 3 arguments x, W, b"),
    (changed("b", np.ndarray.tolist), "returns: the gradient of b is a list, expected an array"),
    (changed("b", lambda g: g.astype(int)), "dtype: the gradient of b is int64, the tensor float64"),
    (changed("b", lambda g: g * 1j), "dtype: the gradient of b is complex128, the tensor float64"),
    (changed("W", np.transpose), "shape (4, 5), W has (5, 4): it is the transpose of what it should be"),
    (changed("b", lambda g: np.tile(g, (7, 1))), "axis 0 was broadcast in the forward and has to be summed over"),
    (changed("W", np.ravel), "shape: the gradient of W has shape (20,), W has (5, 4): a reshape is missing"),
    (changed("b", lambda g: g[:2]), "shape: the gradient of b has shape (2,), b has (4,)"),
    (changed("b", lambda g: g * np.nan), "not finite: the gradient of b has 4 elements that are NaN or infinite"),
]


@pytest.mark.parametrize(("bad", "line"), BAD_FORWARDS, ids=[line for _, line in BAD_FORWARDS])
def test_a_bad_forward_is_one_line(bad, line):
    report = check_function(bad, backward, *arrays(), name="bad")
    assert report.status == FAIL
    assert line in str(report)
    assert len(report.findings) == 1
    assert report.entries == []


@pytest.mark.parametrize(("bad", "line"), BAD_BACKWARDS, ids=[line for _, line in BAD_BACKWARDS])
def test_a_bad_backward_is_one_line(bad, line):
    report = check_function(forward, bad, *arrays())
    assert report.status == FAIL
    assert line in str(report)
    assert len(report.findings) == 1


def test_nan_is_located():
    report = check_function(nan_at, lambda cache, dy: {"x": dy}, arrays()[0])
    assert "not finite: forward returned 1 element that are NaN or infinite, the first at y[1, 2]" in str(report)


def test_a_missing_keepdims_is_explained():
    def subtract_mean(x, c):
        return x - c, None

    report = check_function(subtract_mean, lambda _, dy: {"x": dy, "c": -dy}, np.ones((3, 4)), {"c": np.ones((3, 1))})
    assert "axis 1 was broadcast in the forward and has to be summed over with keepdims=True" in str(report)


def test_a_gradient_by_integers_is_refused():
    report = check_function(
        lambda k, w: (k * w, (k, w)), lambda c, dy: (c[1] * dy, c[0] * dy), (np.arange(3),), {"w": np.ones(3)}
    )
    assert "there is a gradient of k, but k is int64: pass floating-point numbers" in str(report)


def test_no_backward_and_no_closure():
    report = check_function(lambda x: (x * 2.0, None), None, np.ones(2))
    assert "forward has to return (y, closure)" in str(report)


def test_a_layer_whose_forward_forgets_its_cache():
    class Forgetful(Dense):
        def forward(self, params, x):
            return x @ params["W"]

    report = check_layer(Forgetful())
    assert "returns: forward has to return a pair (y, cache), got a ndarray" in str(report)


def test_a_layer_that_raises_far_from_the_given_point_only():
    class Picky(Dense):
        def forward(self, params, x):
            if np.any(params["W"].real != self.w.real):
                raise ValueError("this W only")
            return super().forward(params, x)

    layer = Picky()
    layer.w = np.ones((4, 3))
    report = check_layer(layer, np.ones((2, 4)), {"W": layer.w, "b": np.ones(3)})
    assert report.status == "PASS", str(report)
    assert "unguarded" in str(report)


def test_a_distribution_without_its_cache():
    class Forgetful(Gaussian):
        def kl(self, a):
            return super().kl(a)[0]

    report = check_distribution(Forgetful())
    assert "kl: kl has to return a pair (value, cache), got a ndarray" in str(report)


def test_a_distribution_with_an_argument_of_unknown_meaning():
    class Strange(Gaussian):
        def kl(self, temperature):
            return super().kl(temperature)

    with pytest.raises(TypeError, match="kl of Strange has an argument 'temperature' that is not a, b, eps or x"):
        check_distribution(Strange())


@pytest.mark.parametrize("result", [None, 3.0, (1.0, 2.0, 3.0)])
def test_a_loss_that_returns_no_pair(result):
    report = check_loss(returning(result), np.ones(2), name="loss")
    assert report.status == FAIL
    assert "has to return a pair (value, gradient)" in str(report)


def test_a_model_that_raises():
    class Broken(Regression):
        loss_and_grad = raising

    report = check_model(Broken(), np.ones((3, 4)))
    assert "raises: backward raised RuntimeError: out of ideas" in str(report)


def test_a_product_of_shapes_that_do_not_fit_asks_for_the_transpose():
    def backward(cache, dy):
        x, W, *_ = cache
        return {"x": dy @ W, "W": x.T @ dy}

    report = check_function(lambda x, W: (x @ W, (x, W)), backward, np.ones((3, 5)), {"W": np.ones((5, 4))})
    assert report.status == FAIL
    assert "(is a .T missing, or one too many?)" in str(report)
