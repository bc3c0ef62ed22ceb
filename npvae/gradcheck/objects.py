"""Layers, distributions and models as subjects: known by their members, whatever their class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.point import read_only
from npvae.gradcheck.stateful import is_stateful, stateful_subject
from npvae.gradcheck.subject import Breakdown, Named, Subject, Tensors, given, pair, quiet, rebuild, run

ROWS = 7
WIDTH = 5
JITTER = 0.1
SPREAD = 0.7
LEADING = (("", (5,), (5,)), (" of several draws", (5,), (3, 5)), (" of several parameters", (3, 5), (5,)))


def _has(thing: object, *members: str) -> bool:
    return all(hasattr(thing, member) for member in members)


def is_layer(thing: object) -> bool:
    """Whether `thing` has the members of a layer."""
    return _has(thing, "forward", "backward", "shapes", "init")


def is_distribution(thing: object) -> bool:
    """Whether `thing` has the members of a distribution."""
    return hasattr(thing, "n_params") and any(member.endswith("_backward") for member in dir(thing))


def is_model(thing: object) -> bool:
    """Whether `thing` has the members of a model."""
    return _has(thing, "init", "loss", "loss_and_grad")


def layer_subject(
    layer: object,
    x: object,
    params: Mapping | None,
    rng: np.random.Generator,
    name: str | None = None,
    accumulate: bool = False,
) -> Subject:
    """A layer, stateless or not, as a `Subject`; what is not given is drawn."""
    title = name or type(layer).__name__
    if not is_layer(layer):
        if not is_stateful(layer) or inspect.isclass(layer):
            got = f"{layer.__name__}, a class: make one" if inspect.isclass(layer) else type(layer).__name__
            rule = "shapes, init, forward and backward, or forward(x) and backward(dy) that keep what they need"
            raise TypeError(f"layer must have {rule}; got {got}")
        known = getattr(layer, "params", None)
        known = known if isinstance(known, Mapping) else vars(layer) if hasattr(layer, "__dict__") else {}
        shapes = {key: np.shape(value) for key, value in known.items() if isinstance(value, np.ndarray)}
        drawn = x is None
        x = _drawn(layer, shapes, rng) if drawn else x
        subject = stateful_subject(layer, _named_inputs(layer.forward, x), params, title, accumulate)
        subject.chosen = f"x of shape {np.shape(x)}, drawn" if drawn else ""
        return subject
    shapes = {key: tuple(shape) for key, shape in layer.shapes.items()}
    if params is None:
        # A bias of zero would hide an error that is multiplied by it.
        start = {key: np.array(value, dtype=np.float64) for key, value in layer.init(rng).items()}
        params = {key: w + JITTER * rng.standard_normal(w.shape) for key, w in start.items()}
    for key, shape in shapes.items():
        if key not in params or np.shape(params[key]) != shape:
            got = f"got shape {np.shape(params[key])}" if key in params else "got none"
            raise ValueError(f"params must have {key!r} of shape {shape}, {got}")
    params = {key: np.asarray(params[key]) for key in shapes}
    chosen = ""
    if x is None:
        x = _drawn(layer, {key: np.shape(value) for key, value in params.items()}, rng)
        chosen = f"x of shape {np.shape(x)}, drawn"
    x = np.asarray(x)
    whole = x.dtype.kind != "f"
    tensors = {} if whole else {"x": x}
    pulls = _stateless(layer, list(params), x if whole else None)
    subject = Subject(title, {**tensors, **params}, *pulls, required=tuple(params), chosen=chosen)
    if hasattr(layer, "layers"):
        subject.parts = lambda tensors: _links(layer, tensors, rng)
    return subject


def _drawn(layer: object, shapes: Mapping, rng: np.random.Generator) -> NDArray:
    """An input of the shape that the layer states, or that its arrays suggest."""
    stated = getattr(layer, "input_shape", None)
    shape = tuple(stated) if isinstance(stated, (tuple, list)) else (_width(layer, shapes),)
    return rng.standard_normal((ROWS, *(size for size in shape if size is not None)))


def _named_inputs(forward: object, x: object) -> dict[str, object]:
    if isinstance(x, Mapping):
        return dict(x)
    values = x if isinstance(x, tuple) else (x,)
    names = list(inspect.signature(forward).parameters)
    return {names[i] if i < len(names) else f"x{i}": np.asarray(value) for i, value in enumerate(values)}


def _stateless(layer: object, keys: list[str], ids: NDArray | None) -> tuple:
    """Forward and backward; `ids` is an input of whole numbers, which has no gradient."""
    options = {"need_dx": True} if "need_dx" in inspect.signature(layer.backward).parameters else {}

    def forward(tensors: Tensors) -> tuple[object, object]:
        weights = Named({key: tensors[key] for key in keys})
        y, cache = pair(layer.forward(weights, tensors["x"] if ids is None else ids), "forward", "(y, cache)")
        return y, (weights, cache, Named({key: np.zeros_like(tensors[key]) for key in keys}))

    def backward(saved: tuple, upstream: tuple) -> dict[str, object]:
        weights, cache, grads = saved
        dx = layer.backward(weights, cache, upstream[0], grads, **options)
        return {"x": given(dx, "backward", "dx"), **grads} if ids is None else dict(grads)

    return forward, backward


def _links(chain: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """Every layer of a chain, at the activations it sees there."""
    subjects, x = [], tensors["x"]
    for i, layer in enumerate(chain.layers):
        title = f"layer {i} ({type(layer).__name__})"
        subjects.append(layer_subject(layer, x, Named(tensors).section(str(i)), rng, title))
        x = run(subjects[-1], subjects[-1].tensors)[0][0]
    return subjects


def _width(layer: object, shapes: Mapping) -> int:
    """Features of an input row, as far as a layer lets one see."""
    if isinstance(getattr(layer, "n_in", None), int):
        return layer.n_in
    for inner in getattr(layer, "layers", ()):
        if getattr(inner, "shapes", None):
            return _width(inner, inner.shapes)
    matrices, vectors = ([shape for shape in shapes.values() if len(shape) == n] for n in (2, 1))
    return (matrices or vectors or [(WIDTH,)])[0][0]


def distribution_subjects(dist: object, d: int, rng: np.random.Generator) -> list[Subject]:
    """Every method ``f`` of `dist` with an ``f_backward``, for one batch of everything and for batches of batches.

    With " of several draws" all arguments but the first have a leading axis, with " of several parameters" only the
    first has, so that each gradient is once summed over the axis its argument lacks. The arguments are known by name:
    ``a`` and ``b`` are parameters, ``eps`` is noise, ``x`` a draw; those with a default keep it.
    """
    names = [m.removesuffix("_backward") for m in dir(dist) if m.endswith("_backward") and m[0] != "_"]
    names = [name for name in names if hasattr(dist, name)]
    if not names or not hasattr(dist, "n_params"):
        raise TypeError(
            f"dist must have n_params and methods with a backward (sample and sample_backward, ...), "
            f"got {type(dist).__name__}"
        )
    subjects = []
    for name in names:
        for label, first, others in LEADING:
            tensors = _arguments(dist, name, d, rng, first, others)
            if len(tensors) > 1 or len(others) == 1:
                subjects.append(_method_subject(dist, name, tensors, label))
    return subjects


def _arguments(dist: object, name: str, d: int, rng: np.random.Generator, first: tuple, others: tuple) -> Tensors:
    """Arrays for the arguments of a method, with the axes `first` and `others` before their last."""

    def parameters(rows: tuple) -> NDArray:
        return SPREAD * rng.standard_normal((*rows, dist.n_params(d)))

    def noise(rows: tuple) -> NDArray:
        if hasattr(dist, "draw_noise"):
            return np.asarray(dist.draw_noise(rng, (*rows, d), np.float64))
        return rng.standard_normal((*rows, d))

    def draw(rows: tuple) -> NDArray:
        if not hasattr(dist, "sample"):
            return rng.standard_normal((*rows, d))
        return np.asarray(dist.sample(parameters(rows), noise(rows))[0])

    makers = {"a": parameters, "b": parameters, "eps": noise, "x": draw}
    tensors: Tensors = {}
    for argument, declared in inspect.signature(getattr(dist, name)).parameters.items():
        if argument not in makers and declared.default is not declared.empty:
            continue
        if argument not in makers:
            raise TypeError(f"{name} of {type(dist).__name__} has an argument {argument!r} that is not a, b, eps or x")
        tensors[argument] = makers[argument](others if tensors else first)
    return tensors


def _method_subject(dist: object, name: str, tensors: Tensors, label: str) -> Subject:
    arguments = list(tensors)
    differentiated = [argument for argument in arguments if argument in ("a", "b")]

    def forward(tensors: Tensors) -> tuple[object, object]:
        return pair(getattr(dist, name)(*(tensors[argument] for argument in arguments)), name, "(value, cache)")

    def backward(cache: object, upstream: tuple) -> dict[str, object]:
        gradients = getattr(dist, f"{name}_backward")(cache, upstream[0])
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        named = dict(zip(differentiated, gradients, strict=True))
        by_x = f"{name}_backward_x"
        if "x" in arguments and hasattr(dist, by_x):
            named["x"] = given(getattr(dist, by_x)(cache, upstream[0]), by_x, "dx")
        return named

    return Subject(name + label, tensors, forward, backward, required=tuple(differentiated), group=type(dist).__name__)


def model_subject(
    model: object, x: NDArray, theta: Mapping | None, noise: object, rng: np.random.Generator, name: str | None
) -> Subject:
    """A model, its data and frozen noise as a `Subject`: ``Loss.value`` and the gradient by every parameter."""
    if not is_model(model):
        raise TypeError(f"model must have init, loss and loss_and_grad, got {type(model).__name__}")
    if theta is None:
        theta = model.init(rng).astype(np.float64)
        theta = rebuild(theta, {key: w + JITTER / 2 * rng.standard_normal(w.shape) for key, w in theta.items()})
    if noise is None and hasattr(model, "draw_noise"):
        options = {"dtype": np.float64} if "dtype" in inspect.signature(model.draw_noise).parameters else {}
        noise = model.draw_noise(rng, len(x), **options)
    with quiet():
        data = {dtype: _frozen((np.asarray(x), noise), dtype) for dtype in (np.float32, np.float64)}

    def like(tensors: Tensors) -> tuple:
        return data[np.float32 if all(t.dtype == np.float32 for t in tensors.values()) else np.float64]

    def forward(tensors: Tensors) -> tuple[object, object]:
        built = rebuild(theta, tensors) if packed else Named(tensors)
        return _value(model.loss(built, *like(tensors))), tensors

    def backward(tensors: Tensors, _: tuple) -> dict[str, NDArray]:
        built = rebuild(theta, tensors)
        loss, gradient = pair(model.loss_and_grad(built, *like(tensors)), "loss_and_grad", "(loss, gradient)")
        expected = _value(model.loss(rebuild(theta, tensors), *like(tensors)))
        for key in tensors:
            # What was done to the copy is passed on, so that it is found out.
            if tensors[key].flags.writeable:
                tensors[key][...] = built[key]
        if not np.isclose(_value(loss), expected, rtol=1e-5, atol=0.0):
            raise Breakdown("value", f"loss gives {expected:.9g}, loss_and_grad {_value(loss):.9g}")
        return dict(gradient)

    tensors = {key: np.array(theta[key]) for key in theta}
    try:
        packed = False
        forward(tensors)
    except Exception:
        # The loss wants more of its parameters than names and sections: their flat vector, say.
        packed = True
    return Subject(
        name or type(model).__name__,
        tensors,
        forward,
        backward,
        required=tuple(tensors),
        takes_upstream=False,
        passes_layout=False,
        parts=lambda tensors: _rooms(model, tensors, rng),
        sizes={len(x): "the batch size"},
    )


def _value(loss: object) -> object:
    """``Loss.value``, or the number itself."""
    return loss.value if hasattr(loss, "value") else loss


def _frozen(value: object, dtype: type) -> object:
    """`value` with all its arrays of floating-point numbers in the precision `dtype`, read-only."""
    if isinstance(value, np.ndarray):
        return read_only(value.astype(dtype) if value.dtype.kind == "f" else value)
    if isinstance(value, dict):
        return {name: _frozen(item, dtype) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [_frozen(item, dtype) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _rooms(model: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """The layers and distributions that a model is made of, in the order of its attributes."""
    subjects = []
    for attribute, part in vars(model).items():
        if is_layer(part):
            subjects.append(layer_subject(part, None, Named(tensors).section(attribute), rng, attribute))
        elif is_distribution(part):
            for subject in distribution_subjects(part, 3, rng):
                subject.name = f"{attribute}.{subject.name}"
                subjects.append(subject)
    return subjects
