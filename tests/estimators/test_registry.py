"""What `npvae.register` lets in, and what it refuses at the door."""

from abc import abstractmethod

import numpy as np
import pytest

import npvae
from npvae import VAE
from npvae.estimators import registry
from npvae.estimators.base import Estimator
from npvae.estimators.options import option
from npvae.estimators.registry import register, unregister
from npvae.layers import ACTIVATIONS, Parameterless, register_activation
from npvae.storage import StorageError
from npvae.validation import ArgumentError
from tests.estimators.toy import Toy


class Mine(VAE):
    """A subclass at the top of a module."""


class Plain:
    """No estimator."""


class Unfinished(Estimator):
    """Without a model."""


class Unlearned(Estimator):
    """With a model that nothing trains."""

    def _build(self, n_features, n_rows=None):
        return None


class Bare(Toy):
    """Options without the decorator."""

    height: int = option(2, "of nothing")


class Abstract(Toy):
    """With a hook of its own."""

    @abstractmethod
    def _hook(self): ...


class Outer:
    """A class within a class cannot be imported by name."""

    class Inner(Toy):
        """The inner one."""


def local():
    class Mine2(Toy):
        pass

    return Mine2


class_named_vae = type("VAE", (VAE,), {"__module__": __name__})


@pytest.mark.parametrize(
    ("name", "cls", "text"),
    [
        ("vae", Toy, "name must be new, got 'vae', which is VAE"),
        ("Toy Model", Toy, "name must be small letters and digits with dashes between, got 'Toy Model'"),
        ("", Toy, "name must be small letters"),
        (3, Toy, "name must be small letters"),
        ("toy", Plain, "cls must be a subclass of npvae.estimators.base.Estimator, got the class Plain"),
        ("toy", "tests.estimators.toy:Toy", "cls must be a subclass of npvae.estimators.base.Estimator, got 'tests"),
        ("toy", Toy(), "cls must be a subclass"),
        ("toy", Unfinished, "cls must have _build and fit or _learn, got the class Unfinished without"),
        ("toy", Unlearned, "cls must have fit or _learn, got the class Unlearned without"),
        ("toy", Abstract, "cls must have _hook, got the class Abstract without"),
        (
            "toy",
            Bare,
            "cls must be decorated with npvae.estimators.base.estimator to have options, got Bare",
        ),
        ("toy", local(), "cls must be at the top of a module, to be imported again by its name, got tests"),
        ("toy", Outer.Inner, "cls must be at the top of a module"),
    ],
)
def test_what_could_not_be_read_again_is_refused(name, cls, text):
    before = dict(registry._WHERE)
    with pytest.raises(ArgumentError) as caught:
        register(name, cls)
    assert str(caught.value).startswith(text)
    assert before == registry._WHERE


def test_two_classes_of_one_name_could_not_be_told_apart_in_a_file(monkeypatch):
    monkeypatch.setitem(globals(), "VAE", class_named_vae)
    with pytest.raises(ArgumentError, match=r"cls must have a name of its own, .* got VAE, which is 'vae'"):
        register("mine", class_named_vae)


def test_the_same_class_may_be_registered_again():
    npvae.register("mine", Mine)
    try:
        npvae.register("mine", Mine)
        assert registry.estimator_class("mine") is Mine
    finally:
        unregister("mine")


def test_a_file_of_a_class_that_was_not_registered_says_what_to_do(tmp_path):
    x = np.random.default_rng(0).random((20, 4))
    Mine(latent_dim=1, hidden=2, epochs=1, random_state=0).fit(x).save(tmp_path / "m.npz")
    with pytest.raises(StorageError, match=r"'Mine' that is not known here: .*registered first, by npvae\.register"):
        npvae.load(tmp_path / "m.npz")
    register("mine", Mine)
    try:
        assert type(npvae.load(tmp_path / "m.npz")) is Mine
    finally:
        unregister("mine")


def test_a_file_with_an_activation_that_was_not_registered_says_what_to_do(tmp_path):
    x = np.random.default_rng(0).random((20, 4))

    @register_activation("doubled")
    class Doubled(Parameterless):
        def forward(self, params, x):
            return 2 * x, None

        def backward(self, params, cache, dy, grads, need_dx=True):
            return 2 * dy

    try:
        npvae.VAE(latent_dim=1, hidden=2, activation="doubled", epochs=1, random_state=0).fit(x).save(
            tmp_path / "m.npz"
        )
        npvae.load(tmp_path / "m.npz")
    finally:
        del ACTIVATIONS["doubled"]
    with pytest.raises(StorageError, match=r"got 'doubled'.*; one of your own is registered first: import its module"):
        npvae.load(tmp_path / "m.npz")
