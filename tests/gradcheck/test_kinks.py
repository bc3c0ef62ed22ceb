import numpy as np
import pytest

from npvae.gradcheck import FAIL, PASS, check_function
from npvae.gradcheck.kinks import Branches, Traced


def traced(function, *arrays):
    branches = Branches()
    result = function(*(Traced.of(np.asarray(a, dtype=float), branches) for a in arrays))
    return branches, result


@pytest.mark.parametrize(
    ("function", "left", "right", "on"),
    [
        (lambda x: np.maximum(x, 0), [-1.0], [1.0], [0.0]),
        (lambda x: np.minimum(x, 2), [1.0], [3.0], [2.0]),
        (lambda x: np.where(x > 0, x, 0), [-1.0], [1.0], [0.0]),
        (lambda x: x * (x >= 1), [0.0], [2.0], [1.0]),
        (lambda x: np.clip(x, 0, 1), [0.5], [2.0], [1.0]),
        (lambda x: x.clip(0, 1), [0.5], [-2.0], [0.0]),
        (np.abs, [-1.0], [1.0], [0.0]),
        (np.sign, [-1.0], [1.0], [0.0]),
        (np.floor, [0.5], [1.5], [1.0]),
        (lambda x: x.max(), [1.0, 2.0], [2.0, 1.0], [1.0, 1.0]),
        (lambda x: np.max(x, axis=-1), [[1.0, 2.0]], [[2.0, 1.0]], [[1.0, 1.0]]),
    ],
)
def test_decisions_are_seen(function, left, right, on):
    here, there, tie = (traced(function, x)[0] for x in (left, right, on))
    assert here.sides != there.sides
    assert here.sides == traced(function, np.asarray(left) - 1e-9)[0].sides
    assert here.ties == there.ties == []
    assert tie.ties != []


def test_argmax_is_a_decision():
    assert traced(np.argmax, [1.0, 2.0])[0].sides != traced(np.argmax, [2.0, 1.0])[0].sides


def test_smooth_code_decides_nothing():
    branches, _ = traced(lambda x: np.tanh(x @ x.T) + np.exp(-x).sum(), np.ones((2, 2)))
    assert branches == Branches()


@pytest.mark.parametrize("name", ["absolute", "sign", "norm", "vdot", "var"])
def test_functions_that_are_analytic_only_as_continued_are_named(name):
    functions = {"absolute": np.abs, "sign": np.sign, "norm": np.linalg.norm, "var": np.var}
    function = functions.get(name, lambda x: np.vdot(x, x))
    branches, _ = traced(function, [1.0, 2.0])
    assert (branches.continued, branches.not_analytic) == ({name}, set())


def test_functions_without_a_continuation_are_named():
    assert traced(np.linalg.svd, [[1.0, 2.0]])[0].not_analytic == {"svd"}
    assert traced(lambda x: np.abs(np.fft.fft(x * 1j)), [1.0, 2.0])[0].not_analytic == {"absolute"}


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.abs, lambda x: np.sign(x)),
        (np.linalg.norm, lambda x: x / np.linalg.norm(x)),
        (np.var, lambda x: 2 * (x - x.mean()) / x.size),
        (lambda x: x.std(ddof=1), lambda x: (x - x.mean()) / (x.size - 1) / x.std(ddof=1)),
        (lambda x: np.logaddexp(x, 0.3), lambda x: 1 / (1 + np.exp(0.3 - x))),
        (lambda x: np.hypot(x, 2.0), lambda x: x / np.hypot(x, 2.0)),
        (lambda x: np.vdot(x, x), lambda x: 2 * x),
    ],
)
def test_continued_functions_pass_the_complex_step_through(function, slope):
    x = np.array([0.7, -1.2, 3.1])
    for i in range(3):
        step = np.zeros(3, dtype=complex)
        step[i] = 1e-20j
        y = function(Traced.of(x + step, Branches(stepping=True)))
        np.testing.assert_allclose(np.sum(np.imag(y)) / 1e-20, slope(x)[i], rtol=1e-14)


def test_tracing_changes_no_result():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((4, 3)), rng.standard_normal((3, 3))

    def function(x, w):
        h = np.maximum(x @ w, 0)
        h += np.einsum("ij,jk->ik", x, w)
        np.multiply(h, 2, out=h)
        h[h > 1] = 0.5
        return np.concatenate([h, np.split(x, 3, axis=1)[1]], axis=1) / h.std() + np.linalg.norm(h)

    branches, result = traced(function, x, w)
    np.testing.assert_array_equal(np.asarray(result), function(x, w))
    assert branches.sides


def test_reductions_to_a_number_give_plain_numbers():
    assert isinstance(traced(lambda x: x.sum(), [1.0, 2.0])[1], np.float64)


def relu(x):
    return np.maximum(x, 0), x


@pytest.mark.parametrize("slope_at_zero", [0.0, 0.5, 1.0])
def test_on_a_kink_every_slope_between_its_sides_passes_and_the_report_says_so(slope_at_zero):
    def backward(x, dy):
        return {"x": dy * np.where(x == 0, slope_at_zero, x > 0)}

    x = np.array([[0.0, 1.0, -1.0], [0.0, 0.0, 2.0]])
    report = check_function(relu, backward, x)
    assert report.status == PASS
    assert "at a kink of maximum the gradient is one of those on its sides; beside it, it is right" in str(report)


@pytest.mark.parametrize("slope_at_zero", [-1.0, 2.0])
def test_on_a_kink_a_slope_outside_of_its_sides_fails(slope_at_zero):
    x = np.array([[0.0, 1.0, -1.0], [0.0, 0.0, 2.0]])
    report = check_function(relu, lambda x, dy: {"x": dy * np.where(x == 0, slope_at_zero, x > 0)}, x)
    assert report.status == FAIL
    assert "is no slope of either side nor between" in str(report)


@pytest.mark.parametrize(("share", "status"), [(1 / 3, PASS), (1.0, FAIL)])
def test_tied_maxima_share_one_gradient(share, status):
    x = np.array([[2.0, 2.0, 2.0], [1.0, 3.0, 0.0]])

    def backward(x, dy):
        mask = x == x.max(axis=1, keepdims=True)
        return {"x": dy[:, None] * mask * np.where(mask.sum(axis=1, keepdims=True) > 1, share, 1.0)}

    assert check_function(lambda x: (x.max(axis=1), x), backward, x).status == status


def test_a_wrong_gradient_on_a_kink_is_still_wrong_beside_it():
    x = np.array([[0.0, 1.0, -1.0], [0.0, 0.0, 2.0]])
    report = check_function(relu, lambda x, dy: {"x": 1.01 * dy * (x > 0)}, x)
    assert report.status == FAIL
    assert "0.990099" in str(report)


def test_a_tie_that_no_derivative_depends_on_is_not_mentioned():
    def forward(x):
        if np.any(x < 0) or np.any(x > 1):
            raise ValueError("x outside [0, 1]")
        return x**2, x

    report = check_function(forward, lambda x, dy: {"x": 2 * x * dy}, np.array([0.0, 1.0, 0.5]))
    assert report.status == PASS
    assert "kink of" not in str(report)


def test_where_there_is_no_stepping_aside_it_says_so():
    def forward(x):
        if np.any(np.asarray(x).real != 0):
            raise ValueError("zeros only")
        return np.maximum(x, 0) * 2, x

    report = check_function(forward, lambda x, dy: {"x": 3.0 * dy}, np.zeros(3))
    assert report.status == FAIL
    assert "there is no stepping aside" in str(report)


def test_a_network_of_rectifiers_passes_near_many_kinks():
    rng = np.random.default_rng(0)
    x, V, W = rng.standard_normal((8, 20)), rng.standard_normal((20, 300)), rng.standard_normal((300, 4))

    def forward(x, V, W):
        h = np.maximum(x @ V, 0)
        return h @ W, (x, h, V, W)

    def backward(cache, dy):
        x, h, V, W = cache
        da = (dy @ W.T) * (h > 0)
        return {"x": da @ V.T, "V": x.T @ da, "W": h.T @ dy}

    for method in ("complex", "ladder"):
        report = check_function(forward, backward, {"x": x}, {"V": V, "W": W}, method=method, probes=1, full=False)
        assert report.status == PASS, str(report)


def test_stepping_aside_works_where_the_code_itself_makes_ties():
    # The second rectifier meets exact zeros wherever one stands.
    def forward(x):
        return np.maximum(np.maximum(x, 0), 0), x

    x = np.array([[0.0, 1.0, -1.0], [0.0, -2.0, 2.0]])
    report = check_function(forward, lambda x, dy: {"x": dy * (x > 0)}, x)
    assert report.status == PASS, str(report)
    assert "beside it" in str(report)
