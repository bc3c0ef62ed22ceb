"""Compression without loss, as methods of an estimator with a Gaussian posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.estimators.base import needs_fit
from npvae.validation import ArgumentError

__all__ = ["Compressing"]


class Compressing:
    """`compress` and `decompress` of an estimator whose model `npvae.compression` can code with."""

    @needs_fit
    def compress(self, X: ArrayLike) -> bytes:
        """The rows of X without loss, at about −ELBO bits: bits-back coding, see `npvae.compression`.

        Raises
        ------
        ArgumentError
            If the likelihood is not one of discrete data, or X has values that it does not know.
        """
        from npvae import compression

        likelihood = self._require_coder()
        x = self._rows(X)
        likelihood.require_support("X", x)
        if not likelihood.is_density(x):
            advice = "make them binary first, or train with a likelihood of grey levels"
            raise ArgumentError("X", "be binary to be coded by a Bernoulli", "values between 0 and 1", advice)
        levels = np.rint(x * (getattr(likelihood, "levels", 2) - 1)).astype(np.uint8)
        return compression.compress(self.model_, self.theta_, levels)

    @needs_fit
    def decompress(self, data: bytes) -> NDArray[np.uint8]:
        """The levels (n, n_features_in_) that `compress` was given: 0 and 1, or 0 to 255.

        Raises
        ------
        CompressedFileError
            If the data are damaged, or were written with another model.
        """
        from npvae import compression

        self._require_coder()
        return compression.decompress(self.model_, self.theta_, data)

    def _require_coder(self) -> Any:
        """The likelihood, if the model can code; an `ArgumentError` says what it lacks."""
        from npvae import compression

        compression.Coder(self.model_, self.theta_, 1, 1)
        return self.model_.likelihood
