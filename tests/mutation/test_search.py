"""The checker sees every mistake in the package, and the search for mistakes is no rubber stamp."""

import json

import numpy as np
import pytest

from npvae.gradcheck import GradientCheckError, Report, check_function
from npvae.gradcheck.check import TargetError
from npvae.gradcheck.report import Entry
from npvae.mutation.mutants import NoSource
from npvae.mutation.search import Exposed, mutate, mutate_package, try_mutants
from npvae.proofs import all_cases


def passing() -> Report:
    """A checker that is always content."""
    return Report("blind", [Entry("x", (), "PASS", "none", 0.0, 0.0, 0.0, 1.0, 1.0)])


def forward(x, W):
    return x @ W, (x, W)


def backward(cache, dy):
    x, W = cache
    return {"x": dy @ W.T, "W": x.T @ dy}


def pair(n=4):
    rng = np.random.default_rng(0)
    return forward, backward, {}, {"x": rng.normal(size=(n, n)), "W": rng.normal(size=(n, n))}


@pytest.mark.parametrize(
    ("only", "at_least"),
    [
        ("Dense.backward", 30),
        ("DiagonalGaussian.", 400),
        ("FixedGaussian.", 50),
        ("Bernoulli.kl", 50),
    ],
)
def test_every_mistake_in_the_heart_of_the_package_is_found(only, at_least):
    """The whole package takes minutes: ``npvae gradcheck --all --mutate``."""
    report = mutate_package(only=only)
    assert report.passed, str(report)
    assert report.total.killed > at_least
    assert report.total.killed > 10 * len(report.total.equivalent)


def test_a_backward_without_a_case_would_be_seen():
    """Every method with a backward of every class that a case covers is among those broken."""
    methods = {
        f"{thing.__name__}.{name}"
        for case in all_cases()
        for thing in case.covers
        if isinstance(thing, type)
        for name in vars(thing)
        if name.endswith(("_backward", "_backward_x")) or name == "backward"
    }
    report = mutate_package(only="kl")
    assert {tally.name for tally in report.tallies} == {name for name in methods if "kl" in name}


def test_a_blind_checker_lets_mutants_survive():
    def action():
        backward((np.ones((2, 3)), np.ones((3, 4))), np.ones((2, 4)))
        return passing()

    report = try_mutants([Exposed(backward, (action,))])
    assert not report.passed
    assert len(report.survivors()) > 20
    assert "SURVIVED backward, line" in str(report)
    assert "every check passes at its inputs" in report.survivors()[0]


def test_a_check_that_never_calls_the_function_proves_nothing():
    report = try_mutants([Exposed(backward, (passing,))])
    assert len(report.survivors()) == report.total.mutants > 30
    assert report.total.equivalent == []
    assert "no check calls the function" in report.survivors()[0]


def test_a_checker_that_looks_at_one_element_only_is_found_out():
    """A plausible weak checker: dW[0, 0] by a central difference, with a tolerance of a per mille."""
    *_, params = pair()

    def check():
        x, W, h = params["x"], params["W"], 1e-6
        gradient = backward(forward(x, W)[1], np.ones((4, 4)))["W"][0, 0]
        step = np.zeros((4, 4))
        step[0, 0] = h
        numeric = (forward(x, W + step)[0].sum() - forward(x, W - step)[0].sum()) / (2 * h)
        report = passing()
        report.entries[0].status = "PASS" if abs(numeric - gradient) < 1e-3 * abs(numeric) else "FAIL"
        return report

    survivors = "\n".join(try_mutants([Exposed(backward, (check,))]).survivors())
    assert "dy @ W.T -> dy" in survivors
    assert "1.0001 * " in survivors
    assert mutate(pair()).passed


def test_equal_sizes_are_needed_to_see_nothing_but_numbers():
    assert mutate(pair(4)).total.mutants == mutate(pair(2)).total.mutants


def test_a_gradient_that_does_not_come_back_any_more_is_noticed():
    *functions, _, params = pair()
    assert mutate((*functions, params, {})).passed


def noisy(x, eps):
    return x * x + eps, x


def noisy_backward(x, dy):
    return {"x": 2 * x * dy}


def test_an_input_that_may_go_without_a_gradient_is_the_reason_given():
    report = mutate((noisy, noisy_backward, {"x": np.array([1.0, 2.0]), "eps": np.array([0.1, 0.2])}))
    assert not any("no gradient of eps" in line for line in report.survivors())


def test_the_function_is_whole_again_afterwards_also_after_an_error():
    code = backward.__code__
    mutate(pair())
    assert backward.__code__ is code

    def interrupted():
        if backward.__code__ is not code:
            raise KeyboardInterrupt
        return check_function(*pair())

    with pytest.raises(KeyboardInterrupt):
        try_mutants([Exposed(backward, (interrupted,))])
    assert backward.__code__ is code


def test_a_loss_keeps_its_value_while_its_gradient_is_broken():
    theta = np.array([0.3, -1.2, 2.0])

    def value_and_grad(w):
        r = w * w - 0.5
        return (r * r).sum(), 4 * r * w

    report = mutate((value_and_grad, theta))
    assert report.passed, str(report)
    assert any("r * r" in mutant.change for mutant in report.total.equivalent)


def test_only_the_users_own_part_of_a_network_is_broken():
    from npvae.layers import Chain, Dense

    class Double:
        @property
        def shapes(self):
            return {}

        def init(self, rng):
            return {}

        def forward(self, params, x):
            return 2 * x, None

        def backward(self, params, cache, dy, grads, need_dx=True):
            return 2 * dy

    report = mutate(Chain(Dense(3, 3), Double()))
    assert [tally.name.rpartition(".")[2] for tally in report.tallies] == ["backward"]
    assert "Double" in report.tallies[0].name
    assert report.passed, str(report)


def test_a_check_that_fails_beforehand_is_raised():
    def wrong(cache, dy):
        return {**backward(cache, dy), "W": cache[0] @ dy}

    with pytest.raises(GradientCheckError, match="FAIL"):
        mutate((forward, wrong, *pair()[2:]))


@pytest.mark.parametrize(
    ("target", "error", "why"),
    [
        ((lambda x: (2 * x, lambda dy: 2 * dy), None, np.ones(3)), NoSource, "a closure"),
        ((lambda x: 2 * x, lambda dy: 2 * dy, np.ones(3)), NoSource, "give it a def"),
        (3, TargetError, "the factory has to return"),
    ],
)
def test_what_cannot_be_broken_is_said(target, error, why):
    with pytest.raises(error, match=why):
        mutate(target)


def test_an_unknown_name_is_said():
    with pytest.raises(ValueError, match="only must be in the name of a function that is broken"):
        mutate_package(only="nonesuch")


def test_the_report_as_text_and_as_json():
    seen = []
    report = mutate(pair(), on_tally=seen.append)
    assert seen == report.tallies
    lines = str(report).splitlines()
    assert lines[0].split() == ["function", "mutants", "killed", "equivalent", "survived", "time"]
    assert lines[1].split()[:2] == ["backward", str(report.total.mutants)]
    assert lines[-1] == "every mutant that does something else is found"
    document = json.loads(report.to_json())
    assert document["passed"] is True
    (row,) = document["functions"]
    assert row["mutants"] == row["killed"] + len(row["equivalent"]) + len(row["survived"])
