"""What is changed in a function, and that nothing else is; two functions are equivalent if they do the same."""

import types

import numpy as np
import pytest

from npvae.mutation.mutants import NoSource, equivalent, in_place, mutants, record, same
from npvae.parameters import Parameters


def changes(function):
    return {mutant.change for mutant in mutants(function)}


def sample(x, W, dy, flip=False):
    total = 0.5 * x - dy
    total += np.sum(x.T, axis=0)
    if flip and total[0] > 1:
        return -total
    return {"W": W["kernel"], "dx": np.mean(dy)}


@pytest.mark.parametrize(
    "change",
    [
        "0.5 * x - dy -> 0.5 * x + dy",
        "0.5 * x - dy -> 0.5 * x",
        "0.5 * x - dy -> -dy",
        "0.5 * x -> 0.5 / x",
        "0.5 -> 1.0",
        "0.5 -> 0.0",
        "0.5 -> 0.5005",
        "0.5 -> 0.50005",
        "total += np.sum(x.T, axis=0) dropped",
        "total += np.sum(x.T, axis=0) -> total -= np.sum(x.T, axis=0)",
        "total += np.sum(x.T, axis=0) -> total = np.sum(x.T, axis=0)",
        "np.sum -> np.mean",
        "np.mean -> np.sum",
        "np.sum(x.T, axis=0) -> np.sum(x.T)",
        "np.sum(x.T, axis=0) -> x.T",
        "0 -> 1",
        "x.T -> x",
        "x.T -> 1.0001 * x.T",
        "x -> dy",
        "total[0] > 1 -> total[0] <= 1",
        "flip and total[0] > 1 -> flip or total[0] > 1",
        "-total -> total",
        "'W' -> 'kernel'",
        "return -total dropped",
        "W['kernel'] -> 2 * W['kernel']",
        "np.mean(dy) -> -np.mean(dy)",
    ],
)
def test_every_kind_of_mistake_is_made(change):
    assert change in changes(sample)


def test_a_mutant_does_what_it_says_and_the_function_gets_its_code_back():
    def double(x):
        return 2 * x

    chosen = {mutant.change: mutant for mutant in mutants(double)}
    with in_place(double, chosen["2 * x -> 2 / x"].code):
        assert double(4) == 0.5
    assert double(4) == 8
    with pytest.raises(TypeError), in_place(double, chosen["2 -> 0"].code):
        double(None)
    assert double(4) == 8


def test_variables_of_an_outer_function_and_private_names_survive():
    factor, offset = 3.0, 1.0

    class Private:
        __secret = 5.0

        def backward(self, x):
            return self.__secret * factor * x + offset

    codes = {mutant.change: mutant.code for mutant in mutants(Private.backward)}
    with in_place(Private.backward, codes["self.__secret * factor -> self.__secret"]):
        assert Private().backward(2.0) == 11.0
    assert Private().backward(2.0) == 31.0


def test_a_loop_without_end_is_ended():
    def steps(n):
        while n > 0:
            n -= 1
        return n

    endless = next(m for m in mutants(steps) if m.change == "n -= 1 -> n += 1")
    with in_place(steps, endless.code), pytest.raises(RuntimeError, match="no end"):
        steps(3)


def test_lines_are_those_of_the_file():
    first = sample.__code__.co_firstlineno
    assert {m.line - first for m in mutants(sample) if m.change == "-total -> total"} == {4}


def test_no_two_mutants_are_the_same_and_none_is_the_function():
    def twice(x):
        return x + x

    assert [mutant.change for mutant in mutants(twice)].count("x + x -> x") == 1
    codes = [mutant.code.co_code + repr(mutant.code.co_consts).encode() for mutant in mutants(sample)]
    assert len(mutants(sample)) > 60
    assert all(isinstance(mutant.code, types.CodeType) for mutant in mutants(sample))
    assert sample.__code__.co_code + repr(sample.__code__.co_consts).encode() not in codes


@pytest.mark.parametrize(
    ("function", "why"),
    [(lambda x: 2 * x, "give it a def"), (np.exp, "not written in Python"), (len, "not written in Python")],
)
def test_what_cannot_be_rewritten_is_said(function, why):
    with pytest.raises(NoSource, match=why):
        mutants(function)


def test_source_typed_into_exec_is_said_to_be_unreadable():
    space = {}
    exec(compile("def typed(x):\n    return x\n", "<typed>", "exec"), space)
    with pytest.raises(NoSource, match="cannot be read"):
        mutants(space["typed"])


def write(x, grads, *, scale=1.0):
    grads["W"][...] = scale * x.sum(axis=0)
    return x.copy()


def calls(*inputs):
    def action():
        for x in inputs:
            write(x, {"W": np.zeros(x.shape[1])}, scale=0.5)

    return record(write, action)[1]


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

    _, (call,) = record(write, action)
    assert call.arguments["x"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert call.outcome[1]["grads"]["W"].tolist() == [2.0, 2.0]


def test_one_part_of_the_result_can_be_all_that_counts():
    def value_and_grad(w):
        return w * w, 2 * w

    def action():
        value_and_grad(np.ones(2))

    value = next(m for m in mutants(value_and_grad) if m.change == "w * w -> 2 * (w * w)")
    assert not equivalent(value_and_grad, value.code, record(value_and_grad, action)[1])
    assert equivalent(value_and_grad, value.code, record(value_and_grad, action, part=1)[1], 1)


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
