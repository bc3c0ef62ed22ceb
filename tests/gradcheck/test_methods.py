"""The numeric side: complex step, ladder, plain differences, and which of them is believed."""

import math

import numpy as np
import pytest

from npvae.diagnosis.steps import central, difference
from npvae.diagnosis.steps import forward as forward_difference
from npvae.gradcheck import FAIL, INCONCLUSIVE, PASS, check_function
from npvae.gradcheck.numeric import complex_step, ladder
from npvae.gradcheck.point import Line, Point
from npvae.gradcheck.subject import Subject


def line_of(function, x, v=None):
    """The line x + s v through a function of one array."""
    x = np.asarray(x, dtype=float)
    subject = Subject("f", {"x": x}, lambda tensors: (function(tensors["x"]), None), lambda cache, u: {})
    return Line(Point(subject, subject.tensors), "x", np.ones_like(x) if v is None else v, (1.0,))


SMOOTH = [
    (np.exp, np.exp),
    (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    (np.log, lambda x: 1 / x),
    (lambda x: x**3, lambda x: 3 * x**2),
    (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    (lambda x: np.maximum(x, -x), np.sign),
    (lambda x: np.where(x > 1, x**2, 0 * x), lambda x: 2 * x * (x > 1)),
]


@pytest.mark.parametrize(("function", "derivative"), SMOOTH)
def test_the_complex_step_is_exact_to_the_last_digits(function, derivative):
    x = np.array([0.3, 1.7, 2.9])
    estimate = complex_step(line_of(function, x))
    assert estimate.value == pytest.approx(derivative(x).sum(), rel=4e-16)


@pytest.mark.parametrize("step", [1e-20, 1e-100, 1e-200])
def test_the_complex_step_does_not_depend_on_its_step(step):
    assert complex_step(line_of(np.exp, [1.0]), step).value == pytest.approx(np.e, rel=2e-16)


@pytest.mark.parametrize(("function", "derivative"), SMOOTH)
def test_the_ladder_keeps_what_it_promises(function, derivative):
    x = np.array([0.3, 1.7, 2.9])
    estimate = ladder(line_of(function, x))
    error = abs(estimate.value - derivative(x).sum())
    assert error <= estimate.tolerance
    assert estimate.tolerance < 1e-8 * estimate.scale


def test_the_ladder_knows_its_error_over_many_functions():
    rng = np.random.default_rng(0)
    for _ in range(300):
        a, w = rng.standard_normal(4), 3 * rng.random()
        x = rng.standard_normal(4)
        estimate = ladder(line_of(lambda x, a=a, w=w: np.sin(w * x + a) * np.exp(0.3 * x), x))
        slope = (np.exp(0.3 * x) * (w * np.cos(w * x + a) + 0.3 * np.sin(w * x + a))).sum()
        assert abs(estimate.value - slope) <= estimate.tolerance


def test_the_ladder_measures_noise_that_the_output_does_not_show():
    # Adding and taking away 1e6 leaves an output of size one with errors of 1e-10.
    rng = np.random.default_rng(0)
    for _ in range(300):
        x = rng.standard_normal(2)
        estimate = ladder(line_of(lambda x: (np.sin(x) + 1e6) - 1e6, x))
        assert abs(estimate.value - np.cos(x).sum()) <= estimate.tolerance
        assert estimate.tolerance > 1e-11


def test_the_ladder_is_not_fooled_by_float32_inside():
    # Its lowest rungs are all exactly zero there: they agree, on nothing.
    rng = np.random.default_rng(1)
    for _ in range(300):
        x = rng.standard_normal(2)
        estimate = ladder(line_of(lambda x: np.sin(x).astype(np.float32).astype(float), x))
        assert abs(estimate.value - np.cos(x).sum()) <= estimate.tolerance


def test_the_ladder_uses_rungs_on_this_side_of_a_kink_only():
    x = np.array([1e-4, 1.0])
    assert ladder(line_of(lambda x: np.maximum(x, 0), x)).value == pytest.approx(2.0, rel=1e-9)


def test_the_ladder_knows_both_slopes_of_a_kink():
    estimate = ladder(line_of(lambda x: np.maximum(x, 0), [0.0]))
    assert (estimate.value, estimate.spread) == pytest.approx((0.5, 0.5), abs=1e-9)
    assert estimate.miss(0.0) == pytest.approx(0.0, abs=1e-9)
    assert estimate.miss(1.5) == pytest.approx(0.5, abs=1e-9)
    assert ladder(line_of(lambda x: np.maximum(x, 0), [1e-12])).value == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("width", [1e-9, 1e-5, 1.0, 1e5])
def test_the_ladder_finds_the_scale_on_which_a_function_bends(width):
    estimate = ladder(line_of(lambda x: np.exp(-((x / width) ** 2)), [0.5 * width]))
    assert estimate.value == pytest.approx(-np.exp(-0.25) / width, rel=1e-7)
    assert estimate.tolerance < 1e-6 / width


def test_the_ladder_goes_down_where_the_domain_is_narrow():
    x = np.array([1e-6])
    estimate = ladder(line_of(np.log, x))
    assert abs(estimate.value - 1e6) <= max(estimate.tolerance, 1e-3 * 1e6)


def test_plain_differences_have_the_errors_of_the_textbook():
    line = line_of(np.exp, [1.0])
    assert central(line, 1e-5) == pytest.approx(np.e, rel=1e-9)
    assert forward_difference(line, 1e-8) == pytest.approx(np.e, rel=1e-7)
    assert abs(forward_difference(line, 1e-3) / np.e - 1) > 1e-4
    assert abs(central(line, 1e-3) / np.e - 1) > 1e-7


@pytest.mark.parametrize(
    ("method", "step"), [("central", 1e-5), ("central", 1e-2), ("forward", 1e-8), ("forward", 1e-4)]
)
def test_plain_differences_know_their_error(method, step):
    x = np.array([0.3, 1.7, 2.9])
    estimate = difference(line_of(np.exp, x), method, step)
    assert abs(estimate.value - np.exp(x).sum()) <= estimate.tolerance
    assert f"{method} difference, step {step:g}" == estimate.method


def square(x):
    return x**2, x


def square_backward(x, dy):
    return {"x": 2 * x * dy}


@pytest.mark.parametrize("method", ["complex", "ladder", "central", "forward"])
def test_every_method_passes_what_is_right_and_fails_what_is_wrong(method):
    x = np.random.default_rng(0).standard_normal((3, 4))
    assert check_function(square, square_backward, x, method=method).status == PASS
    report = check_function(square, lambda x, dy: {"x": 2.02 * x * dy}, x, method=method)
    assert report.status == FAIL
    assert "0.990099" in str(report)


def test_only_the_complex_step_sees_an_error_of_1e_11():
    def wrong(x, dy):
        return {"x": (2 + 1e-10) * x * dy}

    x = np.random.default_rng(0).standard_normal((3, 4))
    states = {m: check_function(square, wrong, x, method=m).status for m in ("complex", "central", "forward")}
    assert states == {"complex": FAIL, "central": PASS, "forward": PASS}


def test_a_step_that_is_far_too_large_or_small_is_inconclusive():
    def steep(x):
        return np.exp(x), x

    def backward(x, dy):
        return {"x": np.exp(x) * dy}

    for method, step in (("forward", 0.5), ("forward", 1e-15), ("central", 1e-14)):
        report = check_function(steep, backward, np.ones(3), method=method, step=step)
        assert report.status == INCONCLUSIVE
        assert "it cannot be told" in str(report)


@pytest.mark.parametrize(
    ("name", "function", "derivative"),
    [
        ("absolute", lambda x: np.abs(x) + x, lambda x: np.sign(x) + 1),
        ("norm", lambda x: np.linalg.norm(x, axis=1, keepdims=True) + x, None),
        ("var", lambda x: x + x.var(), None),
    ],
)
def test_a_forward_that_is_not_analytic_is_judged_by_its_continuation(name, function, derivative):
    def backward(x, dy):
        if name == "absolute":
            return {"x": dy * derivative(x)}
        if name == "norm":
            return {"x": dy + dy.sum(1, keepdims=True) * x / np.linalg.norm(x, axis=1, keepdims=True)}
        return {"x": dy + dy.sum() * 2 * (x - x.mean()) / x.size}

    x = np.random.default_rng(0).standard_normal((3, 4))
    report = check_function(lambda x: (function(x), x), backward, x)
    assert report.status == PASS, str(report)
    assert report.entries[0].method == "complex step"
    assert report.resolution < 1e-11


@pytest.mark.parametrize("strips", [np.asarray, lambda x: x.real])
def test_a_forward_that_hides_what_it_drops_is_judged_by_the_ladder(strips):
    def forward(x):
        return x + np.abs(strips(x)), x

    x = np.random.default_rng(0).standard_normal((3, 4))
    report = check_function(forward, lambda x, dy: {"x": dy * (1 + np.sign(x))}, x)
    assert (report.status, report.entries[0].method) == (PASS, "ladder of differences")
    assert "not analytic" in str(report)
    assert check_function(forward, lambda x, dy: {"x": dy}, x).status == FAIL


def test_a_backward_that_forgets_the_part_that_is_not_analytic_is_found():
    # np.abs drops the imaginary part: a plain complex step would agree with this backward.
    x = np.random.default_rng(0).standard_normal((3, 4))
    report = check_function(lambda x: (np.abs(x) + x, None), lambda _, dy: {"x": dy}, x)
    assert report.status == FAIL


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.array([math.log1p(math.exp(value)) for value in x.flat]).reshape(x.shape),
        lambda x: np.where(True, x, x).astype(float) * 1.0 + np.log1p(np.exp(x.astype(float))) - x.astype(float),
    ],
    ids=["TypeError", "ComplexWarning"],
)
def test_a_forward_that_does_not_run_on_complex_numbers_is_judged_by_the_ladder(function):
    x = np.random.default_rng(0).standard_normal((3, 4))
    report = check_function(lambda x: (function(x), x), lambda x, dy: {"x": dy / (1 + np.exp(-x))}, x)
    assert report.status == PASS, str(report)
    assert "does not run on complex numbers" in str(report)


def test_buffers_that_take_their_dtype_from_one_argument_do_not_stop_the_complex_step():
    def forward(x, W):
        y = np.empty((len(x), W.shape[1]), dtype=x.dtype)
        y[...] = x @ W
        return y, (x, W)

    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    report = check_function(forward, lambda c, dy: (dy @ c[1].T, c[0].T @ dy), (x,), {"W": W})
    assert report.status == PASS
    assert {entry.method for entry in report.entries} == {"complex step"}


def test_a_constant_that_does_not_run_on_complex_numbers_does_not_stop_it_either():
    def forward(x, e):
        offset = np.logaddexp(e, 0.0)
        return x**2 + offset, x

    rng = np.random.default_rng(0)
    report = check_function(forward, square_backward, {"x": rng.standard_normal(5), "e": rng.standard_normal(5)})
    assert (report.status, report.entries[0].method) == (PASS, "complex step")


def test_a_forward_that_is_not_finite_on_complex_numbers_is_judged_by_the_ladder():
    def forward(x):
        return x**2 * (np.nan if np.iscomplexobj(x) else 1.0), x

    report = check_function(forward, square_backward, np.random.default_rng(0).standard_normal(5))
    assert (report.status, report.entries[0].method) == (PASS, "ladder of differences")
    assert "not finite on complex numbers" in str(report)


FAINT = 6e-12
"""Relative error of one element: above 4096 eps of the largest element, below that of the norm of all 400."""


def test_all_elements_show_what_drowns_in_a_direction():
    def wrong(x, dy):
        gradient = 2 * x * dy
        gradient.flat[123] *= 1 + FAINT
        return {"x": gradient}

    x = 1.0 + np.random.default_rng(0).random((20, 20))
    assert check_function(square, wrong, x, full=False).status == PASS
    report = check_function(square, wrong, x, full=True)
    assert (report.status, report.entries[0].coordinates) == (FAIL, 400)


def test_a_branch_through_abs_that_does_no_harm_keeps_the_complex_step():
    def forward(x):
        if np.abs(x).max() > 100:
            raise ValueError("too large")
        return x**2, x

    x = np.random.default_rng(0).standard_normal(5)
    report = check_function(forward, square_backward, x)
    assert (report.status, report.entries[0].method) == (PASS, "complex step")


def test_a_tiny_part_that_is_not_analytic_counts():
    def forward(x):
        return x**2 + 1e-10 * np.abs(x), x

    x = 1.0 + np.random.default_rng(0).random(5)
    assert check_function(forward, lambda x, dy: {"x": (2 * x + 1e-10 * np.sign(x)) * dy}, x).status == PASS
    assert check_function(forward, lambda x, dy: {"x": 2 * x * dy}, x).status == FAIL
