"""The table of options: one declaration, which constructor, check, flag and documentation are read from."""

import inspect

import numpy as np
import pytest

from npvae import VAE
from npvae.estimators import registry
from npvae.estimators.base import Estimator
from npvae.estimators.options import options_of
from npvae.layers import LeakyReLU, ReLU
from npvae.validation import ArgumentError, ArgumentTypeError


@pytest.mark.parametrize("name", registry.names())
def test_the_constructor_has_every_option_with_its_default(name):
    cls = registry.estimator_class(name)
    parameters = {p.name: p.default for p in inspect.signature(cls).parameters.values()}
    assert parameters == {option.name: option.default for option in options_of(cls).values()}


@pytest.mark.parametrize("name", registry.names())
def test_no_two_options_have_one_flag_and_every_default_is_one_that_can_be(name):
    table = options_of(registry.estimator_class(name))
    flags = [option.flag for option in table.values() if option.flag is not None]
    assert len(set(flags)) == len(flags)
    for option in table.values():
        assert option.check(option.default) == option.default or option.kind is tuple
        assert option.help
        assert not option.help.endswith(".")


@pytest.mark.parametrize("name", registry.names())
def test_the_docstring_lists_every_option_with_its_help(name):
    cls = registry.estimator_class(name)
    for option in options_of(cls).values():
        assert f"\n{option.name} : " in cls.__doc__
        assert option.help[1:] in cls.__doc__


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("latent_dim", 0, ArgumentError, "latent_dim must be at least 1, got 0"),
        ("latent_dim", "3", ArgumentTypeError, "latent_dim must be an integer, got '3'"),
        ("learning_rate", 0.0, ArgumentError, "learning_rate must be greater than 0, got 0.0"),
        ("activation", "rellu", ArgumentError, "activation must be one of .* did you mean 'relu'"),
        ("activation", 3, ArgumentError, "activation must be one of .* got 3"),
        ("verbose", "yes", ArgumentTypeError, "verbose must be True or False, got 'yes'"),
        ("hidden", "400", ArgumentTypeError, "hidden must be an integer or a sequence of integers"),
        ("encoder", 3, ArgumentTypeError, "encoder must have the members shapes, init, forward, backward, got 3"),
        ("patience", 0, ArgumentError, "patience must be at least 1, got 0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name, value, error, text):
    with pytest.raises(error, match=text):
        options_of(VAE)[name].check(value)


def test_values_come_back_as_the_model_gets_them():
    table = options_of(VAE)
    assert table["hidden"].check(5) == (5,)
    assert type(table["latent_dim"].check(np.int64(5))) is int
    assert table["patience"].check(None) is None
    activation = LeakyReLU(0.2)
    assert table["activation"].check(activation) is activation


def test_an_object_of_the_protocol_stands_in_the_place_of_a_name():
    x = np.random.default_rng(0).random((20, 9))
    settings = {"latent_dim": 2, "hidden": 4, "epochs": 1, "random_state": 0}
    by_name, by_object = VAE(**settings).fit(x), VAE(**settings, activation=ReLU()).fit(x)
    np.testing.assert_array_equal(by_name.theta_.flat, by_object.theta_.flat)


def test_the_base_has_the_options_that_all_estimators_share():
    assert set(options_of(Estimator)) == {"scale", "random_state", "verbose"}
