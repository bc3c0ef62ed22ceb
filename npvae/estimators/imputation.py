"""Filling in what is missing, as a method of an estimator with a density."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from npvae import evaluation
from npvae.estimators.base import needs_fit, random_seed
from npvae.evaluation.imputation import seen_mask
from npvae.validation import DataWarning

__all__ = ["Imputation"]


class Imputation:
    """`impute` of an estimator whose model has an encoder, a decoder with a density, and a prior."""

    @needs_fit
    def impute(
        self, X: ArrayLike, seen: ArrayLike, steps: int = 200, random_state: int | np.random.Generator | None = 0
    ) -> evaluation.Filled:
        """Fill in what of X is not `seen` (bool, of X's shape or one row's); it may be anything, NaN too.

        Returns mean and draw of p(x_missing|x_seen), each (n, n_features) in the units of the data, and the chain's
        acceptance, see `npvae.evaluation.fill_in`; what is seen stays as it is in both. The rows that they are
        conditioned on are those of `prepare`, made binary where `binarize` says so. Grey pixels have no density under a
        Bernoulli likelihood: there the draws are binary, the mean is a way of speaking, and a DataWarning says so.
        """
        x, seed = np.asarray(X), random_seed(random_state)
        seen = seen_mask(x, seen).reshape(len(x), -1)
        known = np.where(seen, x.reshape(seen.shape), self.scaling_.shift)  # anything that can be scaled
        given, x = self._rows(known), self._score_rows(known, seed)
        if not self.model_.likelihood.is_density(x):
            remark = "has grey pixels, which have no density under a Bernoulli: draws of what is missing are 0 or 1"
            warnings.warn(DataWarning("X", remark), stacklevel=3)
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            filled = evaluation.fill_in(self.model_, self.theta_, x, seen, seed, steps)
        self._require_finite("filling in", filled.mean.sum(axis=1), x)
        mean, draw = (self.scaling_.inverse(np.where(seen, given, whole)) for whole in (filled.mean, filled.draw))
        return filled._replace(mean=mean, draw=draw)
