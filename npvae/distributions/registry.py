"""Likelihoods and posteriors by name, each registered beside its class.

Options, command line, messages, proofs and tests read these tables, so that a new one is a file and a registration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from npvae.validation import ArgumentError, one_of

__all__ = [
    "LIKELIHOODS",
    "OPTIONS",
    "POSTERIORS",
    "Family",
    "named_likelihood",
    "register_likelihood",
    "register_posterior",
]

OPTIONS = {"sigma": 1.0, "mean_link": "identity"}
"""What a user may set beside the name of a likelihood, with the defaults; each family says which of these it takes."""


@dataclass(frozen=True)
class Family:
    """A likelihood with a name."""

    make: type
    """Its class."""
    fixed: Mapping[str, Any]
    """Arguments of the class that the name stands for."""
    takes: Mapping[str, str]
    """Which of `OPTIONS` it takes, and under what argument of its class."""
    unit_interval: bool
    """Whether data have to lie in [0, 1]."""

    def __call__(self, **options: Any) -> Any:
        """The distribution, from those of `OPTIONS` that it takes."""
        return self.make(**self.fixed, **{self.takes[name]: value for name, value in options.items()})


LIKELIHOODS: dict[str, Family] = {}
"""p(x|z) by the name that a user types."""

POSTERIORS: dict[str, type] = {}
"""q(z|x) by the name that a user types."""

C = TypeVar("C", bound=type)


def register_likelihood(
    name: str, fixed: Mapping[str, Any] | None = None, unit_interval: bool = False, **takes: str
) -> Callable[[C], C]:
    """Class decorator that gives a likelihood the name under which ``likelihood="name"`` finds it.

    Parameters
    ----------
    name : str
    fixed : mapping of str to object, optional
        Arguments of the class that this name stands for.
    unit_interval : bool, default False
        Whether data have to lie in [0, 1].
    **takes : str
        For every one of `OPTIONS` that it takes, the argument of the class, such as ``sigma="scale"``.

    Raises
    ------
    ValueError
        If another likelihood has that name, or an option is none of `OPTIONS`.
    """
    for option in takes:
        one_of("option", option, OPTIONS)

    def register(cls: C) -> C:
        _enter(LIKELIHOODS, name, Family(cls, dict(fixed or {}), takes, unit_interval))
        return cls

    return register


def register_posterior(name: str) -> Callable[[C], C]:
    """Class decorator that gives a posterior the name under which ``posterior="name"`` finds it.

    Raises
    ------
    ValueError
        If another posterior has that name.
    """

    def register(cls: C) -> C:
        _enter(POSTERIORS, name, cls)
        return cls

    return register


def _enter(table: dict[str, Any], name: str, entry: Any) -> None:
    if name in table:
        raise ArgumentError("name", "be new", repr(name))
    table[name] = entry


def named_likelihood(name: str, **options: Any) -> Any:
    """The likelihood of that name.

    Parameters
    ----------
    name : str
        One of `LIKELIHOODS`.
    **options
        Some of `OPTIONS`. One that the likelihood does not take must have its default.

    Raises
    ------
    ValueError
        For an unknown name, an option that the likelihood does not take, or one that it refuses.
    """
    family = one_of("likelihood", name, LIKELIHOODS)
    for option, value in options.items():
        if option not in family.takes and value != OPTIONS[option]:
            rule = f"be {OPTIONS[option]!r} with {{likelihood}}: it takes none"
            raise ArgumentError(option, rule, repr(value), settings={"likelihood": name})
    return family(**{option: value for option, value in options.items() if option in family.takes})
