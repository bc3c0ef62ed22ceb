"""Estimators: scikit-learn's conventions, without its import, over the pure models."""

from npvae.estimators.estimator import Estimator
from npvae.estimators.vae import VAE

__all__ = ["VAE", "Estimator"]
