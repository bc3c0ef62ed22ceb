"""Layers that keep their arrays themselves: ``y = layer.forward(x)``, ``dx = layer.backward(dy)``.

Their arrays are found in dicts ``params`` and ``grads``, in attributes ``W`` and ``dW`` (``grad_W``, ``W_grad``), and
in the ``layers`` inside. Every forward starts from a copy of the layer as it was given: a running mean, a generator or
a gradient that accumulates is then the same each time, and no check leaves a trace.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.subject import Breakdown, Subject, Tensors, given, quiet

GRADIENTS = ("d{}", "grad_{}", "{}_grad", "g{}")


@dataclass(frozen=True)
class Slot:
    """Where a parameter and its gradient live: in which inner layer, and under what names."""

    home: tuple[int, ...]
    key: str
    gradient: str  # the attribute that holds it; empty if both live in params and grads

    @property
    def name(self) -> str:
        """The parameter's name in a report: ``0.W``."""
        return ".".join([*map(str, self.home), self.key])

    def _owner(self, layer: object) -> object:
        for place in self.home:
            layer = layer.layers[place]
        return layer

    def read(self, layer: object) -> NDArray:
        """The parameter."""
        owner = self._owner(layer)
        return getattr(owner, self.key) if self.gradient else owner.params[self.key]

    def write(self, layer: object, value: NDArray) -> None:
        """Put another array in its place."""
        owner = self._owner(layer)
        if self.gradient:
            setattr(owner, self.key, value)
        else:
            owner.params[self.key] = value

    def read_gradient(self, layer: object) -> object:
        """The gradient, None if there is none."""
        owner = self._owner(layer)
        return getattr(owner, self.gradient, None) if self.gradient else owner.grads.get(self.key)


def is_stateful(layer: object) -> bool:
    """Whether `layer` has forward and backward that keep what they need in the object."""
    return callable(getattr(layer, "forward", None)) and callable(getattr(layer, "backward", None))


def stateful_subject(
    layer: object, inputs: Mapping[str, object], params: Mapping | None, title: str, accumulate: bool
) -> Subject:
    """Such a layer as a `Subject`."""
    pristine = copy.deepcopy(layer)
    names = list(inputs)
    takes_upstream = bool(_parameters(layer.backward))
    slots = list(_slots(pristine, _tried(pristine, list(inputs.values()), takes_upstream)))
    found = {slot.name: np.asarray(slot.read(pristine)) for slot in slots}
    everything = {**{n: np.asarray(v) for n, v in inputs.items()}, **found, **(params or {})}
    tensors = {name: np.asarray(array) for name, array in everything.items() if np.asarray(array).dtype.kind == "f"}

    def forward(arrays: Tensors) -> tuple[object, object]:
        own = copy.deepcopy(pristine)
        for slot in slots:
            slot.write(own, arrays[slot.name])
        return own.forward(*(arrays.get(name, inputs[name]) for name in names)), own

    def backward(own: object, upstream: tuple) -> dict[str, object]:
        own = copy.deepcopy(own) if accumulate else own
        before = {slot.name: copy.deepcopy(slot.read_gradient(own)) if accumulate else None for slot in slots}
        result = own.backward(*upstream) if takes_upstream else own.backward()
        after = {slot.name: slot.read_gradient(own) for slot in slots}
        for name, old in before.items():
            after[name] = after[name] - old if old is not None and after[name] is not None else after[name]
        return {**_of_inputs(result, [n for n in names if n in tensors], layer), **after}

    needed = tuple(slot.name for slot in slots)
    traits = {"required": needed, "takes_upstream": takes_upstream, "accumulates": accumulate}
    return Subject(title, tensors, forward, backward, **traits)


def _of_inputs(result: object, names: list[str], layer: object) -> dict[str, object]:
    """What backward returned, as gradients of the inputs that have one."""
    if not names:
        return {}
    given(result, f"backward of {type(layer).__name__}", "dx")
    if isinstance(result, Mapping):
        return {key if key in names else str(key).removeprefix("d"): value for key, value in result.items()}
    several = result if isinstance(result, (tuple, list)) else (result,)
    if len(several) > len(names):
        raise Breakdown("keys", f"backward returned {len(several)} gradients for the inputs {', '.join(names)}")
    return dict(zip(names, several, strict=False))


def _slots(layer: object, tried: object, home: tuple[int, ...] = ()) -> Iterator[Slot]:
    """The parameters of a layer and of those inside, by what is there after a trial run."""
    if isinstance(getattr(layer, "params", None), Mapping) and isinstance(getattr(layer, "grads", None), Mapping):
        yield from (Slot(home, key, "") for key in layer.params)
    else:
        for key, value in getattr(layer, "__dict__", {}).items():
            names = [form.format(key) for form in GRADIENTS]
            held = [n for n in names if np.shape(getattr(tried, n, None)) == np.shape(value) and hasattr(tried, n)]
            if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f" and held:
                yield Slot(home, key, held[0])
    for place, inner in enumerate(getattr(layer, "layers", ())):
        if is_stateful(inner):
            yield from _slots(inner, tried.layers[place], (*home, place))


def _tried(layer: object, inputs: list, takes_upstream: bool) -> object:
    """A copy of the layer after a forward and a backward, as far as they go."""
    tried = copy.deepcopy(layer)
    with quiet():
        try:
            y = tried.forward(*copy.deepcopy(inputs))
            tried.backward(*([np.ones_like(y)] if takes_upstream else []))
        except Exception:
            # What is wrong with it, the check itself will say.
            return tried
    return tried


def _parameters(function: object) -> list:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ["dy"]
