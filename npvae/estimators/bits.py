"""What the estimators of binary latents share: bits in, posterior means of bits out, draws from the top down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.datasets import Dataset
from npvae.datasets.scaling import Scaling
from npvae.estimators.base import ROWS, by_rows
from npvae.estimators.binarizing import Binarizing
from npvae.estimators.latents import LatentMethods
from npvae.estimators.scores import DensityScores
from npvae.evaluation.elbo_terms import mean_over_draws
from npvae.evaluation.row_noise import row_generators
from npvae.models import Model
from npvae.validation import ArgumentError

__all__ = ["BitLatents"]


class BitLatents(Binarizing, LatentMethods, DensityScores):
    """Methods of an estimator with binary data and binary latents, in one layer or several.

    The latents that `transform` gives are the posterior means of z_1, the layer next to the data.
    """

    def _require_bits(self, argument: str, x: NDArray) -> None:
        """An `ArgumentError` for grey pixels, which says how to make them binary."""
        self._require_support(argument, x)
        grey = (x != 0) & (x != 1)
        if self.binarize == "none" and grey.any():
            advice = "let {binarize} make them binary, or 'fixed' or 'dynamic', or pass X > 0.5"
            raise ArgumentError(argument, "be 0 or 1", f"{x[grey].flat[0]:g}", advice, {"binarize": "threshold"})

    def _require_support(self, argument: str, x: NDArray) -> None:
        """An `ArgumentError` for values outside [0, 1]."""
        if not (x.min() >= 0 and x.max() <= 1):
            got = f"values from {x.min():.9g} to {x.max():.9g}"
            raise ArgumentError(argument, "be 0 or 1", got, "this is a model of bits: take another for numbers")

    def _require_density(self, x: NDArray) -> None:
        if not self.model_.likelihood.is_density(x):
            rule = "be 0 or 1 to have a log-likelihood under a model of bits"
            advice = "train with {binarize}, or pass X > 0.5; score gives the cross-entropy of grey pixels"
            got = "values between 0 and 1"
            raise ArgumentError("X", rule, got, advice, {"binarize": "dynamic"})

    def _scaling_of(self, x: NDArray) -> Scaling:
        """The columns of bits are not standardised."""
        scaling = super()._scaling_of(x)
        return Scaling() if self.scale == "auto" and scaling.how == "standard" else scaling

    def _require_reach(self, model: Model, x: NDArray, x_val: NDArray | None) -> None:
        for argument, rows in (("X", x), ("X_val", x_val)):
            if rows is not None:
                self._require_pixels(argument, rows)
                self._require_bits(argument, rows)

    def _encoder_rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        x = super()._encoder_rows(X, argument)
        self._require_support(argument, x)
        return x

    def _latents_of(self, x: NDArray) -> NDArray:
        return self.model_.posterior_mean(self.theta_, x)

    def _means_of(self, z: NDArray) -> NDArray:
        return self.model_.mean(self.theta_, z)

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        noise = [rng.random((n, d), dtype=self._dtype) for d in self.model_.widths]
        return self.model_.sample(self.theta_, noise)[1]

    def traverse(
        self, X: ArrayLike, dimension: int, steps: int = 9, reach: float = 0.5, center: ArrayLike | None = 0.5
    ) -> NDArray:
        """One latent moved from 0 to 1, the others held: (n, steps, n_features), see `LatentMethods.traverse`."""
        return super().traverse(X, dimension, steps, reach, center)

    def _terms(self, x: NDArray, n_samples: int, seed: int) -> dict[str, NDArray]:
        widths = self.model_.widths[1:]

        def terms(rows: NDArray) -> NDArray:
            if not self.draws_latents:
                return self.model_.elbo_terms(self.theta_, rows).T
            layers = [row_generators(rows, seed, f"layer {t}") for t in range(len(widths))]

            def of_draws(n: int) -> NDArray:
                noise = tuple(
                    np.stack([rng.random((n, d), dtype=x.dtype) for rng in generators], axis=1)
                    for generators, d in zip(layers, widths, strict=True)
                )
                return self.model_.elbo_terms(self.theta_, rows, noise).T

            return mean_over_draws(of_draws, n_samples, ROWS)

        reconstruction, kl = by_rows(terms, x, n_samples if self.draws_latents else 1).T
        return {"reconstruction": reconstruction, "kl": kl}

    def pictures(self, plots: Any, shown: Dataset) -> dict[str, Any]:
        """Histograms of the posterior means of the latents, a panel a class where the data have labels."""
        means = self._encoded(self._score_rows(shown.x, 0))
        return {"bits": plots.bit_histograms(means, shown.labels)}

    def _tags(self) -> dict[str, Any]:
        return {"non_deterministic": True}
