"""The calling convention of `check_function`: anyone's pair of functions, as it is.

==========================  =====================================================================
``inputs``                  forward is called as
==========================  =====================================================================
array ``x``                 ``forward(x, **params)``
tuple ``(x, y)``            ``forward(x, y, **params)``
dict ``{"x": x}``           ``forward(x=x, **params)``
==========================  =====================================================================

==========================  =====================================================================
forward returns             backward is called as
==========================  =====================================================================
``(y, cache)``              ``backward(cache, dy)``
``(y, closure)``            ``closure(dy)``, if no backward is given
``y``                       ``backward(dy)``, or ``backward(dy, <arguments of forward>)`` if it
                            wants more than one argument
==========================  =====================================================================

``y`` is an array, a number, or (before a cache) a tuple of arrays; ``dy`` then is a tuple as well. Backward returns
a dict from the argument's name to its gradient, or a tuple of gradients in the order of the arguments (inputs, then
parameters), or one array if there is one argument. An input without a gradient (noise, labels) is left out or None.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.subject import Breakdown, Subject, Tensors

__all__ = ["function_subject"]


@dataclass
class Arguments:
    """How the arguments go in: by position or by name, and which of them are tensors."""

    positional: tuple[str, ...]
    everything: dict[str, object]
    tensors: Tensors

    def fill(self, tensors: Tensors) -> tuple[list, dict]:
        """Positional and keyword arguments; what is no tensor (labels, a generator) is copied afresh for every call."""
        values = {
            name: tensors[name] if name in tensors else copy.deepcopy(value) for name, value in self.everything.items()
        }
        return [values.pop(name) for name in self.positional], values


@dataclass(frozen=True)
class Saved:
    """What lies between a forward and its backward.

    Attributes
    ----------
    cache : object
        What forward returned beside y.
    empty : bool
        It returned y alone.
    several : bool
        y is a tuple.
    tensors : dict of arrays
        What forward was called with.
    """

    cache: object
    empty: bool
    several: bool
    tensors: Tensors


def function_subject(
    forward: Callable, backward: Callable | None, inputs: object, params: Mapping | None, name: str | None
) -> Subject:
    """A pair of functions as a `Subject`.

    Raises
    ------
    TypeError
        If forward or backward cannot be called, or inputs is no array, tuple or dict.
    ValueError
        If there is no floating-point array among the arguments.
    """
    if not callable(forward):
        raise TypeError(f"forward must be callable, got {type(forward).__name__}")
    if backward is not None and not callable(backward):
        raise TypeError(f"backward must be callable or None, got {type(backward).__name__}")
    arguments = _arguments(forward, inputs, params)

    def run(tensors: Tensors) -> tuple[object, object]:
        positional, keywords = arguments.fill(tensors)
        result = forward(*positional, **keywords)
        paired = isinstance(result, tuple) and len(result) == 2
        y, cache = result if paired else (result, None)
        return y, Saved(cache, not paired, isinstance(y, tuple), tensors)

    def pull(saved: Saved, upstream: tuple) -> Mapping:
        dy = upstream if saved.several else upstream[0]
        return _differentiable(_named(_call(backward, saved, dy, arguments), arguments), arguments)

    title = name or getattr(forward, "__qualname__", type(forward).__name__).replace("<locals>.", "")
    return Subject(title, arguments.tensors, run, pull, required=tuple(params or ()))


def _arguments(forward: Callable, inputs: object, params: Mapping | None) -> Arguments:
    if isinstance(inputs, Mapping):
        positional, everything = (), dict(inputs)
    elif isinstance(inputs, tuple):
        positional = _positional_names(forward, len(inputs))
        everything = dict(zip(positional, inputs, strict=True))
    elif isinstance(inputs, (np.ndarray, float)):
        positional = _positional_names(forward, 1)
        everything = {positional[0]: inputs}
    else:
        raise TypeError(f"inputs must be an array, a tuple or a dict, got {type(inputs).__name__}")
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params must be a dict of arrays or None, got {type(params).__name__}")
    twice = sorted(set(everything) & set(params or ()))
    if twice:
        raise ValueError(f"{twice[0]!r} is both an input and a parameter")
    everything |= dict(params or {})
    tensors = {
        name: np.asarray(value)
        for name, value in everything.items()
        if isinstance(value, (np.ndarray, np.floating, float)) and np.asarray(value).dtype.kind == "f"
    }
    if not tensors:
        raise ValueError("inputs and params have no floating-point array: there is nothing to differentiate by")
    return Arguments(positional, everything, tensors)


def _positional_names(forward: Callable, count: int) -> tuple[str, ...]:
    """The names forward gives its first arguments, x0, x1, ... where it gives none."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return tuple(named[i] if i < len(named) else f"x{i}" for i in range(count))


def _call(backward: Callable | None, saved: Saved, dy: object, arguments: Arguments) -> object:
    cache = saved.cache
    if backward is None:
        if not callable(cache):
            raise Breakdown("returns", "without a backward, forward has to return (y, closure) with closure(dy)")
        return cache(dy)
    if not saved.empty:
        return backward(dy, cache) if _second_is_cache(backward) else backward(cache, dy)
    if _wanted(backward) == 1:
        return backward(dy)
    positional, keywords = arguments.fill(saved.tensors)
    return backward(dy, *positional, **keywords)


def _wanted(function: Callable) -> int:
    """Number of arguments without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return sum(p.default is p.empty and p.kind not in free for p in parameters)


def _second_is_cache(backward: Callable) -> bool:
    """``backward(dy, cache)``: the other order is understood if the arguments are named so."""
    try:
        names = list(inspect.signature(backward).parameters)
    except (TypeError, ValueError):
        return False
    return len(names) > 1 and names[1] == "cache" and names[0] != "cache"


def _differentiable(gradients: Mapping, arguments: Arguments) -> Mapping:
    """Leave out what is None; refuse a gradient by something that is no array of floating-point numbers."""
    if not isinstance(gradients, Mapping):
        return gradients
    there = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    for name in there:
        if name in arguments.everything and name not in arguments.tensors:
            value = arguments.everything[name]
            kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
            raise Breakdown(
                "dtype", f"there is a gradient of {name}, but {name} is {kind}: pass floating-point numbers"
            )
    return there


def _named(result: object, arguments: Arguments) -> Mapping:
    """Gradients by name."""
    if result is None or isinstance(result, Mapping):
        return result
    names = list(arguments.everything)
    gradients = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(gradients) != len(names):
        raise Breakdown(
            "keys",
            f"backward returned {len(gradients)} gradient{'s' if len(gradients) != 1 else ''} for the "
            f"{len(names)} arguments {', '.join(names)}: return one each (None where there is none), or a dict",
        )
    return dict(zip(names, gradients, strict=True))
