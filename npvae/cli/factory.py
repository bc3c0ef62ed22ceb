"""``package.module:factory`` or ``file.py:factory``: find it and call it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from inspect import signature
from operator import attrgetter
from pathlib import Path
from types import ModuleType

from npvae.gradcheck.check import TargetError
from npvae.gradcheck.subject import one_line


def make(target: str) -> object:
    """What the factory named by `target` returns; `TargetError` if it does not exist, or raises."""
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise TargetError(f"expected package.module:factory or file.py:factory, got {target!r}")
    if place.endswith(".py") and not Path(place).is_file():
        raise TargetError(f"there is no file {place}")
    try:
        module = _module(place)
    except Exception as error:
        raise TargetError(f"cannot import {place}: {one_line(error)}") from error
    try:
        factory = attrgetter(name)(module)
    except AttributeError as error:
        raise TargetError(f"{place} has no {name!r}") from error
    if not callable(factory):
        raise TargetError(f"{target} is no function, but a {type(factory).__name__}")
    needed = _needed(factory)
    if needed:
        rule = "a factory is a function without arguments that returns what to check"
        raise TargetError(f"{target} wants {', '.join(needed)}; {rule}")
    try:
        return factory()
    except Exception as error:
        raise TargetError(f"{target} raised {one_line(error)}") from error


def _needed(factory: Callable[..., object]) -> list[str]:
    """The names of the arguments without which it cannot be called."""
    try:
        parameters = signature(factory).parameters.values()
    except (TypeError, ValueError):  # compiled code that does not tell
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        if not {"", str(Path.cwd())} & set(sys.path):
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    folder = str(Path(place).resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # so that the file can import its neighbours, as when it is run
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name.
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module
