"""Losses and models as subjects: one number out, the gradient of just that number back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.distribution_subject import distribution_subjects, is_distribution
from npvae.gradcheck.layer_subject import is_layer, layer_subject
from npvae.gradcheck.named import Named, as_dtype, rebuild
from npvae.gradcheck.point import read_only
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, pair

__all__ = ["is_model", "loss_subject", "model_subject"]

ROWS = 4
JITTER = 0.05


def is_model(thing: object) -> bool:
    """Whether `thing` has the members of a model."""
    return all(hasattr(thing, member) for member in ("init", "loss", "loss_and_grad"))


def loss_subject(
    value_and_grad: Callable, theta: object, value: Callable | None = None, name: str | None = None
) -> Subject:
    """A function ``theta -> (value, gradient)`` as a `Subject`; theta is an array or a mapping of arrays.

    Raises
    ------
    TypeError
        If `value_and_grad` cannot be called or `theta` is neither array nor mapping.
    """
    if not callable(value_and_grad):
        raise TypeError(f"value_and_grad must be callable, got {type(value_and_grad).__name__}")
    mapping = isinstance(theta, Mapping)
    if not mapping and not isinstance(theta, np.ndarray):
        raise TypeError(f"theta must be an array or a dict of arrays, got {type(theta).__name__}")

    def build(tensors: Tensors) -> object:
        return rebuild(theta, tensors) if mapping else tensors["theta"]

    def forward(tensors: Tensors) -> tuple[object, object]:
        built = build(tensors)
        if value is not None:
            return value(built), built
        return pair(value_and_grad(built), "the function", "(value, gradient)")[0], built

    def backward(built: object, _: tuple) -> Mapping:
        gradient = pair(value_and_grad(built), "the function", "(value, gradient)")[1]
        return dict(gradient) if isinstance(gradient, Mapping) else {"theta": gradient}

    tensors = {key: np.array(theta[key]) for key in theta} if mapping else {"theta": theta}
    title = name or getattr(value_and_grad, "__name__", type(value_and_grad).__name__)
    return Subject(title, tensors, forward, backward, tuple(tensors), takes_upstream=False)


def model_subject(
    model: object, x: NDArray, theta: Mapping | None, noise: object, rng: np.random.Generator, name: str | None
) -> Subject:
    """A model, its data and frozen noise as a `Subject`: ``Loss.value`` and the gradient by every parameter.

    Raises
    ------
    TypeError
        If `model` has no init, loss and loss_and_grad.
    """
    if not is_model(model):
        raise TypeError(f"model must have init, loss and loss_and_grad, got {type(model).__name__}")
    if theta is None:
        theta = model.init(rng).astype(np.float64)
        theta = rebuild(theta, {key: w + JITTER * rng.standard_normal(w.shape) for key, w in theta.items()})
    if noise is None and hasattr(model, "draw_noise"):
        options = {"dtype": np.float64} if "dtype" in inspect.signature(model.draw_noise).parameters else {}
        noise = model.draw_noise(rng, len(x), **options)
    data = _Data(np.asarray(x), noise)

    def forward(tensors: Tensors) -> tuple[object, object]:
        built = rebuild(theta, tensors) if packed else Named(tensors)
        value = _value(model.loss(built, *data.like(tensors)))
        return value, tensors

    def backward(tensors: Tensors, _: tuple) -> dict[str, NDArray]:
        built = rebuild(theta, tensors)
        loss, gradient = pair(model.loss_and_grad(built, *data.like(tensors)), "loss_and_grad", "(loss, gradient)")
        expected = _value(model.loss(rebuild(theta, tensors), *data.like(tensors)))
        for key in tensors:
            # What was done to the copy is passed on, so that it is found out.
            if tensors[key].flags.writeable:
                tensors[key][...] = built[key]
        if not np.isclose(_value(loss), expected, rtol=1e-5, atol=0.0):
            raise Breakdown("value", f"loss gives {expected:.9g}, loss_and_grad {_value(loss):.9g}")
        return dict(gradient)

    tensors = {key: np.array(theta[key]) for key in theta}
    packed = _needs_its_own_class(model, tensors, data)
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


class _Data:
    """Data and noise in the precision of the parameters, read-only."""

    def __init__(self, x: NDArray, noise: object) -> None:
        self._given = (x, noise)
        self._cast: dict[type, tuple] = {}

    def like(self, tensors: Tensors) -> tuple:
        dtype = np.float32 if all(t.dtype == np.float32 for t in tensors.values()) else np.float64
        if dtype not in self._cast:
            x, noise = (as_dtype(value, dtype) for value in self._given)
            self._cast[dtype] = (read_only(x), read_only(noise) if isinstance(noise, np.ndarray) else noise)
        return self._cast[dtype]


def _value(loss: object) -> object:
    """``Loss.value``, or the number itself."""
    return loss.value if hasattr(loss, "value") else loss


def _needs_its_own_class(model: object, tensors: Tensors, data: _Data) -> bool:
    """Whether the loss wants more of its parameters than names and sections (their flat vector, say)."""
    try:
        model.loss(Named(tensors), *data.like(tensors))
    except Exception:
        return True
    return False


def _rooms(model: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """The layers and distributions that a model is made of, in the order of its attributes."""
    subjects = []
    for attribute, part in vars(model).items():
        if is_layer(part):
            params = Named(tensors).section(attribute)
            subjects.append(layer_subject(part, None, params, rng, attribute))
        elif is_distribution(part):
            for subject in distribution_subjects(part, 3, rng):
                subject.name = f"{attribute}.{subject.name}"
                subjects.append(subject)
    return subjects
