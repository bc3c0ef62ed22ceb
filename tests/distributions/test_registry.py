"""Likelihoods and posteriors by name: what a registration gives, and what is refused."""

from dataclasses import dataclass

import pytest

from npvae.distributions import (
    LIKELIHOODS,
    POSTERIORS,
    FixedGaussian,
    Laplace,
    LearnedGaussian,
    named_likelihood,
    register_likelihood,
    register_posterior,
)


@pytest.fixture
def tables(monkeypatch):
    """Registrations of a test do not outlive it."""
    for table in (LIKELIHOODS, POSTERIORS):
        for name in list(table):
            monkeypatch.setitem(table, name, table[name])
    yield
    for table in (LIKELIHOODS, POSTERIORS):
        for name in [name for name in table if name.startswith("new-")]:
            del table[name]


def test_a_name_stands_for_a_class_and_its_options_for_arguments():
    assert named_likelihood("gaussian", sigma=0.5, mean_link="sigmoid") == FixedGaussian(0.5, "sigmoid")
    assert named_likelihood("laplace", sigma=0.1) == Laplace(0.1)
    assert named_likelihood("gaussian-shared", sigma=1.0) == LearnedGaussian(shared=True)
    assert named_likelihood("gaussian-pixel") == LearnedGaussian()


def test_every_registered_class_is_made_without_options():
    for name, family in LIKELIHOODS.items():
        assert isinstance(named_likelihood(name), family.make)
    for cls in POSTERIORS.values():
        assert cls().n_params(3) > 3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lapalce", {}, "likelihood must be one of .*; did you mean 'laplace'"),
        ("bernoulli", {"sigma": 2}, "sigma must be 1.0 with likelihood='bernoulli': it takes none; got 2"),
        ("bernoulli", {"mean_link": "sigmoid"}, "mean_link must be 'identity' with likelihood='bernoulli'"),
        ("gaussian", {"sigma": -1}, "sigma must be greater than 0"),
    ],
)
def test_what_does_not_go_together_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        named_likelihood(name, **options)


def test_a_registration_is_all_that_a_new_one_needs(tables):
    @register_likelihood("new-one", sigma="width")
    @dataclass(frozen=True)
    class New(Laplace):
        width: float = 1.0

    register_posterior("new-two")(New)
    assert named_likelihood("new-one", sigma=3.0).width == 3.0
    assert POSTERIORS["new-two"] is New


def test_a_name_is_given_once_and_an_option_must_exist():
    with pytest.raises(ValueError, match="name must be new, got 'laplace'"):
        register_likelihood("laplace")(Laplace)
    with pytest.raises(ValueError, match="option must be one of 'sigma', 'mean_link', got 'width'"):
        register_likelihood("other", width="scale")
