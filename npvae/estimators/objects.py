"""Options that are objects, as text: an import path and the arguments of the constructor.

A model file holds no pickled code. An activation or a likelihood of somebody's own is written as its import path,
``package.module:Class``, with the arguments that made it, and is imported by that path when the file is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

import numpy as np

__all__ = ["described", "rebuilt"]

CLASS = "class"
"""The key by which a description of an object is told from a mapping."""


def described(value: Any) -> Any:
    """A value in JSON's types; an object by its import path and by the arguments of its constructor.

    An object's arguments are its attributes of the same names, as they are in a dataclass.

    Raises
    ------
    TypeError
        If a class cannot be imported by its path, or does not keep the arguments of its constructor.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): described(entry) for name, entry in value.items()}
    if isinstance(value, Sequence):
        return [described(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if callable(value) and hasattr(value, "__qualname__"):
        return {CLASS: _path(value)}
    cls = type(value)
    named, unnamed = {}, []
    try:
        for parameter in signature(cls).parameters.values():
            if parameter.kind is Parameter.VAR_POSITIONAL:
                unnamed = [described(entry) for entry in getattr(value, parameter.name)]
            elif parameter.kind is not Parameter.VAR_KEYWORD:
                named[parameter.name] = described(getattr(value, parameter.name))
    except AttributeError as error:
        message = f"{cls.__name__} cannot be saved: its attributes should have the names of its arguments ({error})"
        raise TypeError(message) from None
    return {CLASS: _path(cls), "arguments": named, "rest": unnamed}


def rebuilt(value: Any, members: Sequence[str]) -> Any:
    """What `described` wrote, as it was: names stay names, objects are made anew.

    Only a class with the given members is called, so that a file cannot make whatever it likes.

    Raises
    ------
    ValueError
        If the path no longer leads to such a class; it is named.
    """
    if isinstance(value, list):
        return [rebuilt(entry, members) for entry in value]
    if not isinstance(value, Mapping) or CLASS not in value:
        return value
    path = value.get(CLASS)
    try:
        found = _imported(path)
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path!r} cannot be imported ({error}): it has to be where it was when it was saved"
        ) from None
    if "arguments" not in value:
        return found
    if not isinstance(found, type) or not all(hasattr(found, member) for member in members):
        raise ValueError(f"{path!r} must be a class with {', '.join(members)}")
    # What a layer is made of are layers, widths and functions, never another kind of thing.
    named = {name: rebuilt(entry, members) for name, entry in value["arguments"].items()}
    return found(*(rebuilt(entry, members) for entry in value["rest"]), **named)


def _path(value: Any) -> str:
    path = f"{value.__module__}:{value.__qualname__}"
    if "<" in path:
        raise TypeError(f"{path} cannot be saved: define it at the top of a module, so that it can be imported")
    return path


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    found = sys.modules.get(module) or import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
