"""A distribution as subjects: one for every function that has a backward."""

from __future__ import annotations

import inspect

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.subject import Subject, Tensors, given, pair

__all__ = ["distribution_subjects", "is_distribution"]

ROWS = 5
DRAWS = 3
LEADING = (("", (), ()), (" of several draws", (), (DRAWS,)), (" of several parameters", (DRAWS,), ()))
SPREAD = 0.7


def is_distribution(thing: object) -> bool:
    """Whether `thing` has the members of a distribution."""
    return hasattr(thing, "n_params") and any(member.endswith("_backward") for member in dir(thing))


def distribution_subjects(dist: object, d: int, rng: np.random.Generator) -> list[Subject]:
    """Every method ``f`` of `dist` with an ``f_backward``, for one batch of everything and for batches of batches.

    With " of several draws" all arguments but the first have a leading axis, with " of several parameters" only the
    first has, so that each gradient is once summed over the axis its argument lacks.

    The arguments are known by name: ``a`` and ``b`` are parameters, ``eps`` is noise, ``x`` a draw.

    Raises
    ------
    TypeError
        If `dist` has no function with a backward, or one with arguments of other names.
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
            if len(tensors) > 1 or not others:
                subjects.append(_method_subject(dist, name, tensors, label))
    return subjects


def _arguments(dist: object, name: str, d: int, rng: np.random.Generator, first: tuple, others: tuple) -> Tensors:
    """Arrays for the arguments of a method, with the leading axes `first` and `others`."""
    wanted = list(inspect.signature(getattr(dist, name)).parameters)
    tensors: Tensors = {}
    for argument in wanted:
        rows = (*(others if tensors else first), ROWS)
        if argument in ("a", "b"):
            tensors[argument] = SPREAD * rng.standard_normal((*rows, dist.n_params(d)))
        elif argument == "eps":
            tensors[argument] = _noise(dist, rng, (*rows, d))
        elif argument == "x":
            tensors[argument] = _draw(dist, rng, (*rows, d))
        else:
            raise TypeError(f"{name} of {type(dist).__name__} has an argument {argument!r} that is not a, b, eps or x")
    return tensors


def _noise(dist: object, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    if hasattr(dist, "draw_noise"):
        return np.asarray(dist.draw_noise(rng, shape, np.float64))
    return rng.standard_normal(shape)


def _draw(dist: object, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    if not hasattr(dist, "sample"):
        return rng.standard_normal(shape)
    a = SPREAD * rng.standard_normal((*shape[:-1], dist.n_params(shape[-1])))
    return np.asarray(dist.sample(a, _noise(dist, rng, shape))[0])


def _method_subject(dist: object, name: str, tensors: Tensors, label: str) -> Subject:
    arguments = list(tensors)
    differentiated = [argument for argument in arguments if argument in ("a", "b")]

    def forward(tensors: Tensors) -> tuple[object, object]:
        return pair(getattr(dist, name)(*(tensors[argument] for argument in arguments)), name, "(value, cache)")

    def backward(cache: object, upstream: tuple) -> dict[str, object]:
        gradients = getattr(dist, f"{name}_backward")(cache, upstream[0])
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        named = dict(zip(differentiated, gradients, strict=True))
        if "x" in arguments and hasattr(dist, f"{name}_backward_x"):
            dx = getattr(dist, f"{name}_backward_x")(cache, upstream[0])
            named["x"] = given(dx, f"{name}_backward_x", "dx")
        return named

    return Subject(name + label, tensors, forward, backward, required=tuple(differentiated), group=type(dist).__name__)
