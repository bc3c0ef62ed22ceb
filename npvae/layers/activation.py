"""What an activation is, and the registry of those that have a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from npvae.layers.layer import Layer
from npvae.layers.parameterless import Parameterless
from npvae.validation import ArgumentError, one_of

__all__ = ["ACTIVATIONS", "Activation", "activation_layer", "register_activation"]

ACTIVATIONS: dict[str, type[Parameterless]] = {}
"""Activations by the name that a user types. Option tables, messages, cases of the checker and tests read it."""

A = TypeVar("A", bound=type)


class Activation(Layer, Protocol):
    """An elementwise layer y_i = f(x_i) that also differentiates its own slope.

    Its Jacobian is diagonal, so `backward` applies f′ forwards as well: a tangent v of x becomes the tangent f′(x) v of
    y. What depends on a Jacobian, such as the contractive penalty, therefore needs one method more.
    """

    def slope_backward(self, cache: Any, dslope: NDArray) -> NDArray:
        """∂loss/∂x from ∂loss/∂f′(x): dx = f″(x) dslope. `cache` is that of `forward`, `dslope` has the shape of x."""


def register_activation(name: str) -> Callable[[A], A]:
    """Class decorator that gives an activation the name under which `activation="name"` finds it.

    The class must be usable without arguments. Nothing else has to be edited.

    Raises
    ------
    ValueError
        If another class has that name.
    """

    def register(cls: A) -> A:
        if name in ACTIVATIONS:
            raise ArgumentError("name", "be new", f"{name!r}, which is {ACTIVATIONS[name].__name__}")
        ACTIVATIONS[name] = cls
        return cls

    return register


def activation_layer(activation: str | Layer) -> Layer:
    """The activation of that name, with its defaults; an object with `forward` and `backward` is returned as it is.

    Raises
    ------
    ValueError
        For an unknown name, and for what is neither a name nor a layer.
    """
    members = ("shapes", "init", "forward", "backward")
    if not isinstance(activation, type) and all(hasattr(activation, member) for member in members):
        return activation
    return one_of("activation", activation, ACTIVATIONS)()
