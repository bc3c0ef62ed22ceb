"""Tables with columns of several kinds and with gaps, as what an estimator learns from and hands out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.datasets.coding import Coding
from npvae.datasets.columns import described_columns, learn_columns, warn_of_extremes
from npvae.datasets.scaling import Scaling, in_unit_interval
from npvae.datasets.table import Table, as_container
from npvae.distributions import Categories, Counts, Mixed
from npvae.estimators.base import Rows, by_rows, needs_fit
from npvae.estimators.flat_pictures import picture_shape
from npvae.estimators.options import option
from npvae.estimators.tables import require_same_names
from npvae.layers import Chain, Missing
from npvae.validation import ArgumentError, numeric_array

__all__ = ["MixedTables"]

FEW_COLUMNS = 100
"""Columns up to which "auto" looks for their kinds where a table has numbers only; more are rather pixels."""


EPOCHS, MOST_EPOCHS, STEPS = 10, 300, 1500
"""Epochs of a matrix and at least of a table; epochs of a table at most; steps that a table is given within these."""


@dataclass(eq=False, repr=False, kw_only=True)
class MixedTables:
    """An estimator whose likelihood can be one for every column, with what is missing left out.

    "auto" chooses that for tables that have text, gaps, or columns of several kinds; a matrix of numbers without gaps
    stays what it is.
    """

    columns: Mapping[str, str] | None = option(
        None,
        "the kind of columns by name, where it is not what their values tell: real, positive, count, yes/no, category, "
        "or 'left out'",
        kind=dict,
        optional=True,
        group="data",
        flag=None,
    )

    epochs: int | None = option(
        None,
        f"passes over the data; by default {EPOCHS}, and for a table with a likelihood for every column as many as "
        f"{STEPS:,} steps take, at most {MOST_EPOCHS}",
        kind=int, at_least=1, optional=True, group="training", metavar="N", fixed=False,
    )  # fmt: skip

    def _enough_epochs(self, n: int) -> int:
        """The number of epochs for n rows where none is given: a small table takes many to be learnt."""
        if not self._is_mixed():
            return EPOCHS
        return min(max(EPOCHS, -(-STEPS // -(-n // self.batch_size))), MOST_EPOCHS)

    def _is_mixed(self) -> bool:
        """Whether rows come from a coding of columns: of the fitted model, or of the one that is being fitted."""
        return isinstance(self._known_scaling(), Coding)

    def _known_scaling(self) -> Scaling | Coding | None:
        return getattr(self, "_scaling", None) or getattr(self, "scaling_", None)

    # ---- rows --------------------------------------------------------------------------------------------------------

    def _training_rows(self, X: ArrayLike) -> Rows:
        table = self._mixed_table(X)
        if table is None:
            return super()._training_rows(X)
        if len(table) < 2:
            raise ArgumentError("X", "have at least two rows to learn from", f"shape {table.shape}, one sample")
        coding = Coding.learn(table, self.columns)
        warn_of_extremes(coding.columns)
        if self.verbose:
            with suppress(OSError):  # nobody reads on
                print("columns:", *described_columns(coding.columns), sep="\n", file=sys.stderr, flush=True)
        names = table.columns if table.has_names else None
        given = np.shape(X) if isinstance(X, np.ndarray) else ()
        x = coding(table).astype(self._dtype)
        return Rows(x, names, picture_shape(x, given) if len(given) > 2 else None, coding)

    def _mixed_table(self, X: Any) -> Table | None:
        """X as a table whose columns have a likelihood each; None where it is a matrix of one kind."""
        asked = isinstance(self.likelihood, str) and self.likelihood == "mixed"
        if self.columns is not None and not isinstance(self.columns, Mapping):
            raise ArgumentError("columns", "be a mapping of names to kinds", repr(self.columns))
        if not asked and not (isinstance(self.likelihood, str) and self.likelihood == "auto"):
            if self.columns is not None:
                rule = "be None with {likelihood}, which is one for all columns"
                raise ArgumentError("columns", rule, settings={"likelihood": self.likelihood})
            return None
        if asked and self.scale != "auto":
            rule = "be 'auto' with {likelihood}: each column has a scale of its kind"
            raise ArgumentError("scale", rule, repr(self.scale), settings={"likelihood": "mixed"})
        if asked or self.columns is not None:
            return as_table(X)
        if self.scale != "auto" or self.binarize != "none" or self.mean_link != "identity":
            return None
        table = Table.of("X", X)
        if table is None:
            values = np.asarray(X) if not hasattr(X, "toarray") else np.empty(0)
            gaps = values.ndim >= 2 and values.dtype.kind == "f" and np.isnan(values).any()
            return as_table(X) if gaps else None
        return table if _has_kinds(table) else None

    def _scaled(
        self,
        argument: str,
        X: ArrayLike,
        scaling: Scaling | Coding,
        n_features: int,
        known: list[str] | None,
        image_shape: tuple[int, ...] | None,
    ) -> NDArray:
        if not isinstance(scaling, Coding):
            return super()._scaled(argument, X, scaling, n_features, known, image_shape)
        table = as_table(X, argument)
        if table.has_names and known is not None:
            require_same_names(argument, table.columns, known, type(self).__name__)
        self._require_width(argument, table.shape[1], n_features, table.shape)
        names = [column.name for column in scaling.columns]
        if table.columns != names:
            table = Table(dict(zip(names, (table[name] for name in table.columns), strict=True)))
        return scaling(table, argument).astype(self._dtype)

    # ---- the model ---------------------------------------------------------------------------------------------------

    def _mixed_likelihood(self) -> Mixed:
        coding = self._known_scaling()
        if not isinstance(coding, Coding):
            raise ArgumentError("likelihood", "not be 'mixed' for a model without columns")
        counts = coding.of_kind("count")
        return Mixed(
            len(coding.of_kind("real", "positive")),
            Counts(*(tuple(getattr(c, part) for c in counts) for part in ("shift", "unit", "rate"))),
            len(coding.of_kind("yes/no")),
            Categories(tuple(len(column.levels) for column in coding.of_kind("category"))),
        )

    def _encoder_and_decoder(self, n_features: int, n_code: int, n_out: int) -> tuple[Chain, Chain]:
        """The encoder of a table with gaps gets a mask of them beside the rows."""
        if not self._is_mixed():
            return super()._encoder_and_decoder(n_features, n_code, n_out)
        masked = self._known_scaling().masked
        encoder, decoder = super()._encoder_and_decoder(n_features + len(masked), n_code, n_out)
        return Chain(Missing(masked), *encoder.layers), decoder

    # ---- what is handed out ------------------------------------------------------------------------------------------

    def _drawn(self, z: NDArray, rng: np.random.Generator) -> NDArray:
        if not self._is_mixed():
            return super()._drawn(z, rng)
        likelihood = self.model_.likelihood

        def draw(z: NDArray) -> NDArray:
            eps = likelihood.draw_noise(rng, (len(z), self.model_.n_features), self._dtype)
            return likelihood.sample(self.model_.decode(self.theta_, z), eps)[0]

        return self.scaling_.inverse(by_rows(draw, z))

    def _handed_out(self, values: NDArray, like: Any = None) -> Any:
        if not self._is_mixed():
            return super()._handed_out(values, like)
        table = self.scaling_.table(values, getattr(like, "index", None))
        if table.container != "array":
            return as_container(table)
        if table.is_numeric():
            return values if not any(c.levels for c in self.scaling_.columns) else table.matrix()
        return np.stack([table[name].astype(object) for name in table.columns], axis=1)

    @needs_fit
    def reconstruction_error(self, X: ArrayLike) -> NDArray:
        """Σ_j (x_j − x̂_j)² of every row and its reconstruction: (n,), lower is better.

        In squared units of the data; of a table with a likelihood for every column on the model's scale, where numbers
        are standardised and categories are 0 and 1, over what is known.
        """
        if not self._is_mixed():
            return super().reconstruction_error(X)
        x = self._rows(X)
        deviation = x - by_rows(self._means_of, self._encoded(x))
        return np.nansum(deviation * deviation, axis=1)


def as_table(X: Any, argument: str = "X") -> Table:
    """X as a table, whatever it is; the columns of an array are named x1, x2, …"""
    if (table := Table.of(argument, X)) is not None:
        return table
    values = numeric_array(argument, X)
    if values.ndim < 2 or values.size == 0:
        raise ArgumentError(
            argument, "have two dimensions, (rows, features), and not be empty", f"shape {values.shape}"
        )
    values = values.reshape(len(values), -1).astype(np.float64)
    columns = {f"x{j + 1}": values[:, j] for j in range(values.shape[1])}
    return Table(columns, container="array", has_names=False)


def _has_kinds(table: Table) -> bool:
    """Whether a table is better served by a likelihood for every column than by one for all."""
    if table.has_gaps() or not table.is_numeric():
        return True
    values = table.matrix()
    if table.container == "array" or values.shape[1] > FEW_COLUMNS or in_unit_interval(values):
        return False
    if not np.isfinite(values).all():
        return False
    columns = [column for column in learn_columns(table) if column.constant is None]
    return any(column.remark or column.kind not in ("real", "left out") for column in columns)
