"""Estimators: scikit-learn's conventions over the pure models, without its import. `registry` knows all by name."""

from npvae.estimators.base import Estimator
from npvae.estimators.registry import register

__all__ = ["Estimator", "register"]
