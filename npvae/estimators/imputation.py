"""Filling in what is missing, as a method of an estimator with a density."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation
from npvae.datasets.coding import Coding
from npvae.datasets.table import Table, as_container, is_missing
from npvae.estimators.base import needs_fit, random_seed
from npvae.estimators.mixed_tables import as_table
from npvae.estimators.tables import library_of, names_and_values
from npvae.evaluation.imputation import seen_mask
from npvae.validation import ArgumentError, DataWarning, integer

__all__ = ["Imputation"]


class Imputation:
    """`impute` of an estimator whose model has an encoder, a decoder with a density, and a prior."""

    @needs_fit
    def impute(
        self,
        X: ArrayLike,
        seen: ArrayLike | None = None,
        steps: int = 200,
        random_state: int | np.random.Generator | None = 0,
        draws: int = 1,
    ) -> evaluation.Filled:
        """Fill in what of X is not `seen` (bool, of X's shape or one row's); by default what is NaN or has no value.

        Returns mean and draw of p(x_missing|x_seen), each (n, n_features) in the units of the data or a frame as X is
        one; `draws` draws of it, and its standard deviation, (n, n_features) and 0 where nothing is missing. Several
        draws are several imputations: what one computes from each varies by what is not known. What is seen stays as
        it is.

        A model of a table with a likelihood for every column draws `steps` latents for every row and weighs them, see
        `npvae.evaluation.fill_in_by_weights`; the spread of a category or a yes/no is the probability that it is
        another one. Of other models a Markov chain of `steps` steps does it, see `npvae.evaluation.fill_in`: there the
        rows that they are conditioned on are those of `prepare`, made binary where `binarize` says so. Grey pixels have
        no density under a Bernoulli likelihood: there the draws are binary, the mean is a way of speaking, and a
        DataWarning says so.
        """
        integer("steps", steps, at_least=2)
        integer("draws", draws, at_least=1)
        if isinstance(self.scaling_, Coding):
            return self._impute_columns(X, seen, steps, random_seed(random_state), draws)
        return self._impute_rows(X, seen, steps, random_seed(random_state), draws)

    def _impute_rows(
        self, X: ArrayLike, seen: ArrayLike | None, steps: int, seed: int, draws: int
    ) -> evaluation.Filled:
        x = np.asarray(names_and_values("X", X)[1])
        seen = ~np.isnan(x) if seen is None else seen_mask(x, seen)
        seen = seen.reshape(len(x), -1)
        known = np.where(seen, x.reshape(seen.shape), self.scaling_.shift)  # anything that can be scaled
        given, x = self._rows(known), self._score_rows(known, seed)
        if not self.model_.likelihood.is_density(x):
            remark = "has grey pixels, which have no density under a Bernoulli: draws of what is missing are 0 or 1"
            warnings.warn(DataWarning("X", remark), stacklevel=4)
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            filled = evaluation.fill_in(self.model_, self.theta_, x, seen, seed, steps, draws=draws)
        self._require_finite("filling in", filled.mean.sum(axis=1), x)

        def back(whole: NDArray) -> NDArray:
            whole = self.scaling_.inverse(np.where(seen, given, whole))
            return whole if library_of(X) is None else self._handed_out(whole, X)

        many = list(map(back, filled.draws))
        return filled._replace(
            mean=back(filled.mean),
            draw=many[0],
            draws=np.stack(many) if isinstance(many[0], np.ndarray) else many,
            spread=filled.spread * self.scaling_.unit,
        )

    def _impute_columns(self, X: Any, seen: ArrayLike | None, steps: int, seed: int, draws: int) -> evaluation.Filled:
        coding, x = self.scaling_, self._rows(X).copy()
        table = as_table(X)
        known = np.stack([~is_missing(values) for values in table.values()], axis=1)
        if seen is not None:
            known &= seen_mask(known, seen)
        for j, column in enumerate(coding.columns):
            if column.kind != "left out":
                x[~known[:, j], coding.places[column.name]] = np.nan
        with np.errstate(over="ignore", invalid="ignore"):
            filled = evaluation.fill_in_by_weights(self.model_, self.theta_, x, seed, steps, draws)
        if not np.isfinite(filled.mean).all():
            raise ArgumentError("X", "have a finite filling in under this model, which it has not")

        def completed(values: NDArray) -> Any:
            return _completed(coding, table, known, values)

        many = [completed(coding.inverse(draw)) for draw in filled.draws]
        return filled._replace(
            mean=completed(coding.inverse(filled.mean, filled.spread)),
            draw=many[0],
            draws=np.stack(many) if isinstance(many[0], np.ndarray) else many,
            spread=np.where(known, 0, coding.spread(filled.mean, filled.spread)),
        )


def _completed(coding: Coding, table: Table, known: NDArray, values: NDArray) -> Any:
    """The table with values from `Coding.inverse` where nothing is known, as what it came in."""
    if coding.container == "array" and table.is_numeric():
        return np.where(known, table.matrix(), values)
    made = coding.table(values)
    columns = {}
    for j, (column, given) in enumerate(zip(coding.columns, table.values(), strict=True)):
        same = column.kind == "left out" and column.constant is None
        filled = given if same else made[column.name].astype(given.dtype, copy=True)
        columns[column.name] = np.where(known[:, j], given, filled)
    whole = Table(columns, container=table.container, index=table.index)
    if table.container != "array":
        return as_container(whole)
    return np.stack([values.astype(object) for values in whole.values()], axis=1)
