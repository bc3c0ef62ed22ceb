"""Data to train on: drawn, generated, or read from files."""

from npvae.datasets.dataset import Dataset
from npvae.datasets.digits import digits

__all__ = ["Dataset", "digits"]
