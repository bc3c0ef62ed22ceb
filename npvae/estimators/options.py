"""The options of an estimator as a table: one line declares an option, and everybody reads it there.

An estimator is a dataclass whose fields are made by `option`. The constructor, the check of a value, the flag of the
command line, what is stored, what must not change between the parts of a run, and the documentation all come from
that field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, field, fields
from inspect import cleandoc
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

from npvae.validation import ArgumentTypeError, integer, number, one_of, widths

__all__ = ["Option", "document", "option", "options_of"]


class Option(NamedTuple):
    """What is known of an option."""

    name: str
    default: Any
    help: str
    """One line, without a full stop."""
    kind: type
    """int, float, bool, str, or tuple for one width or several."""
    choices: Mapping[str, Any] | None
    """The names that it can have; a registry that grows is read when it is asked."""
    members: Sequence[str]
    """The members of an object that may stand in the place of a name; none where only names will do."""
    words: Sequence[str]
    """Words that may stand in the place of a number."""
    bounds: Mapping[str, float]
    """`at_least`, `above`, `below`, as `npvae.validation.number` has them."""
    optional: bool
    """Whether None is a value."""
    group: str
    """The heading under which help and documentation show it."""
    flag: str | None
    """What the command line calls it, without the dashes; None keeps it out of there."""
    typed_default: Any
    """The default on the command line."""
    metavar: str | None
    fixed: bool
    """Whether it has to stay what it was when a run goes on."""

    def check(self, value: Any) -> Any:
        """The value as the model gets it; an `ArgumentError` names the option if it cannot be."""
        if (value is None and self.optional) or (isinstance(value, str) and value in self.words):
            return value
        if self.members and not isinstance(value, str | Number | None):
            self._require_object(value)
            return value
        if self.choices is not None:
            one_of(self.name, value, self.choices)
            return str(value)
        if self.members:
            raise ArgumentTypeError(self.name, f"have the members {', '.join(self.members)}", repr(value))
        if self.kind is tuple:
            return widths(self.name, value)
        if self.kind is bool:
            if not isinstance(value, bool | np.bool_):
                raise ArgumentTypeError(self.name, "be True or False", repr(value))
            return bool(value)
        if self.words and isinstance(value, str):
            kind = "an integer" if self.kind is int else "a number"
            raise ArgumentTypeError(self.name, f"be {kind} or {', '.join(map(repr, self.words))}", repr(value))
        if self.kind is int:
            return integer(self.name, value, **self.bounds)
        return number(self.name, value, **self.bounds) if self.kind is float else value

    def typed(self, text: str) -> Any:
        """What is meant by a text on the command line; a ValueError if it is no number."""
        return text if text in self.words else self.kind(text)

    def _require_object(self, value: Any) -> None:
        """An `ArgumentTypeError` unless the value is an object that may stand in the place of a name."""
        if isinstance(value, type):
            raise ArgumentTypeError(
                self.name, "be an object, not a class", f"the class {value.__name__}", f"write {value.__name__}()"
            )
        if lacking := [member for member in self.members if not hasattr(value, member)]:
            names = f"one of {', '.join(map(repr, self.choices))} or " if self.choices is not None else ""
            rule = f"be {names}an object with {', '.join(self.members)}"
            raise ArgumentTypeError(self.name, rule, f"{_shown(value)}, which lacks {', '.join(lacking)}")


def _shown(value: Any) -> str:
    """An object in words, without its address."""
    return f"an object of {type(value).__name__}" if " object at 0x" in repr(value) else repr(value)


def option(
    default: Any,
    help: str,
    *,
    kind: type | None = None,
    choices: Mapping[str, Any] | None = None,
    members: Sequence[str] = (),
    words: Sequence[str] = (),
    at_least: float | None = None,
    above: float | None = None,
    optional: bool = False,
    group: str = "model",
    flag: str | None = "",
    typed_default: Any = None,
    metavar: str | None = None,
    fixed: bool = True,
    kw_only: Any = MISSING,
) -> Any:
    """A field of an estimator's dataclass, see `Option`; the flag is the name unless another one or None is given."""
    bounds = {name: bound for name, bound in (("at_least", at_least), ("above", above)) if bound is not None}
    typed_default = default if typed_default is None else typed_default
    known = (
        kind or type(default),
        choices,
        tuple(members),
        tuple(words),
        bounds,
        optional,
        group,
        flag,
        typed_default,
        metavar,
        fixed,
    )
    return field(default=default, metadata={"option": (default, help, *known)}, kw_only=kw_only)


def options_of(estimator: Any) -> dict[str, Option]:
    """The table of an estimator or of its class, by name, in the order of the constructor."""
    table = {f.name: Option(f.name, *f.metadata["option"]) for f in fields(estimator) if "option" in f.metadata}
    return {name: o._replace(flag=name.replace("_", "-")) if o.flag == "" else o for name, o in table.items()}


def document(cls: type) -> type:
    """Write the table into the docstring of an estimator's class, where it says ``{options}``."""
    if cls.__doc__:
        doc = cleandoc(cls.__doc__)  # Python 3.13 takes the indentation away, older ones do not
        cls.__doc__ = doc.replace(
            "{options}", "\n".join(entry for o in options_of(cls).values() for entry in _entry(o))
        )
    return cls


def _entry(o: Option) -> list[str]:
    if o.choices is not None:
        kind = f"{{{', '.join(map(repr, o.choices))}}}{' or an object' if o.members else ''}"
    else:
        kind = {tuple: "int or sequence of int"}.get(o.kind, o.kind.__name__)
        kind = " or ".join([kind, *map(repr, o.words)])
    return [f"{o.name} : {kind}, default {o.default!r}", f"    {o.help[0].upper()}{o.help[1:]}."]
