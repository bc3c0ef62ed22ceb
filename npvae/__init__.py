"""Variational autoencoders in pure NumPy, every gradient written by hand and proved.

>>> from npvae import VAE, datasets
>>> X = datasets.digits(200, seed=0).x
>>> vae = VAE(latent_dim=2, hidden=16, epochs=1, random_state=0).fit(X)
>>> vae.sample(3).shape
(3, 784)
"""

from __future__ import annotations

from pathlib import Path

from npvae import datasets
from npvae.estimators import VAE
from npvae.estimators.estimator import load_estimator

__version__ = "0.1.0"

__all__ = ["VAE", "__version__", "datasets", "load"]


def load(path: str | Path) -> VAE:
    """Read a fitted model that its ``save`` wrote.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    StorageError
        If the file is damaged or no model.
    """
    return load_estimator(path, {"VAE": VAE})
