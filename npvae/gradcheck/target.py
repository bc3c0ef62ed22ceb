"""``package.module:factory`` or ``file.py:factory``: find it, call it, check what it returns."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from npvae.gradcheck.check import check_distribution, check_function, check_layer, check_loss, check_model
from npvae.gradcheck.distribution_subject import is_distribution
from npvae.gradcheck.loss_subject import is_model
from npvae.gradcheck.report import Report
from npvae.gradcheck.settings import Settings

__all__ = ["TargetError", "check_made", "make"]

FORMS = (
    "a layer, a distribution, (forward, backward, inputs[, params]), (layer, x[, params]), "
    "(model, x[, theta[, noise]]) or (value_and_grad, theta)"
)


class TargetError(Exception):
    """The target cannot be found, or its factory does not work; the message is one line."""


def make(target: str) -> object:
    """What the factory named by `target` returns.

    Raises
    ------
    TargetError
        If the module or the factory does not exist, or raises.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"expected package.module:factory or file.py:factory, got {target!r}")
    module = _module(place)
    factory = module
    for part in name.split("."):
        if not hasattr(factory, part):
            raise TargetError(f"{place} has no {name!r}")
        factory = getattr(factory, part)
    if not callable(factory):
        raise TargetError(f"{target} is no function, but a {type(factory).__name__}")
    try:
        return factory()
    except Exception as error:
        raise TargetError(f"{target} raised {_one_line(error)}") from error


def _module(place: str) -> object:
    try:
        if place.endswith(".py"):
            if not Path(place).is_file():
                raise TargetError(f"there is no file {place}")
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            module = importlib.util.module_from_spec(spec)
            # Dataclasses and pickles look their module up by name.
            sys.modules.setdefault(spec.name, module)
            spec.loader.exec_module(module)
            return module
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    except TargetError:
        raise
    except Exception as error:
        raise TargetError(f"cannot import {place}: {_one_line(error)}") from error


def check_made(made: object, settings: Settings, name: str | None = None) -> Report:
    """Check whatever a factory returned, by the function for its kind.

    Raises
    ------
    TargetError
        If it is of no kind that can be checked.
    """
    options = asdict(settings) | {"name": name}
    parts = made if isinstance(made, tuple) else (made,)
    first = parts[0] if parts else None
    try:
        if is_model(first) and 2 <= len(parts) <= 4:
            return check_model(*parts, **options)
        if is_distribution(first) and len(parts) == 1:
            return check_distribution(first, **options)
        if hasattr(first, "forward") and hasattr(first, "backward") and len(parts) <= 3:
            return check_layer(*parts, **options)
        if callable(first) and len(parts) in (3, 4):
            return check_function(*parts, **options)
        if callable(first) and len(parts) == 2 and isinstance(parts[1], (np.ndarray, Mapping)):
            return check_loss(*parts, **options)
    except (TypeError, ValueError) as error:
        raise TargetError(_one_line(error)) from error
    kinds = ", ".join(type(part).__name__ for part in parts)
    returned = f"({kinds})" if len(parts) > 1 else kinds
    raise TargetError(f"the factory has to return {FORMS}; it returned {returned}")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
