"""All estimators by name: what `npvae.load`, ``npvae train --model NAME`` and ``import npvae`` know.

A new estimator is a file in this folder and a line here. Its module is imported when it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import Field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from npvae.validation import ArgumentError, ArgumentTypeError, one_of

if TYPE_CHECKING:
    from npvae.estimators.base import Estimator

__all__ = ["class_named", "estimator_class", "model_name", "names", "register", "unregister"]

_WHERE: dict[str, str] = {
    "vae": "npvae.estimators.vae:VAE",
    "rbm": "npvae.estimators.rbm:RBM",
    "pca": "npvae.estimators.pca:PCA",
    "gaussian-mixture": "npvae.estimators.gaussian_mixture:GaussianMixture",
    "autoencoder": "npvae.estimators.autoencoder:Autoencoder",
    "sparse": "npvae.estimators.sparse_autoencoder:SparseAutoencoder",
    "denoising": "npvae.estimators.denoising_autoencoder:DenoisingAutoencoder",
    "contractive": "npvae.estimators.contractive_autoencoder:ContractiveAutoencoder",
    "binary-vae": "npvae.estimators.binary_vae:BinaryVAE",
    "sbn": "npvae.estimators.sigmoid_belief_network:SigmoidBeliefNetwork",
}
"""Where the class of each name is, as ``module:Class``."""


def register(name: str, cls: type[Estimator]) -> None:
    """Make an estimator of one's own known under a name, to `npvae.load` and to the command line.

    A model file names the class, and is read wherever that has been registered.

    Parameters
    ----------
    name : str
        A new one, small letters and digits with dashes between.
    cls : subclass of npvae.estimators.base.Estimator
        At the top of a module, from where it is imported by name; its own name is new as well.

    Raises
    ------
    ArgumentError
        For a name that is taken, a class that is no estimator or lacks a method, or one that cannot be imported.
    """
    where = _path_of(cls)
    if not (isinstance(name, str) and re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)):
        raise ArgumentError("name", "be small letters and digits with dashes between", repr(name))
    if _WHERE.get(name) == where:
        return
    if name in _WHERE:
        raise ArgumentError("name", "be new", f"{name!r}, which is {_WHERE[name].partition(':')[2]}")
    if cls.__name__ in dict(classes()):
        rule = "have a name of its own, which stands in model files"
        raise ArgumentError("cls", rule, f"{cls.__name__}, which is {dict(classes())[cls.__name__]!r}")
    _WHERE[name] = where


def _path_of(cls: Any) -> str:
    """``module:Class``, if an estimator can be made of the class and found there again."""
    from npvae.estimators.base import Estimator

    if not isinstance(cls, type) or not issubclass(cls, Estimator):
        got = f"the class {cls.__name__}" if isinstance(cls, type) else repr(cls)
        raise ArgumentTypeError("cls", "be a subclass of npvae.estimators.base.Estimator", got)
    lacking = sorted(cls.__abstractmethods__)
    if cls.fit is Estimator.fit and cls._learn is Estimator._learn:
        lacking.append("fit or _learn")
    if lacking:
        raise ArgumentTypeError("cls", f"have {' and '.join(lacking)}", f"the class {cls.__name__} without")
    if plain := [name for name, value in vars(cls).items() if isinstance(value, Field)]:
        got = f"{cls.__name__} with {', '.join(plain)}"
        raise ArgumentTypeError("cls", "be decorated with npvae.estimators.base.estimator to have options", got)
    try:
        found = getattr(import_module(cls.__module__), cls.__qualname__)
    except (AttributeError, ImportError):
        found = None
    if found is not cls:
        rule = "be at the top of a module, to be imported again by its name"
        raise ArgumentError("cls", rule, f"{cls.__module__}:{cls.__qualname__}")
    return f"{cls.__module__}:{cls.__qualname__}"


def unregister(name: str) -> None:
    """Forget a name."""
    del _WHERE[name]


def names() -> list[str]:
    """The names of all estimators."""
    return list(_WHERE)


def classes() -> Iterator[tuple[str, str]]:
    """Name of the class and name of the estimator, without an import."""
    for name, where in _WHERE.items():
        yield where.rpartition(":")[2], name


def estimator_class(name: str) -> type[Estimator]:
    """The class of an estimator's name; for an unknown name, an error with the nearest known one."""
    module, _, attribute = one_of("model", name, _WHERE).partition(":")
    return getattr(import_module(module), attribute)


def class_named(class_name: str) -> type[Estimator]:
    """The class by its own name, which is what a model file holds."""
    return estimator_class(one_of("estimator", class_name, dict(classes())))


def model_name(cls: type[Estimator]) -> str:
    """The name of an estimator's class; that of its class itself where it is not registered."""
    return dict(classes()).get(cls.__name__, cls.__name__)
