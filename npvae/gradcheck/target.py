"""``package.module:factory`` or ``file.py:factory``: find it, call it, check what it returns."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import numpy as np

from npvae.gradcheck.convention import function_subject, loss_subject
from npvae.gradcheck.engine import check
from npvae.gradcheck.objects import distribution_subjects, is_distribution, is_model, layer_subject, model_subject
from npvae.gradcheck.report import Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Subject

FORMS = (
    "a layer, a distribution, (forward, backward, inputs[, params]), (layer, x[, params]), "
    "(model, x[, theta[, noise]]) or (value_and_grad, theta)"
)


class TargetError(ValueError):
    """The target cannot be found, or its factory does not work; the message is one line."""


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
        raise TargetError(f"cannot import {place}: {_one_line(error)}") from error
    try:
        factory = attrgetter(name)(module)
    except AttributeError as error:
        raise TargetError(f"{place} has no {name!r}") from error
    if not callable(factory):
        raise TargetError(f"{target} is no function, but a {type(factory).__name__}")
    try:
        return factory()
    except Exception as error:
        raise TargetError(f"{target} raised {_one_line(error)}") from error


def backward_names(kind: type) -> list[str]:
    """The methods of a class that compute gradients: ``backward``, ``…_backward…`` and ``loss_and_grad``."""
    return [name for name in dir(kind) if "_backward" in name or name in ("backward", "loss_and_grad")]


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


def check_made(made: object, settings: Settings, name: str | None = None) -> Report:
    """Check whatever a factory returned; `TargetError` if it is of no kind that can be checked."""
    reports = [check(subject, settings) for subject in subjects_made(made, settings.seed, name)]
    return Report.merge(name or type(made).__name__, reports) if is_distribution(made) else reports[0]


def subjects_made(made: object, seed: int = 0, name: str | None = None) -> list[Subject]:
    """What a factory returned, as subjects: one for every method of a distribution, otherwise just one.

    `seed` is that of the inputs and parameters that are not given. `TargetError` if it is of no kind that can be
    checked, or its arrays do not fit it.
    """
    rng = np.random.default_rng([seed, 2])
    parts = made if isinstance(made, tuple) else (made,)
    n, (first, second, third, fourth) = len(parts), (*parts, None, None, None, None)[:4]
    try:
        if is_model(first) and 2 <= n <= 4:
            return [model_subject(first, second, third, fourth, rng, name)]
        if is_distribution(first) and n == 1:
            return distribution_subjects(first, 3, rng)
        if hasattr(first, "forward") and hasattr(first, "backward") and n <= 3:
            return [layer_subject(first, second, third, rng, name)]
        if callable(first) and 3 <= n <= 4:
            return [function_subject(first, second, third, fourth, name)]
        if callable(first) and n == 2 and isinstance(second, (np.ndarray, Mapping)):
            return [loss_subject(first, second, None, name)]
    except (TypeError, ValueError) as error:
        raise TargetError(_one_line(error)) from error
    kinds = ", ".join(type(part).__name__ for part in parts)
    returned = f"({kinds})" if n > 1 else kinds
    raise TargetError(f"the factory has to return {FORMS}; it returned {returned}")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
