"""Outliers: rows whose score lies below a threshold that was learned for a stated contamination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.estimators.base import needs_fit
from npvae.estimators.conventions import not_fitted
from npvae.validation import ArgumentError, number

__all__ = ["OutlierMethods"]


class OutlierMethods:
    """What an estimator with `score_samples` can say of outliers, in the words of scikit-learn's detectors.

    Attributes
    ----------
    offset_ : float
        The threshold; `learn_threshold` sets it.
    contamination_ : float
        The share of outliers that it was learned for.
    """

    @needs_fit
    def _lowest(self, X: ArrayLike, contamination: float) -> float:
        return float(np.quantile(self.score_samples(X), contamination))

    def learn_threshold(self, X: ArrayLike, contamination: float = 0.1) -> Any:
        """Set `offset_` so that a share `contamination` of the rows of X scores below it; returns self.

        X are rows like those of the fit. Without outliers among them, `contamination` is the share of false alarms.
        """
        share = number("contamination", contamination, above=0)
        if share > 0.5:
            raise ArgumentError("contamination", "be at most 0.5: outliers are the fewer", contamination)
        self.offset_ = self._lowest(X, share)
        self.contamination_ = share
        return self

    def _require_threshold(self) -> None:
        self._require_fitted()
        if not hasattr(self, "offset_"):
            raise not_fitted(f"this {type(self).__name__} has no threshold yet: call learn_threshold(X) first")

    # Properties, so that hasattr tells whether there is a threshold, as scikit-learn's tools ask.

    @property
    def decision_function(self) -> Callable[[ArrayLike], NDArray]:
        """``decision_function(X)``: `score_samples` − `offset_`, (n,); negative for outliers."""
        self._require_threshold()
        return lambda X: self.score_samples(X) - self.offset_

    @property
    def predict(self) -> Callable[[ArrayLike], NDArray]:
        """``predict(X)``: +1 for every row like those of the fit, −1 for an outlier, (n,)."""
        self._require_threshold()
        return lambda X: np.where(self.decision_function(X) < 0, -1, 1)
