"""Checks at the public boundary: each error names the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

T = TypeVar("T")


class DataWarning(UserWarning):
    """Data that can be trained on, but hardly as they are."""


def one_of(argument: str, value: Any, choices: Mapping[str, T]) -> T:
    """What `choices` holds under the name `value`; for an unknown name, an error with the nearest known one."""
    if isinstance(value, str) and value in choices:
        return choices[value]
    by_lower_case = {name.lower(): name for name in choices}
    near = get_close_matches(str(value).lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]!r}?" if near else ""
    raise ValueError(f"{argument} must be one of {', '.join(map(repr, choices))}, got {value!r}{hint}")


def integer(argument: str, value: Any, at_least: int) -> int:
    """`value` as an int that is not below `at_least`."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be an integer, got {value!r}")
    if value < at_least:
        raise ValueError(f"{argument} must be at least {at_least}, got {value}")
    return int(value)


def number(
    argument: str, value: Any, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> float:
    """`value` as a finite float within bounds."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be a number, got {value!r}")
    for holds, rule in (
        (np.isfinite(value), "finite"),
        (above is None or value > above, f"greater than {above}"),
        (at_least is None or value >= at_least, f"at least {at_least}"),
        (below is None or value < below, f"less than {below}"),
    ):
        if not holds:
            raise ValueError(f"{argument} must be {rule}, got {value}")
    return float(value)


def widths(argument: str, value: int | Sequence[int]) -> tuple[int, ...]:
    """One width or several, as a tuple of positive integers."""
    if isinstance(value, Integral):
        return (integer(argument, value, at_least=1),)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{argument} must be an integer or a sequence of integers, got {value!r}")
    return tuple(integer(f"{argument}[{i}]", width, at_least=1) for i, width in enumerate(value))


def data_matrix(
    argument: str, value: ArrayLike, n_features: int | None = None, dtype: DTypeLike = np.float32
) -> NDArray:
    """`value` as a finite, contiguous (n, d) array of `dtype` with n ≥ 1; images are flattened to rows.

    Of an array that is so already, a view is returned, not a copy.
    """
    try:
        x = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise ValueError(f"{argument} must be a rectangular array of numbers: {error}") from None
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{argument} must hold real numbers, got dtype {x.dtype}")
    if x.ndim < 2:
        hint = "; for a single row use x[None]" if x.ndim == 1 else ""
        raise ValueError(f"{argument} must have two dimensions, (rows, features), got shape {x.shape}{hint}")
    if x.size == 0:
        raise ValueError(f"{argument} must not be empty, got shape {x.shape}")
    shape, given = x.shape, x.reshape(len(x), -1)
    if n_features is not None and given.shape[1] != n_features:
        raise ValueError(f"{argument} must have {n_features} features, got shape {shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # too large for `dtype`: found as an infinity below
        x = np.ascontiguousarray(given, dtype=dtype)
        suspicious = not np.isfinite(x.sum())  # a sum is finite if all its terms are, and quickly made
    if suspicious and len(bad := np.argwhere(~np.isfinite(x))):
        row, column = bad[0]
        count = "1 such entry" if len(bad) == 1 else f"{len(bad)} such entries"
        value, precision = given[row, column], f" in {x.dtype}" if np.isfinite(given[row, column]) else ""
        raise ValueError(
            f"{argument} must be finite{precision}, got {value} at row {row}, column {column} ({count} in all)"
        )
    return x


def existing_file(path: str | PathLike[str], argument: str = "path") -> Path:
    """`path` as a Path to an existing file; a FileNotFoundError or an IsADirectoryError where it is none."""
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"{argument} must name a file, got the folder {file}")
    if not file.exists():
        raise FileNotFoundError(f"{argument} must name an existing file, got {file}")
    return file
