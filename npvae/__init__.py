"""Variational autoencoders in pure NumPy, every gradient written by hand and proved."""

__version__ = "0.1.0"
