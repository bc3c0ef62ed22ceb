"""Does a mutant do anything else than the function? Found out by calling both, never assumed.

The calls a function gets while its checks run are recorded with copies of their arguments; a mutant is equivalent if on
each of them it returns the same, and leaves the same in its arguments, up to rounding.
"""

from __future__ import annotations

import copy
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.mutants import in_place
from npvae.gradcheck.subject import quiet

__all__ = ["Call", "equivalent", "record", "same"]

ROUNDING = 1e-12


@dataclass(frozen=True)
class Call:
    """One recorded call: arguments by name, and what came of it."""

    arguments: dict[str, object]
    outcome: object


def record(
    function: types.FunctionType, action: Callable[[], object], most: int = 200, part: int | None = None
) -> list[Call]:
    """The first calls that a function gets while `action` runs.

    Parameters
    ----------
    function : function
    action : callable
    most : int
        How many calls are recorded.
    part : int, optional
        The one element of what the function returns that counts.
    """
    recorded: list[dict[str, object]] = []
    code = function.__code__
    names = inspect.getargs(code)
    wanted = [*names.args, *filter(None, (names.varargs, names.varkw))]

    def watch(frame: types.FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is code:
            local = frame.f_locals
            recorded.append(copy.deepcopy({name: local[name] for name in wanted}))
            if len(recorded) == most:
                sys.setprofile(None)  # watching is slow

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        action()
    finally:
        sys.setprofile(before if callable(before) else None)  # a profiler written in C cannot be put back
    return [Call(arguments, _outcome(function, arguments, part)) for arguments in recorded]


def equivalent(function: types.FunctionType, code: types.CodeType, calls: list[Call], part: int | None = None) -> bool:
    """Whether `function` with other code does the same on all recorded calls; False if there is none."""
    with in_place(function, code):
        return bool(calls) and all(same(call.outcome, _outcome(function, call.arguments, part)) for call in calls)


def _outcome(function: types.FunctionType, arguments: Mapping[str, object], part: int | None) -> object:
    """What a call returns, and its arguments afterwards; the type of the error if it raises."""
    arguments = copy.deepcopy(dict(arguments))
    names = inspect.getargs(function.__code__)
    count = function.__code__.co_argcount
    positional = [arguments[name] for name in names.args[:count]]
    keywords = {name: arguments[name] for name in names.args[count:]}
    positional += arguments[names.varargs] if names.varargs else ()
    keywords |= arguments[names.varkw] if names.varkw else {}
    with quiet():
        try:
            result = function(*positional, **keywords)
            return (result if part is None else result[part]), arguments
        except Exception as error:
            return type(error)


def same(a: object, b: object) -> bool:
    """Whether two results are equal up to rounding, whatever they are made of."""
    if isinstance(a, (np.ndarray, np.number, float, complex)) or isinstance(b, (np.ndarray, np.number)):
        return _same_numbers(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, type) or not hasattr(a, "__dict__"):
        return bool(a == b)
    return same(vars(a), vars(b))


def _same_numbers(a: object, b: object) -> bool:
    if not all(isinstance(value, (np.ndarray, np.number, float, complex, int)) for value in (a, b)):
        return False
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    with quiet():
        size = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
        return bool(np.allclose(a, b, rtol=ROUNDING, atol=1e-3 * ROUNDING * size, equal_nan=True))
