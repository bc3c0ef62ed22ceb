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

from npvae.gradcheck.subject import (
    Breakdown,
    Named,
    Subject,
    Tensors,
    given,
    inputs_by_name,
    pair,
    parameters_of,
    quiet,
)

ROWS, WIDTH = 7, 5
"""Rows of an input that nobody gives, and its features where no array tells."""
JITTER = 0.1
"""How far initial values are moved: a bias of zero would hide an error that is multiplied by it."""
GRADIENTS = ("d{}", "grad_{}", "{}_grad", "g{}")
"""What the gradient of an attribute is called, by people who keep it in another attribute."""


def is_layer(thing: object) -> bool:
    """Whether `thing` has the members of a layer."""
    return all(hasattr(thing, member) for member in ("forward", "backward", "shapes", "init"))


def layer_subject(
    layer: object,
    x: object,
    params: Mapping | None,
    rng: np.random.Generator,
    name: str | None = None,
    accumulate: bool = False,
) -> Subject:
    """A layer, stateless or not, as a `Subject`; what is not given is drawn."""
    stateless, title, drawn = is_layer(layer), name or type(layer).__name__, x is None
    if inspect.isclass(layer) or not (stateless or is_stateful(layer)):
        got = f"{layer.__name__}, a class: make one" if inspect.isclass(layer) else type(layer).__name__
        rule = "shapes, init, forward and backward, or forward(x) and backward(dy) that keep what they need"
        raise TypeError(f"layer must have {rule}; got {got}")
    arrays = _parameters(layer, params, rng) if stateless else _kept(layer)
    if drawn:
        x = _drawn(layer, {key: np.shape(value) for key, value in arrays.items()}, rng)
    if stateless:
        subject = _stateless_subject(layer, np.asarray(x), arrays, title)
    else:
        subject = _stateful_subject(layer, inputs_by_name(layer.forward, x), params, title, accumulate)
    subject.chosen = f"x of shape {np.shape(x)}, drawn" if drawn else ""
    return subject


def _parameters(layer: object, params: Mapping | None, rng: np.random.Generator) -> dict[str, NDArray]:
    """The parameters given, or initial values, slightly moved."""
    if params is None:
        start = {key: np.array(value, dtype=np.float64) for key, value in layer.init(rng).items()}
        params = {key: w + JITTER * rng.standard_normal(w.shape) for key, w in start.items()}
    for key, shape in layer.shapes.items():
        if key not in params or np.shape(params[key]) != tuple(shape):
            got = f"got shape {np.shape(params[key])}" if key in params else "got none"
            raise ValueError(f"params must have {key!r} of shape {tuple(shape)}, {got}")
    return {key: np.asarray(params[key]) for key in layer.shapes}


def _kept(layer: object) -> dict[str, NDArray]:
    """The arrays that a layer keeps itself."""
    known = getattr(layer, "params", None)
    known = known if isinstance(known, Mapping) else getattr(layer, "__dict__", {})
    return {key: value for key, value in known.items() if isinstance(value, np.ndarray)}


def _drawn(layer: object, shapes: Mapping, rng: np.random.Generator) -> NDArray:
    """An input of the shape that the layer states, or that its arrays suggest."""
    stated = getattr(layer, "input_shape", None)
    shape = tuple(stated) if isinstance(stated, (tuple, list)) else (_width(layer, shapes),)
    return rng.standard_normal((ROWS, *(size for size in shape if size is not None)))


def _stateless_subject(layer: object, x: NDArray, params: dict[str, NDArray], title: str) -> Subject:
    """A layer that is handed its parameters; an x of whole numbers has no gradient."""
    options = {"need_dx": True} if any(p.name == "need_dx" for p in parameters_of(layer.backward)) else {}
    inputs = {"x": x} if x.dtype.kind == "f" else {}

    def forward(tensors: Tensors) -> tuple[object, object]:
        weights = Named({key: tensors[key] for key in params})
        y, cache = pair(layer.forward(weights, tensors.get("x", x)), "forward", "(y, cache)")
        return y, (weights, cache, Named({key: np.zeros_like(tensors[key]) for key in params}))

    def backward(saved: tuple, upstream: tuple) -> dict[str, object]:
        weights, cache, grads = saved
        dx = layer.backward(weights, cache, upstream[0], grads, **options)
        return {"x": given(dx, "backward", "dx"), **grads} if inputs else dict(grads)

    return Subject(title, {**inputs, **params}, forward, backward, required=tuple(params), whole=layer)


def _width(layer: object, shapes: Mapping) -> int:
    """Features of an input row, as far as a layer lets one see."""
    if isinstance(getattr(layer, "n_in", None), int):
        return layer.n_in
    for inner in getattr(layer, "layers", ()):
        if getattr(inner, "shapes", None):
            return _width(inner, inner.shapes)
    matrices, vectors = ([shape for shape in shapes.values() if len(shape) == n] for n in (2, 1))
    return (matrices or vectors or [(WIDTH,)])[0][0]


@dataclass(frozen=True)
class Slot:
    """Where a parameter and its gradient live: in which inner layer, under what names, and in dicts or attributes."""

    home: tuple[int, ...]
    key: str
    gradient: str
    in_dicts: bool

    @property
    def name(self) -> str:
        """The parameter's name in a report: ``0.W``."""
        return ".".join([*map(str, self.home), self.key])

    def holders(self, layer: object) -> tuple[dict, dict]:
        """The dicts that hold the parameter and its gradient."""
        for place in self.home:
            layer = layer.layers[place]
        return (layer.params, layer.grads) if self.in_dicts else (vars(layer), vars(layer))

    def read_gradient(self, layer: object) -> object:
        """The gradient, None if there is none."""
        return self.holders(layer)[1].get(self.gradient)


def is_stateful(layer: object) -> bool:
    """Whether `layer` has forward and backward that keep what they need in the object."""
    return callable(getattr(layer, "forward", None)) and callable(getattr(layer, "backward", None))


def _stateful_subject(
    layer: object, inputs: Mapping[str, object], params: Mapping | None, title: str, accumulate: bool
) -> Subject:
    """Such a layer as a `Subject`."""
    pristine = copy.deepcopy(layer)
    names = list(inputs)
    takes_upstream = bool(parameters_of(layer.backward, ["dy"]))
    slots = list(_slots(pristine, _tried(pristine, list(inputs.values()), takes_upstream)))
    found = {slot.name: np.asarray(slot.holders(pristine)[0][slot.key]) for slot in slots}
    everything = {**{n: np.asarray(v) for n, v in inputs.items()}, **found, **(params or {})}
    tensors = {name: np.asarray(array) for name, array in everything.items() if np.asarray(array).dtype.kind == "f"}

    def forward(arrays: Tensors) -> tuple[object, object]:
        own = copy.deepcopy(pristine)
        for slot in slots:
            slot.holders(own)[0][slot.key] = arrays[slot.name]
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
    return Subject(title, tensors, forward, backward, needed, takes_upstream, accumulates=accumulate)


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
        yield from (Slot(home, key, key, True) for key in layer.params)
    else:
        for key, value in getattr(layer, "__dict__", {}).items():
            names = [form.format(key) for form in GRADIENTS]
            held = [n for n in names if np.shape(getattr(tried, n, None)) == np.shape(value) and hasattr(tried, n)]
            if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f" and held:
                yield Slot(home, key, held[0], False)
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
