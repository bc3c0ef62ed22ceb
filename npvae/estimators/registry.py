"""All estimators by name: what `npvae.load`, ``npvae train --model NAME`` and ``import npvae`` know.

A new estimator is a file in this folder and a line here. Its module is imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from npvae.validation import one_of

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

    The class has to be importable: a model file names it, and is read where it has been registered.
    """
    _WHERE[name] = f"{cls.__module__}:{cls.__qualname__}"


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
