"""The calling convention of `check_function`, anyone's pair of functions as it is, and that of `check_loss`.

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
``(y, cache)``              ``backward(cache, dy)``, or ``backward(cache)`` where y is a number
``(y, closure)``            ``closure(dy)``, if no backward is given
``y``                       ``backward(dy)``, or ``backward(dy, <arguments of forward>)`` if it
                            wants more than one argument
==========================  =====================================================================

``y`` is an array, a number, or (before a cache) a tuple, list or dict of arrays; ``dy`` then is one as well, or one
argument for each. Backward returns a dict from the argument's name (``x`` or ``dx``) to its gradient, or a tuple or
list of gradients in the order of the arguments (inputs, then parameters; all, or the floating-point ones alone), ``(dx,
{"W": dW})``, or one array if there is one argument. An input without a gradient (noise, labels) is left out or None;
the report names it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.subject import Breakdown, Subject, Tensors, inputs_by_name, pair, parameters_of, unpacked


@dataclass(frozen=True)
class Arguments:
    """Which arguments go in by position, and which are tensors."""

    positional: tuple[str, ...]
    everything: dict[str, object]
    tensors: Tensors

    def fill(self, tensors: Tensors) -> tuple[list, dict]:
        """Positional and keyword arguments; what is no tensor (labels, a generator) is copied afresh for every call."""
        values = {
            name: tensors[name] if name in tensors else copy.deepcopy(value) for name, value in self.everything.items()
        }
        return [values.pop(name) for name in self.positional], values

    def named(self, gradients: object) -> Mapping | None:
        """Gradients by name, without those that are None."""
        names = list(self.everything)
        if gradients is None:
            return None
        if not isinstance(gradients, Mapping):
            gradients = self._spread(gradients)
        if not isinstance(gradients, Mapping):
            several = tuple(gradients) if isinstance(gradients, (tuple, list)) else (gradients,)
            floating = [name for name in names if name in self.tensors]
            called = floating if len(several) == len(floating) else names
            if len(several) != len(called):
                raise Breakdown(
                    "keys",
                    f"backward returned {len(several)} gradient{'s' if len(several) != 1 else ''} for the {len(names)} "
                    f"arguments {', '.join(names)}: return one each (None where there is none), or a dict",
                )
            gradients = dict(zip(called, several, strict=True))
        gradients = {self._called(name): gradient for name, gradient in gradients.items() if gradient is not None}
        for name in names:
            if name in gradients and name not in self.tensors:
                value = self.everything[name]
                kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
                text = f"there is a gradient of {name}, but {name} is {kind}: pass floating-point numbers"
                raise Breakdown("dtype", text)
        return gradients

    def _spread(self, gradients: object) -> object:
        """``(dx, {"W": dW})`` as one dict."""
        if not isinstance(gradients, (tuple, list)) or not gradients or not isinstance(gradients[-1], Mapping):
            return gradients
        rest = [name for name in self.everything if name not in gradients[-1] and f"d{name}" not in gradients[-1]]
        return {**dict(zip(rest, gradients[:-1], strict=False)), **gradients[-1]}

    def _called(self, name: object) -> object:
        """The argument that a gradient is of: ``dW`` is that of ``W``."""
        short = str(name)[1:]
        return short if name not in self.everything and str(name)[:1] == "d" and short in self.everything else name


@dataclass(frozen=True)
class Saved:
    """What lies between a forward and its backward: a cache, unless y came alone, the outputs, and the arguments."""

    cache: object
    empty: bool
    y: object
    tensors: Tensors

    @property
    def several(self) -> bool:
        """Whether there may be more than one output."""
        return isinstance(self.y, (tuple, list, Mapping))

    def upstream(self, arrays: tuple) -> object:
        """The upstream gradients in the shape that the outputs came in."""
        if isinstance(self.y, Mapping):
            return dict(zip(self.y, arrays, strict=True))
        return list(arrays) if isinstance(self.y, list) else arrays if self.several else arrays[0]


def function_subject(
    forward: Callable,
    backward: Callable | None,
    inputs: object,
    params: Mapping | None,
    name: str | None,
    constants: Mapping | None = None,
    skip: Collection = (),
) -> Subject:
    """A pair of functions as a `Subject`; `constants` go to forward by name, outputs in `skip` are left out."""
    if not callable(forward):
        raise TypeError(f"forward must be callable, got {type(forward).__name__}")
    if backward is not None and not callable(backward):
        raise TypeError(f"backward must be callable or None, got {type(backward).__name__}")
    arguments = _arguments(forward, inputs, params)

    def run(tensors: Tensors) -> tuple[object, object]:
        positional, keywords = arguments.fill(tensors)
        result = forward(*positional, **keywords, **copy.deepcopy(dict(constants or {})))
        paired = isinstance(result, tuple) and len(result) == 2
        y, cache = result if paired else (result, None)
        saved = Saved(cache, not paired, y, tensors)
        if isinstance(y, Mapping):
            return tuple(y.values()), saved
        return tuple(y) if isinstance(y, list) else y, saved

    def pull(saved: Saved, upstream: tuple) -> Mapping | None:
        return arguments.named(_call(backward, saved, upstream, arguments))

    title = name or getattr(forward, "__qualname__", type(forward).__name__).replace("<locals>.", "")
    return Subject(title, arguments.tensors, run, pull, required=tuple(params or ()), skip=tuple(skip))


def _arguments(forward: Callable, inputs: object, params: Mapping | None) -> Arguments:
    if isinstance(inputs, list):  # several arguments, unless they are numbers: then one array
        inputs = np.array(inputs) if all(np.ndim(value) == 0 for value in inputs) else tuple(inputs)
    if not isinstance(inputs, (Mapping, tuple, np.ndarray, float, np.floating)):
        raise TypeError(f"inputs must be an array, a tuple or a dict, got {type(inputs).__name__}")
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params must be a dict of arrays or None, got {type(params).__name__}")
    positional = () if isinstance(inputs, Mapping) else tuple(inputs_by_name(forward, inputs))
    inputs = inputs_by_name(forward, inputs)
    twice = sorted(set(inputs) & set(params or ()))
    if twice:
        raise ValueError(f"{twice[0]!r} is both an input and a parameter")
    everything = {**inputs, **(params or {})}
    tensors = {
        name: np.asarray(value)
        for name, value in everything.items()
        if isinstance(value, (np.ndarray, np.floating, float)) and np.asarray(value).dtype.kind == "f"
    }
    if not tensors:
        raise ValueError("inputs and params have no floating-point array: there is nothing to differentiate by")
    return Arguments(positional, everything, tensors)


def _call(backward: Callable | None, saved: Saved, arrays: tuple, arguments: Arguments) -> object:
    cache, dy = saved.cache, saved.upstream(arrays)
    if backward is None:
        if not callable(cache):
            raise Breakdown("returns", "without a backward, forward has to return (y, closure) with closure(dy)")
        return cache(dy)
    parameters = parameters_of(backward)
    names = [p.name for p in parameters]
    wanted = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not saved.empty:
        if saved.several and len(arrays) > 1 and len(names) > len(arrays) and len(wanted) != 2:
            return backward(cache, *arrays)
        if len(wanted) == 1 and len(parameters) == 1:
            if not saved.several and np.ndim(saved.y) == 0:  # a loss: its backward may know no dy
                return _times(backward(cache), dy)
            text = f"backward takes one argument ({names[0]}), but forward returns (y, cache): it is called (cache, dy)"
            raise Breakdown("signature", text)
        # The other order is understood if the arguments are named so.
        return backward(dy, cache) if names[1:2] == ["cache"] != names[:1] else backward(cache, dy)
    if len(wanted) == 1 or not parameters:
        return backward(dy)
    positional, keywords = arguments.fill(saved.tensors)
    if len(wanted) != 1 + len(positional) + len(keywords) or names[:1] == ["cache"]:
        text = f"backward takes {len(wanted)} arguments ({', '.join(p.name for p in wanted)}), but forward returned y "
        raise Breakdown("signature", text + "alone: return (y, cache), and backward is called (cache, dy)")
    return backward(dy, *positional, **keywords)


def _times(gradients: object, dy: object) -> object:
    """The gradient of a number, times the upstream gradient of that number."""
    if isinstance(gradients, Mapping):
        return {name: _times(gradient, dy) for name, gradient in gradients.items()}
    if isinstance(gradients, (tuple, list)):
        return tuple(_times(gradient, dy) for gradient in gradients)
    return None if gradients is None else gradients * dy


def loss_subject(
    value_and_grad: Callable, theta: object, value: Callable | None = None, name: str | None = None
) -> Subject:
    """A function ``theta -> (value, gradient)`` as a `Subject`; theta is an array or a mapping of arrays."""
    if not callable(value_and_grad):
        raise TypeError(f"value_and_grad must be callable, got {type(value_and_grad).__name__}")
    tensors, build = unpacked(theta)

    def both(built: object) -> tuple:
        return pair(value_and_grad(built), "the function", "(value, gradient)")

    def forward(tensors: Tensors) -> tuple[object, object]:
        built = build(tensors)
        return both(built)[0] if value is None else value(built), built

    def backward(built: object, _: tuple) -> Mapping:
        gradient = both(built)[1]
        return dict(gradient) if isinstance(gradient, Mapping) else {"theta": gradient}

    title = name or getattr(value_and_grad, "__name__", type(value_and_grad).__name__)
    return Subject(title, tensors, forward, backward, tuple(tensors), takes_upstream=False)
