"""A layer as a `Subject`, and a chain of layers as its parts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.named import Named
from npvae.gradcheck.subject import Subject, Tensors, given, pair, run

__all__ = ["is_layer", "layer_subject"]

ROWS = 7
WIDTH = 5
JITTER = 0.1


def is_layer(thing: object) -> bool:
    """Whether `thing` has the members of a layer."""
    return all(hasattr(thing, member) for member in ("forward", "backward", "shapes", "init"))


def layer_subject(
    layer: object, x: NDArray | None, params: Mapping | None, rng: np.random.Generator, name: str | None = None
) -> Subject:
    """A layer as a `Subject`; what is not given is drawn.

    Raises
    ------
    TypeError
        If `layer` is no layer.
    ValueError
        If a parameter has another shape than the layer says.
    """
    if is_layer(layer):
        return _stateless(layer, x, params, rng, name)
    if all(hasattr(layer, member) for member in ("forward", "backward", "params", "grads")):
        return _stateful(layer, x, params, rng, name)
    raise TypeError(
        f"layer must have shapes, init, forward and backward, or params, grads, forward and backward; "
        f"got {type(layer).__name__}"
    )


def _stateless(
    layer: object, x: NDArray | None, params: Mapping | None, rng: np.random.Generator, name: str | None
) -> Subject:
    shapes = {key: tuple(shape) for key, shape in layer.shapes.items()}
    if params is None:
        # A bias of zero would hide an error that is multiplied by it.
        drawn = {key: np.array(value, dtype=np.float64) for key, value in layer.init(rng).items()}
        params = {key: value + JITTER * rng.standard_normal(value.shape) for key, value in drawn.items()}
    for key, shape in shapes.items():
        if key not in params or np.shape(params[key]) != shape:
            got = f"got shape {np.shape(params[key])}" if key in params else "got none"
            raise ValueError(f"params must have {key!r} of shape {shape}, {got}")
    x = rng.standard_normal((ROWS, _width(layer))) if x is None else x
    keys = list(shapes)
    optional_dx = "need_dx" in inspect.signature(layer.backward).parameters

    def forward(tensors: Tensors) -> tuple[object, object]:
        weights = Named({key: tensors[key] for key in keys})
        y, cache = pair(layer.forward(weights, tensors["x"]), "forward", "(y, cache)")
        grads = Named({key: np.zeros_like(tensors[key]) for key in keys})
        return y, (weights, cache, grads)

    def backward(saved: tuple, upstream: tuple) -> dict[str, object]:
        weights, cache, grads = saved
        options = {"need_dx": True} if optional_dx else {}
        dx = layer.backward(weights, cache, upstream[0], grads, **options)
        return {"x": given(dx, "backward", "dx"), **grads}

    tensors = {"x": np.asarray(x), **{key: np.asarray(params[key]) for key in keys}}
    subject = Subject(name or type(layer).__name__, tensors, forward, backward, required=tuple(keys))
    if hasattr(layer, "layers"):
        subject.parts = lambda tensors: _links(layer, tensors, rng)
    return subject


def _links(chain: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """Every layer of a chain, at the activations it sees there."""
    subjects, x = [], tensors["x"]
    for i, layer in enumerate(chain.layers):
        params = Named(tensors).section(str(i))
        title = f"layer {i} ({type(layer).__name__})"
        subjects.append(layer_subject(layer, x, params, rng, title))
        x = run(subjects[-1], subjects[-1].tensors)[0][0]
    return subjects


def _width(layer: object) -> int:
    """Features of an input row, as far as a layer lets one see."""
    width = getattr(layer, "n_in", None)
    if isinstance(width, int):
        return width
    for inner in getattr(layer, "layers", ()):
        if inner.shapes:
            return _width(inner)
    matrices = [shape for shape in layer.shapes.values() if len(shape) == 2]
    vectors = [shape for shape in layer.shapes.values() if len(shape) == 1]
    return matrices[0][0] if matrices else vectors[0][0] if vectors else WIDTH


def _stateful(
    layer: object, x: NDArray | None, params: Mapping | None, rng: np.random.Generator, name: str | None
) -> Subject:
    """The other common style: ``forward(x)``, ``backward(dy)``, arrays in ``layer.params`` and ``layer.grads``."""
    params = dict(layer.params if params is None else params)
    matrices = [np.shape(value) for value in params.values() if np.ndim(value) == 2]
    x = rng.standard_normal((ROWS, matrices[0][0] if matrices else WIDTH)) if x is None else x
    keys = list(params)

    def forward(tensors: Tensors) -> tuple[object, object]:
        for key in keys:
            layer.params[key] = tensors[key]
        return layer.forward(tensors["x"]), None

    def backward(_: None, upstream: tuple) -> dict[str, object]:
        dx = layer.backward(upstream[0])
        return {"x": given(dx, "backward", "dx"), **{key: layer.grads.get(key) for key in keys}}

    tensors = {"x": np.asarray(x), **{key: np.asarray(value) for key, value in params.items()}}
    return Subject(name or type(layer).__name__, tensors, forward, backward, required=tuple(keys))
