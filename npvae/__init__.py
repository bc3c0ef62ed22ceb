"""Latent-variable models in pure NumPy, every gradient written by hand and proved.

>>> from npvae import VAE, datasets
>>> X = datasets.digits(200, seed=0).x
>>> vae = VAE(latent_dim=2, hidden=16, epochs=1, random_state=0).fit(X)
>>> vae.sample(3).shape
(3, 784)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from npvae import datasets as datasets
    from npvae.estimators.autoencoder import Autoencoder as Autoencoder
    from npvae.estimators.base import Estimator
    from npvae.estimators.contractive_autoencoder import ContractiveAutoencoder as ContractiveAutoencoder
    from npvae.estimators.denoising_autoencoder import DenoisingAutoencoder as DenoisingAutoencoder
    from npvae.estimators.sparse_autoencoder import SparseAutoencoder as SparseAutoencoder
    from npvae.estimators.vae import VAE as VAE

__version__ = "0.2.0"

__all__ = ["__version__", "datasets", "load", "register"]


def load(path: str | Path) -> Estimator:
    """Read a fitted model that its ``save`` wrote, of whatever estimator.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    StorageError
        If the file is damaged, no model, or one of an estimator that is not known here.
    """
    from npvae.estimators import persistence, registry

    return persistence.load(path, registry.class_named)


def register(name: str, cls: type[Estimator]) -> None:
    """Make an estimator of one's own known under a name, to `load` and to the command line.

    Raises
    ------
    ArgumentError
        For a name that is taken, or a class that is no estimator or cannot be imported again.
    """
    from npvae.estimators import registry

    registry.register(name, cls)


def _estimators() -> dict[str, str]:
    """The name of every estimator's class, and the name of its model."""
    from npvae.estimators import registry

    return dict(registry.classes())


def __getattr__(name: str) -> Any:
    """An estimator, imported when it is first asked for: an import of npvae takes no longer for having many of them."""
    if not name.startswith("_"):
        # A room first: those that the estimators import ask for each other while the estimators are not there yet.
        try:
            return import_module(f"npvae.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"npvae.{name}":
                raise
        if name in _estimators():
            from npvae.estimators import registry

            return registry.class_named(name)
    raise AttributeError(f"module 'npvae' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_estimators()})
