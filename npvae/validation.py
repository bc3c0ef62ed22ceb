"""Checks at the public boundary: each error names the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

T = TypeVar("T")


class ArgumentError(ValueError):
    """An argument that cannot be: what it is called, the rule that it breaks, and what came.

    It prints as one line, ``x must have 784 features, got shape (32, 100)``. The parts are fields, so that whoever
    calls the argument something else, as a command line does, can say it in those words: see `spelled`.

    Parameters
    ----------
    argument : str
        The argument's name.
    rule : str
        What it must, beginning with a verb: "have 784 features". ``{bound}``, here or in the advice, stands for the
        option that `settings` has under that name, so that it can be spelled as well.
    got : object, optional
        What came, in words; "" leaves it out.
    advice : str, optional
        What to do about it, behind a semicolon.
    settings : mapping of str to object, optional
        The other options that the rule speaks of, with their values.
    """

    def __init__(
        self, argument: str, rule: str, got: Any = "", advice: str = "", settings: Mapping[str, Any] | None = None
    ) -> None:
        self.argument, self.rule, self.got, self.advice = argument, rule, str(got), advice
        self.settings = dict(settings or {})
        super().__init__(self._text(argument, lambda name, value: f"{name}={value!r}"))

    def _text(self, argument: str, setting: Callable[[str, Any], str]) -> str:
        stop = ";" if ":" in self.rule or ";" in self.rule else ","
        rule, advice = self.rule, self.advice
        for name, value in self.settings.items():
            rule, advice = (words.replace(f"{{{name}}}", setting(name, value)) for words in (rule, advice))
        got = f"{stop} got {self.got}" if self.got else ""
        return f"{argument} must {rule}{got}{f'; {advice}' if advice else ''}"

    def spelled(self, argument: Callable[[str], str], setting: Callable[[str, Any], str]) -> str:
        """The same line, where `argument` spells the name and `setting` an option with its value."""
        return self._text(argument(self.argument), setting)

    def about(self, argument: str) -> ArgumentError:
        """The same error, of another argument."""
        return type(self)(argument, self.rule, self.got, self.advice, self.settings)

    def __reduce__(self) -> tuple:
        """Process pools hand errors over by pickle, which would rebuild this one from its line alone."""
        return type(self), (self.argument, self.rule, self.got, self.advice, self.settings)


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument of a type that it cannot have."""


class WidthError(ArgumentError):
    """Rows of another width than those of the fit: `advice` says it in the words that scikit-learn's tools look for."""

    def __str__(self) -> str:
        return self.advice

    def spelled(self, argument: Callable[[str], str], setting: Callable[[str, Any], str]) -> str:
        """The rule alone, since the advice repeats it."""
        return ArgumentError(self.argument, self.rule, self.got).spelled(argument, setting)


class MissingFileError(ArgumentError, FileNotFoundError):
    """An argument that names no file."""


class NotWritableError(ArgumentError, PermissionError):
    """An argument that names what cannot be written."""


class FolderError(ArgumentError, IsADirectoryError):
    """An argument that names a folder where a file is expected."""


class DataWarning(UserWarning):
    """Data that can be used, but hardly as they are: the argument's name, and what is to be said of it."""

    def __init__(self, argument: str, remark: str) -> None:
        self.argument, self.remark = argument, remark
        super().__init__(argument, remark)

    def __str__(self) -> str:
        return f"{self.argument} {self.remark}"


def one_of(argument: str, value: Any, choices: Mapping[str, T]) -> T:
    """What `choices` holds under the name `value`; for an unknown name, an error with the nearest known one."""
    if isinstance(value, str) and value in choices:
        return choices[value]
    by_lower_case = {name.lower(): name for name in choices}
    near = get_close_matches(str(value).lower(), by_lower_case, n=1)
    hint = f"did you mean {by_lower_case[near[0]]!r}?" if near else ""
    raise ArgumentError(argument, f"be one of {', '.join(map(repr, choices))}", repr(value), hint)


def integer(argument: str, value: Any, at_least: int | None = None) -> int:
    """`value` as an int that is not below `at_least`, if that is given."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(argument, "be an integer", repr(value))
    if at_least is not None and value < at_least:
        raise ArgumentError(argument, f"be at least {at_least}", value)
    return int(value)


def _is_finite(value: Real) -> bool:
    """Whether a float can hold it: an integer of any size is a number, and NumPy knows none beyond 64 bits."""
    try:
        return isfinite(value)
    except OverflowError:
        return False


def number(
    argument: str, value: Any, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> float:
    """`value` as a finite float within bounds."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(argument, "be a number", repr(value))
    for holds, rule in (
        (_is_finite(value), "finite"),
        (above is None or value > above, f"greater than {above}"),
        (at_least is None or value >= at_least, f"at least {at_least}"),
        (below is None or value < below, f"less than {below}"),
    ):
        if not holds:
            raise ArgumentError(argument, f"be {rule}", value)
    return float(value)


def widths(argument: str, value: int | Sequence[int]) -> tuple[int, ...]:
    """One width or several, as a tuple of positive integers."""
    if isinstance(value, Integral):
        return (integer(argument, value, at_least=1),)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ArgumentTypeError(argument, "be an integer or a sequence of integers", repr(value))
    return tuple(integer(f"{argument}[{i}]", width, at_least=1) for i, width in enumerate(value))


def data_matrix(
    argument: str,
    value: ArrayLike,
    n_features: int | None = None,
    dtype: DTypeLike | None = np.float32,
    names: Sequence[str] | None = None,
) -> NDArray:
    """`value` as a finite, contiguous (n, d) array of `dtype` with n ≥ 1; images are flattened to rows.

    Errors call a column by its name, where there are `names`. Without a dtype the array keeps its own. An array that is
    so already comes back as a view, not as a copy.
    """
    x = numeric_array(argument, value)
    if x.ndim < 2:
        hint = "for a single row use x[None]. Reshape your data so that a row is a datum" if x.ndim == 1 else ""
        raise ArgumentError(argument, "have two dimensions, (rows, features)", f"shape {x.shape}", hint)
    if x.size == 0:
        # scikit-learn's tools look for these words.
        hint = "" if x.shape[1:].count(0) == 0 else f"0 feature(s) (shape={x.shape}) while a minimum of 1 is required."
        raise ArgumentError(argument, "not be empty", f"shape {x.shape}", hint)
    shape, given = x.shape, x.reshape(len(x), -1)
    if n_features is not None and given.shape[1] != n_features:
        raise ArgumentError(argument, f"have {n_features} features", f"shape {shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # too large for `dtype`: found as an infinity below
        x = np.ascontiguousarray(given, dtype=dtype)
        suspicious = not np.isfinite(x.sum())  # a sum is finite if all its terms are, and quickly made
    if suspicious and len(bad := np.argwhere(~np.isfinite(x))):
        row, column = bad[0]
        count = "1 such entry" if len(bad) == 1 else f"{len(bad)} such entries"
        value, precision = given[row, column], f" in {x.dtype}" if np.isfinite(given[row, column]) else ""
        where = f"{value} at row {row}, column {column if names is None else repr(names[column])} ({count} in all)"
        advice = (
            "NaN stands for what is missing: fill it in, leave the row out, or take a VAE" if np.isnan(value) else ""
        )
        raise ArgumentError(argument, f"be finite{precision}", where, advice)
    return x


LARGEST = 1e150
"""What data may be at most, so that the sum of their squares is a number."""


def require_squares(argument: str, x: NDArray, names: Sequence[str] | None = None) -> None:
    """An ArgumentError that names a value of x (n, d) so large that its square, summed, is no number."""
    if x.dtype != np.float64 or max(x.max(), -x.min()) <= LARGEST:
        return
    row, column = np.argwhere(np.abs(x) > LARGEST)[0]
    where = f"{x[row, column]:g} at row {row}, column {column if names is None else repr(names[column])}"
    raise ArgumentError(argument, f"have values below {LARGEST:g}", where, "mend it, or leave the row or column out")


def numeric_array(argument: str, value: ArrayLike) -> NDArray:
    """`value` as an array of real numbers; objects that are numbers become float64."""
    if isinstance(value, np.ma.MaskedArray) and (hidden := int(np.ma.getmaskarray(value).sum())):
        advice = "value.filled(np.nan) makes NaN of them, which stands for what is missing"
        raise ArgumentError(argument, "have no masked values", f"{hidden:,} of them", advice)
    try:
        x = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise ArgumentError(argument, f"be a rectangular array of numbers: {error}") from None
    if x.dtype.kind in "biuf":
        return x
    advice = "Complex data not supported" if x.dtype.kind == "c" else ""
    if x.dtype == object and x.ndim > 0:
        try:
            return x.astype(np.float64)
        except (TypeError, ValueError) as error:
            advice = str(error)
    elif x.dtype.kind in "US":
        advice = "encode text as numbers first"
    raise ArgumentTypeError(argument, "hold real numbers", f"dtype {x.dtype}", advice)


def printable(text: str) -> str:
    """Text from a file as a terminal may get it: characters that would do something there are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def existing_file(path: str | PathLike[str], argument: str = "path") -> Path:
    """`path` as a Path to an existing file; an ArgumentError where it is none, or is a folder, a pipe or a device."""
    file = Path(path)
    if file.is_dir():
        raise FolderError(argument, "name a file", f"the folder {file}")
    if not file.exists():
        raise MissingFileError(argument, "name an existing file", file)
    if not file.is_file():  # to open a pipe is to wait for whoever writes into it
        raise ArgumentError(argument, "name a file", f"{file}, which is a pipe or a device")
    return file
