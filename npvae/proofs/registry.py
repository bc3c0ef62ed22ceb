"""All cases of all files of this room, and what the package exports without one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import ModuleType

from npvae.gradcheck.models import backward_names
from npvae.proofs.case import Case


def all_cases() -> list[Case]:
    """The cases of every file of `npvae.proofs`, room by room."""
    return [case for module in _files() for case in module.cases()]


def _files() -> Iterator[ModuleType]:
    """Every module of this room that has cases."""
    room = importlib.import_module("npvae.proofs")
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        module = importlib.import_module(found.name)
        if hasattr(module, "cases"):
            yield module


def missing_cases(cases: list[Case] | None = None) -> list[str]:
    """Exported things with a backward that none of `cases` (by default `all_cases`) covers; best none.

    Looked at is whatever stands in the ``__all__`` of a room of the package, and in the tables exported there.
    """
    cases = all_cases() if cases is None else cases
    covered = [thing for case in cases for thing in (*case.covers, *case.backwards)]
    return [name for name, thing in _exported() if has_backward(thing) and not any(thing is c for c in covered)]


def _exported() -> Iterator[tuple[str, object]]:
    import npvae

    for room in pkgutil.iter_modules(npvae.__path__):
        if room.name == "__main__":  # to import it is to run it
            continue
        module = importlib.import_module(f"npvae.{room.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            for key, entry in thing.items() if isinstance(thing, Mapping) else [("", thing)]:
                yield f"{module.__name__}.{name}" + (f"[{key!r}]" if key else ""), entry


def has_backward(thing: object) -> bool:
    """Whether `thing` is differentiated by hand, seen from outside.

    A class is if it has backward methods (protocols only describe them). A function is if its docstring gives its
    derivative or the ``upstream`` weights it returns, or if it returns such an object.
    """
    if inspect.isclass(thing):
        return bool(backward_names(thing)) and not getattr(thing, "_is_protocol", False)
    if not inspect.isfunction(thing):
        return False
    returned = inspect.signature(thing).return_annotation
    if isinstance(returned, str):
        returned = getattr(inspect.getmodule(thing), returned, None)
    documented = re.search(r"\bDerivative:|^\s*upstream :", thing.__doc__ or "", re.MULTILINE)
    return bool(documented) or (inspect.isclass(returned) and has_backward(returned))
