"""Each rule of the preflight has code that breaks it, and no other."""

import numpy as np
import pytest

from npvae.gradcheck import FAIL, PASS, check_function, check_layer
from tests.gradcheck.doubles import Dense, arrays, backward, changed, forward


def findings(forward, backward, inputs=None, params=None, **settings):
    given = arrays()
    report = check_function(forward, backward, inputs or given[0], given[1] if params is None else params, **settings)
    return report, [(finding.kind, finding.tensor) for finding in report.findings]


def test_correct_code_has_no_findings():
    assert findings(forward, backward)[1] == []


@pytest.mark.parametrize("where", ["x", "W"])
def test_a_forward_that_writes_to_an_argument(where):
    def careless(**arguments):
        arguments[where] *= 2
        return forward(**arguments)

    report, found = findings(careless, backward)
    assert found == [("mutated argument", where)]
    assert f"forward changes its argument {where} in place" in str(report)


def test_a_backward_that_writes_to_the_upstream_gradient():
    def careless(cache, dy):
        dy *= 1 - cache[2] ** 2
        return backward((*cache[:2], 0.0), dy)

    report, found = findings(forward, careless)
    assert found == [("mutated argument", None)]
    assert "backward changes the upstream gradient in place" in str(report)
    assert all(entry.status == PASS for entry in report.entries)


def test_a_backward_that_writes_to_an_argument():
    def careless(cache, dy):
        cache[1][...] = 1.0
        return backward(cache, dy)

    assert ("mutated argument", "W") in findings(forward, careless)[1]


def test_code_that_writes_the_same_value_back_is_refused_by_read_only_arrays():
    def careless(x, W, b):
        x += 0.0
        return forward(x, W, b)

    report, found = findings(careless, backward)
    assert found == [("mutated argument", None)]
    assert "with read-only arguments, forward raised ValueError" in str(report)
    assert all(entry.status == PASS for entry in report.entries)


def test_unfrozen_randomness():
    rng = np.random.default_rng(0)

    def noisy(x, W, b):
        return forward(x + rng.standard_normal(x.shape), W, b)

    report, found = findings(noisy, backward)
    assert found == [("unfrozen randomness", None)]
    assert report.entries == []
    assert "it keeps a generator or a state" in str(report)


def test_numpys_global_generator_is_named_and_left_as_it_was():
    def noisy(x, W, b):
        return forward(x + np.random.standard_normal(x.shape), W, b)  # noqa: NPY002

    np.random.seed(7)  # noqa: NPY002
    report, found = findings(noisy, backward)
    assert found == [("unfrozen randomness", None)]
    assert "it draws from NumPy's global generator" in str(report)


def test_a_sum_that_cancels_is_not_blamed_on_the_memory_layout():
    big = np.random.default_rng(0).standard_normal((40, 30)) * 1e8

    def cancelling(x):
        return ((x + big).sum() - big.sum()) + (x**2).sum(), x

    report, found = findings(cancelling, lambda x, dy: {"x": dy * (1 + 2 * x)}, {"x": np.ones((40, 30))}, {})
    assert not any(kind == "memory layout" for kind, _ in found), str(report)


def test_a_generator_given_as_an_argument_is_frozen():
    def noisy(x, rng):
        eps = rng.standard_normal(x.shape)
        return x * eps, eps

    report, found = findings(
        noisy, lambda eps, dy: {"x": dy * eps}, {"x": np.ones(3), "rng": np.random.default_rng(1)}, {}
    )
    assert (report.status, found) == (PASS, [])


def test_an_accumulating_backward():
    kept = {}

    def adding(cache, dy):
        for name, gradient in backward(cache, dy).items():
            kept[name] = kept.get(name, 0.0) + gradient
        return kept

    assert findings(forward, adding)[1] == [("accumulating backward", "x")]


def test_a_layer_that_adds_to_its_gradients():
    class Adding(Dense):
        def backward(self, params, cache, dy, grads, need_dx=True):
            grads["W"] += cache.T @ dy
            grads["b"] += dy.sum(axis=0)
            return dy @ params["W"].T

    report = check_layer(Adding())
    assert [(f.kind, f.tensor) for f in report.findings if f.fails] == [("accumulating backward", "W")]


def test_a_stateful_backward():
    calls = []

    def fading(cache, dy):
        calls.append(None)
        return backward(cache, dy / len(calls))

    assert findings(forward, fading)[1] == [("stateful backward", "x")]


def test_a_gradient_that_depends_on_earlier_calls():
    class Momentum:
        calls = 0

        def forward(self, x):
            self.calls += 1
            return x * 2.0, self.calls

        def backward(self, cache, dy):
            return {"x": 2.0 * dy * (1 + 1e-3 * cache)}

    code = Momentum()
    assert findings(code.forward, code.backward, {"x": np.ones(3)}, {})[1] == [("stateful backward", "x")]


def test_stale_state():
    class Stale:
        def forward(self, x):
            self.x = x
            return x**2, x

        def backward(self, cache, dy):
            return {"x": 2 * self.x * dy}

    code = Stale()
    assert findings(code.forward, code.backward, {"x": np.arange(1.0, 4.0)}, {})[1] == [("stale state", "x")]


def test_code_without_a_cache_may_use_what_its_last_forward_left():
    class Stateful:
        def forward(self, x):
            self.x = x
            return x**2

        def backward(self, dy):
            return {"x": 2 * self.x * dy}

    code = Stateful()
    report, found = findings(code.forward, code.backward, {"x": np.arange(1.0, 4.0)}, {})
    assert (report.status, found) == (PASS, [])


def test_memory_layout_in_the_forward_and_in_the_backward():
    def flat(x):
        return x.ravel(order="K") * 2.0, x.shape

    report, found = findings(flat, lambda shape, dy: {"x": 2.0 * dy.reshape(shape)}, arrays()[0], {})
    assert ("memory layout", None) in found
    assert "Fortran-ordered arrays: forward gives another result" in str(report)

    def remember(x):
        return x * 2.0, x.flags.f_contiguous

    def dependent(fortran, dy):
        return {"x": dy * (3.0 if fortran else 2.0)}

    report, found = findings(remember, dependent, arrays()[0], {})
    assert "Fortran-ordered arrays: backward gives another gradient of x" in str(report)


def test_code_that_insists_on_contiguous_arrays():
    def strict(x):
        y = x.view()
        y.shape = (x.size,)
        return y * 2.0, x.shape

    report, _ = findings(strict, lambda shape, dy: {"x": 2.0 * dy.reshape(shape)}, arrays()[0], {})
    assert report.status == FAIL
    assert {finding.kind for finding in report.findings} == {"memory layout"}


def test_zero_upstream_and_the_hidden_decay_behind_it():
    inputs, params = arrays()

    def decaying(cache, dy):
        grads = backward(cache, dy)
        return grads | {"W": grads["W"] + 1e-4 * params["W"]}

    report, found = findings(forward, decaying, inputs, params)
    assert found == [("zero upstream", "W")]
    assert "0.0001 × W, a hidden weight decay" in str(report)


def test_nonlinear_upstream():
    report, found = findings(forward, changed("W", lambda g: np.clip(g, -0.5, 0.5)))
    assert found == [("nonlinear upstream", "W")]
    assert report.status == FAIL


def test_gradient_of_another_dtype():
    report, found = findings(forward, changed("b", lambda g: g.astype(np.float32)))
    assert found[0] == ("dtype", "b")
    assert "the gradient of b is float32, b is float64" in str(report)


def test_a_forward_that_computes_in_float32_inside_is_remarked_upon():
    def narrow(x):
        return (x.astype(np.float32) ** 2), x

    report, found = findings(narrow, lambda x, dy: {"x": (2 * x * dy).astype(np.float64)}, arrays()[0], {})
    assert ("dtype", None) in found
    assert not report.findings[0].fails


def test_a_parameter_without_axes_keeps_its_shape_in_every_memory_layout():
    report = check_function(
        lambda x, s: (x * s, (x, s)),
        lambda cache, dy: {"x": dy * cache[1], "s": (dy * cache[0]).sum()},
        {"x": np.arange(3.0)},
        {"s": np.array(2.0)},
    )
    assert report.status == PASS, str(report)
