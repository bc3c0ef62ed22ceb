"""No alarm on correct code, however it cancels; and no tolerance so wide that an error hides in it."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, PASS, check_function, check_loss
from npvae.gradcheck.preflight import EPS32
from tests.gradcheck.doubles import arrays, backward, changed, forward

SEEDS = range(40)


def softmax(x, c):
    a = x + c
    e = np.exp(a - a.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return y, y


def softmax_backward(y, dy):
    dx = y * (dy - (dy * y).sum(axis=1, keepdims=True))
    return {"x": dx, "c": dx.sum(axis=1, keepdims=True)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gradient_that_vanishes_by_symmetry_passes(seed):
    # A constant added to all logits changes nothing: both sides are rounding errors, and never the same ones.
    rng = np.random.default_rng(seed)
    report = check_function(
        softmax, softmax_backward, {"x": rng.standard_normal((6, 4))}, {"c": rng.standard_normal((6, 1))}, seed=seed
    )
    assert report.status == PASS, str(report)
    assert report.worst_error < 1e-12


def batch_norm(x, b):
    d = (x + b) - (x + b).mean(axis=0)
    scale = 1 / np.sqrt((d * d).mean(axis=0) + 1e-5)
    return d * scale, (d, scale)


def batch_norm_backward(cache, dy):
    d, scale = cache
    y = d * scale
    dx = scale * (dy - dy.mean(axis=0) - y * (dy * y).mean(axis=0))
    return {"x": dx, "b": dx.sum(axis=0)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bias_in_front_of_a_normalisation_passes(seed):
    rng = np.random.default_rng(seed)
    given = {"x": rng.standard_normal((6, 4))}, {"b": rng.standard_normal(4)}
    assert check_function(batch_norm, batch_norm_backward, *given, seed=seed).status == PASS


def test_a_gradient_that_should_vanish_and_does_not_fails():
    def wrong(y, dy):
        grads = softmax_backward(y, dy)
        return grads | {"c": grads["c"] + 1e-10 * dy.sum(axis=1, keepdims=True)}

    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((6, 4))}, {"c": rng.standard_normal((6, 1))}
    report = check_function(softmax, wrong, *given)
    assert [entry.name for entry in report.entries if entry.status == FAIL] == ["c"]


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_the_size_of_the_numbers_does_not_matter(size):
    def scaled(x, W, b):
        y, cache = forward(x, W, b)
        return size * y, cache

    def scaled_backward(cache, dy):
        return backward(cache, size * dy)

    assert check_function(scaled, scaled_backward, *arrays()).status == PASS
    report = check_function(scaled, lambda c, dy: changed("b", lambda g: 1.0000001 * g)(c, size * dy), *arrays())
    assert [entry.name for entry in report.entries if entry.status == FAIL] == ["b"]


def test_ill_conditioned_code_that_is_right_passes_with_a_wider_resolution():
    hilbert = 1.0 / (np.arange(8)[:, None] + np.arange(8) + 1.0)

    def solve(b, A):
        return np.linalg.solve(A, b), A

    def backward(A, dy):
        return {"b": np.linalg.solve(A.T, dy)}

    report = check_function(solve, backward, {"b": np.ones((8, 1)), "A": hilbert})
    assert report.status == PASS, str(report)
    assert report.entries[0].method == "complex step"
    assert report.resolution < 1e-3


def test_a_loss_of_huge_offset_keeps_the_resolution_of_the_complex_step():
    report = check_loss(lambda w: (1e12 + (w * w).sum(), 2 * w), np.array([1.0, 2.0]))
    assert report.status == PASS
    assert report.resolution < 1e-11


@pytest.mark.parametrize("seed", SEEDS)
def test_float32_code_passes(seed):
    inputs, params = ({k: v.astype(np.float32) for k, v in group.items()} for group in arrays(seed))
    report = check_function(forward, backward, inputs, params, seed=seed)
    assert (report.status, report.findings) == (PASS, [])


def test_float32_code_that_loses_digits_is_found():
    def careless(cache, dy):
        grads = backward(cache, dy)
        if dy.dtype == np.float32:
            grads["W"] = (grads["W"] + np.float32(3e3)) - np.float32(3e3)
        return grads

    given = arrays()
    assert check_function(forward, careless, *given).status == PASS
    report = check_function(forward, careless, *given, float32=True)
    assert [(finding.kind, finding.tensor) for finding in report.findings] == [("float32", "W")]
    assert float(report.findings[0].message.split(" is ")[1].split()[0]) > 64 * EPS32


def test_float32_code_that_answers_in_float64_is_found():
    report = check_function(forward, changed("b", lambda g: g.astype(np.float64)), *arrays(), float32=True)
    assert [(finding.kind, finding.tensor) for finding in report.findings] == [("dtype", "b")]


def test_float32_code_that_breaks_in_float32_only_is_found():
    def picky(cache, dy):
        if dy.dtype == np.float32:
            raise TypeError("doubles only")
        return backward(cache, dy)

    report = check_function(forward, picky, *arrays(), float32=True)
    assert "float32: in float32, backward raised TypeError: doubles only" in str(report)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3, 0), (2, 1, 3)])
def test_tensors_of_every_shape(shape):
    x = np.asarray(np.random.default_rng(0).standard_normal(shape))
    given = {"x": x, "w": np.ones(2)}

    def forward(x, w):
        return (x**2).sum() + w.sum(), (x, w)

    report = check_function(forward, lambda c, dy: (2 * c[0] * dy, dy * np.ones(2)), given)
    assert report.status == PASS, str(report)
