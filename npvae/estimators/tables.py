"""Tables of other libraries, as arrays with names and back; none of the libraries is imported before it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.datasets.table import TEXT_ADVICE, Table
from npvae.validation import ArgumentError, ArgumentTypeError

__all__ = ["as_fitted", "as_frame", "library_of", "names_and_values"]


def names_and_values(argument: str, X: Any) -> tuple[list[str] | None, Any]:
    """The names of the columns of a frame, if they have names, and its values; anything else comes back as it is.

    Boolean, nullable and integer columns become numbers, what is missing becomes NaN.

    Raises
    ------
    ArgumentTypeError
        For a sparse matrix, and for a column of text, which is named.
    ArgumentError
        If only some of the names are text.
    """
    if type(X).__module__.startswith("scipy.sparse"):
        shape = f"a sparse matrix of shape {X.shape}"
        raise ArgumentTypeError(argument, "be dense", shape, "sparse data are not supported: pass X.toarray()")
    if isinstance(X, Table):
        return X.columns if X.has_names else None, X.matrix(argument)
    if not hasattr(X, "columns") or not hasattr(X, "shape"):
        return None, X
    columns = [_numbers(argument, name, X[name]) for name in X.columns]
    values = np.stack(columns, axis=1) if columns else np.empty(X.shape)
    texts = [isinstance(name, str) for name in X.columns]
    if any(texts) and not all(texts):
        raise ArgumentTypeError(
            argument,
            "have names of columns that are all of text",
            "both: Feature names are only supported if all input features have string names",
        )
    return list(map(str, X.columns)) if texts and all(texts) else None, values


def _numbers(argument: str, name: Any, column: Any) -> NDArray:
    values = np.asarray(column.to_numpy())
    if values.dtype.kind in "biuf":
        return values
    try:
        if hasattr(column, "isna"):  # a nullable column of pandas has a missing value of its own
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        advice = f"{TEXT_ADVICE} ({error})"
        raise ArgumentTypeError(argument, "hold numbers", f"dtype {column.dtype} in column {name!r}", advice) from None


def require_same_names(argument: str, got: list[str], expected: list[str], estimator: str) -> None:
    """An `ArgumentError` unless the columns are those of the fit, in their order; it says which are not."""
    if got == expected:
        return
    head = "The feature names should match those that were passed during fit."
    unexpected, missing = [n for n in got if n not in expected], [n for n in expected if n not in got]
    lines = []
    for names, what in (
        (unexpected, "Feature names unseen at fit time:"),
        (missing, "Feature names seen at fit time, yet now missing:"),
    ):
        if names:
            more = ["- ..."] if len(names) > 5 else []
            lines += [what, *(f"- {name}" for name in sorted(names)[:5]), *more]
    if not lines:
        lines = ["Feature names must be in the same order as they were in fit."]
    rule = f"have the columns that {estimator} was fitted on. {head}\n" + "\n".join(lines) + "\n"
    raise ArgumentError(argument, rule)


def library_of(X: Any) -> str | None:
    """ "pandas" or "polars" for a frame of these libraries, None for anything else."""
    library = type(X).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") and hasattr(X, "columns") else None


def as_fitted(values: NDArray, fitted: Any, like: Any = None) -> Any:
    """Rows as a frame where `like` is one, or where nothing is given and `fitted` learnt from one."""
    library = getattr(fitted, "library_", None) if like is None else library_of(like)
    names = getattr(fitted, "feature_names_in_", None)
    return values if library is None or names is None else as_frame(values, names, library, like)


def as_frame(values: NDArray, names: NDArray, library: str, like: Any) -> Any:
    """An array as a frame of pandas or Polars, with the index of `like` where that is a frame of pandas."""
    frame = import_module(library).DataFrame
    if library == "polars":
        return frame(values, schema=list(names), orient="row")
    return frame(values, columns=names, index=getattr(like, "index", None) if hasattr(like, "columns") else None)
