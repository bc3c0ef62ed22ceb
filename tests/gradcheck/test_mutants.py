"""What is changed in a function, and that nothing else is."""

import types

import numpy as np
import pytest

from npvae.gradcheck.mutants import NoSource, in_place, mutants


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
    exec("def typed(x):\n    return x\n", space)
    with pytest.raises(NoSource, match="cannot be read"):
        mutants(space["typed"])
