"""Grey pixels made binary: the option `binarize`, and what it makes of rows in training and afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.datasets import bernoulli_draw, threshold
from npvae.estimators.base import random_seed
from npvae.estimators.gradient_fit import Visits
from npvae.estimators.options import option
from npvae.evaluation.row_noise import bernoulli_rows
from npvae.validation import ArgumentError

__all__ = ["BINARIZE", "Binarizing"]

BINARIZE = dict.fromkeys(["none", "threshold", "fixed", "dynamic"])

FIXED = 6
"""Stream of random numbers of the one draw of ``binarize="fixed"``."""


@dataclass(eq=False, repr=False, kw_only=True)
class Binarizing:
    """An estimator that can make grey pixels binary before it learns them."""

    binarize: str = option(
        "none", "grey pixels to 0 and 1: at ½, by one random draw, or by a fresh draw at every visit",
        choices=BINARIZE, group="data",
    )  # fmt: skip

    def _score_rows(self, X: ArrayLike, random_state: int | np.random.Generator | None = 0) -> NDArray:
        """Where rows are made binary by draws, these are new ones: each row's by itself, the same for the same seed."""
        x = self._rows(X)
        self._require_support("X", x)
        return binary(x, self.params_["binarize"], random_seed(random_state))

    def _require_support(self, argument: str, x: NDArray) -> None:
        """An `ArgumentError` for values that the fitted model cannot score."""
        self.model_.likelihood.require_support(argument, x)

    def _require_pixels(self, argument: str, x: NDArray) -> None:
        """An `ArgumentError` for values outside [0, 1] that are to be made binary."""
        if self.binarize != "none" and not (x.min() >= 0 and x.max() <= 1):
            got = f"values from {x.min():.9g} to {x.max():.9g}"
            advice = "divide 8-bit images by 255; other numbers cannot be made binary"
            settings = {"binarize": self.binarize}
            raise ArgumentError(argument, "lie in [0, 1] with {binarize}", got, advice, settings)

    def _encoder_rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        """The rows as the encoder gets them: what is random in making them binary is left to `prepare`."""
        x = self._rows(X, argument)
        return threshold(x) if self.params_["binarize"] == "threshold" else x

    def _visits(self, x: NDArray, x_val: NDArray | None, seed: int) -> Visits:
        x_val = None if x_val is None else binary(x_val, self.binarize, 0)
        if self.binarize == "dynamic":
            return x, x_val, bernoulli_draw
        if self.binarize == "fixed":
            return bernoulli_draw(x, np.random.default_rng([seed, 0, FIXED])), x_val, None
        return binary(x, self.binarize, seed), x_val, None


def binary(x: NDArray, how: str, seed: int) -> NDArray:
    """The rows made binary once, by the option `binarize`; a draw depends on the row and the seed alone."""
    if how == "threshold":
        return threshold(x)
    return x if how == "none" else bernoulli_rows(x, seed)
