"""Two functions are equivalent if they do the same, and only then."""

import numpy as np
import pytest

from npvae.gradcheck.equivalence import equivalent, record, same
from npvae.gradcheck.mutants import mutants
from npvae.parameters import Parameters


def write(x, grads, *, scale=1.0):
    grads["W"][...] = scale * x.sum(axis=0)
    return x.copy()


def calls(*inputs):
    def action():
        for x in inputs:
            write(x, {"W": np.zeros(x.shape[1])}, scale=0.5)

    return record(write, action)


@pytest.mark.parametrize(
    ("change", "is_equivalent"),
    [
        ("x.copy() -> x", True),
        ("x.copy() -> 1.0001 * x.copy()", False),
        ("return x.copy() dropped", False),
        ("x.sum(axis=0) -> x.sum()", False),
        ("scale * x.sum(axis=0) -> x.sum(axis=0)", False),
        ("grads['W'][...] = scale * x.sum(axis=0) dropped", False),
        ("grads -> x", False),
    ],
)
def test_what_is_returned_and_what_is_written_counts(change, is_equivalent):
    recorded = calls(np.arange(6.0).reshape(3, 2), np.ones((3, 2)))
    mutant = next(mutant for mutant in mutants(write) if mutant.change == change)
    assert equivalent(write, mutant.code, recorded) == is_equivalent


def test_one_call_that_differs_is_enough():
    change = "x.sum(axis=0) -> x.mean(axis=0)"
    mutant = next(m for m in mutants(write) if m.change in (change, "x.sum -> x.mean"))
    assert equivalent(write, mutant.code, calls(np.ones((1, 2))))
    assert not equivalent(write, mutant.code, calls(np.ones((1, 2)), np.ones((2, 2))))


def test_without_a_call_nothing_is_equivalent():
    assert not equivalent(write, write.__code__, calls())


def test_calls_are_recorded_with_what_they_were_given():
    x = np.ones((2, 2))

    def action():
        write(x, {"W": np.zeros(2)})
        x[:] = 7.0

    (call,) = record(write, action)
    assert call.arguments["x"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert call.outcome[1]["grads"]["W"].tolist() == [2.0, 2.0]


def test_one_part_of_the_result_can_be_all_that_counts():
    def value_and_grad(w):
        return w * w, 2 * w

    def action():
        value_and_grad(np.ones(2))

    value = next(m for m in mutants(value_and_grad) if m.change == "w * w -> 2 * (w * w)")
    assert not equivalent(value_and_grad, value.code, record(value_and_grad, action))
    assert equivalent(value_and_grad, value.code, record(value_and_grad, action, part=1), 1)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, 1e-30]), np.array([1.0, 3e-30]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9]), False),
        (np.zeros(3), np.zeros((3, 1)), False),
        (np.zeros(3), np.zeros(3, np.float32), False),
        (np.zeros(3), None, False),
        ((1.0, None), (1.0, None), True),
        ([1.0], (1.0,), False),
        ({"a": 1.0}, {"b": 1.0}, False),
        (Parameters({"W": (2,)}), Parameters({"W": (2,)}), True),
        (ValueError, ValueError, True),
        (ValueError, TypeError, False),
        (3.0, 3.0 + 1e-15, True),
        (3, 4, False),
        ("x", "y", False),
    ],
)
def test_sameness(a, b, equal):
    assert same(a, b) == equal
