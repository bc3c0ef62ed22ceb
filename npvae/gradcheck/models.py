"""Layers, distributions and models as subjects: known by their members, whatever their class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.layers import JITTER
from npvae.gradcheck.point import read_only
from npvae.gradcheck.subject import Breakdown, Named, Subject, Tensors, given, pair, quiet, rebuild

SPREAD = 0.7
"""Size of drawn parameters: every activation bends there, and none saturates."""
LEADING = (("", (5,), (5,)), (" of several draws", (5,), (3, 5)), (" of several parameters", (3, 5), (5,)))
"""Axes before the last of the first argument and of the others: three shapes, each broadcast another way."""


def is_distribution(thing: object) -> bool:
    """Whether `thing` has the members of a distribution."""
    return hasattr(thing, "n_params") and any(member.endswith("_backward") for member in dir(thing))


def is_model(thing: object) -> bool:
    """Whether `thing` has the members of a model."""
    return all(hasattr(thing, member) for member in ("init", "loss", "loss_and_grad"))


def backward_names(kind: type) -> list[str]:
    """The methods of a class that compute gradients: ``backward``, ``…_backward…`` and ``loss_and_grad``."""
    return [name for name in dir(kind) if "_backward" in name or name in ("backward", "loss_and_grad")]


def distribution_subjects(dist: object, d: int, rng: np.random.Generator) -> list[Subject]:
    """Every method ``f`` of `dist` with an ``f_backward``, for one batch of everything and for batches of batches.

    With " of several draws" all arguments but the first have a leading axis, with " of several parameters" only the
    first has, so that each gradient is once summed over the axis its argument lacks. The arguments are known by name:
    ``a`` and ``b`` are parameters, ``eps`` is noise, ``x`` a draw; those with a default keep it.
    """
    names = [m.removesuffix("_backward") for m in dir(dist) if m.endswith("_backward") and m[0] != "_"]
    names = [name for name in names if hasattr(dist, name)]
    if not names or not hasattr(dist, "n_params"):
        rule = "n_params and methods with a backward (sample and sample_backward, ...)"
        raise TypeError(f"dist must have {rule}, got {type(dist).__name__}")
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
        own = hasattr(dist, "draw_noise")
        return np.asarray(dist.draw_noise(rng, (*rows, d), np.float64)) if own else rng.standard_normal((*rows, d))

    def draw(rows: tuple) -> NDArray:
        own = hasattr(dist, "sample")
        return np.asarray(dist.sample(parameters(rows), noise(rows))[0]) if own else rng.standard_normal((*rows, d))

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
        whole=model,
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
