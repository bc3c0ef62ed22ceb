"""Checks at the public boundary: each error names the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
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
        What it must, beginning with a verb: "have 784 features". In ``{bound}`` stands the option that `settings` has
        under that name, so that it can be spelled as well.
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
        rule = self.rule
        for name, value in self.settings.items():
            rule = rule.replace(f"{{{name}}}", setting(name, value))
        stop = ";" if ":" in rule or ";" in rule else ","
        got = f"{stop} got {self.got}" if self.got else ""
        return f"{argument} must {rule}{got}{f'; {self.advice}' if self.advice else ''}"

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


class MissingFileError(ArgumentError, FileNotFoundError):
    """An argument that names no file."""


class FolderError(ArgumentError, IsADirectoryError):
    """An argument that names a folder where a file is expected."""


class DataWarning(UserWarning):
    """Data that can be trained on, but hardly as they are."""


def one_of(argument: str, value: Any, choices: Mapping[str, T]) -> T:
    """What `choices` holds under the name `value`; for an unknown name, an error with the nearest known one."""
    if isinstance(value, str) and value in choices:
        return choices[value]
    by_lower_case = {name.lower(): name for name in choices}
    near = get_close_matches(str(value).lower(), by_lower_case, n=1)
    hint = f"did you mean {by_lower_case[near[0]]!r}?" if near else ""
    raise ArgumentError(argument, f"be one of {', '.join(map(repr, choices))}", repr(value), hint)


def integer(argument: str, value: Any, at_least: int) -> int:
    """`value` as an int that is not below `at_least`."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(argument, "be an integer", repr(value))
    if value < at_least:
        raise ArgumentError(argument, f"be at least {at_least}", value)
    return int(value)


def number(
    argument: str, value: Any, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> float:
    """`value` as a finite float within bounds."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(argument, "be a number", repr(value))
    for holds, rule in (
        (np.isfinite(value), "finite"),
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
    argument: str, value: ArrayLike, n_features: int | None = None, dtype: DTypeLike = np.float32
) -> NDArray:
    """`value` as a finite, contiguous (n, d) array of `dtype` with n ≥ 1; images are flattened to rows.

    Of an array that is so already, a view is returned, not a copy.
    """
    try:
        x = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise ArgumentError(argument, f"be a rectangular array of numbers: {error}") from None
    if x.dtype.kind not in "biuf":
        raise ArgumentTypeError(argument, "hold real numbers", f"dtype {x.dtype}")
    if x.ndim < 2:
        hint = "for a single row use x[None]" if x.ndim == 1 else ""
        raise ArgumentError(argument, "have two dimensions, (rows, features)", f"shape {x.shape}", hint)
    if x.size == 0:
        raise ArgumentError(argument, "not be empty", f"shape {x.shape}")
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
        where = f"{value} at row {row}, column {column} ({count} in all)"
        raise ArgumentError(argument, f"be finite{precision}", where)
    return x


def existing_file(path: str | PathLike[str], argument: str = "path") -> Path:
    """`path` as a Path to an existing file; a FileNotFoundError or an IsADirectoryError where it is none."""
    file = Path(path)
    if file.is_dir():
        raise FolderError(argument, "name a file", f"the folder {file}")
    if not file.exists():
        raise MissingFileError(argument, "name an existing file", file)
    return file
