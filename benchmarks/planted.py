"""Thirty-one mistakes people make in a backward pass, planted one at a time in a correct one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_vae import ROWS, backward, forward

__all__ = ["Mistake", "mistakes"]


@dataclass(frozen=True)
class Mistake:
    """A planted mistake.

    Attributes
    ----------
    name : str
        What was done.
    says : str
        Words that the report has to contain for the mistake to be called named.
    at : dict of str to function
        Which intermediate is changed, and how: ``(value, saved) -> value``.
    wrong : set of str, optional
        The tensors that must fail, and no others.
    forward, backward : callable, optional
        In the place of the above, where the mistake is not in an intermediate gradient.
    """

    name: str
    says: str
    at: dict[str, Callable] = field(default_factory=dict)
    wrong: set[str] | None = None
    forward: Callable = forward
    backward: Callable | None = None

    def pair(self) -> tuple[Callable, Callable]:
        """Forward and the wrong backward."""
        if self.backward is not None:
            return self.forward, self.backward

        def wrong(cache: dict, dy: float) -> dict[str, NDArray]:
            return backward(cache, dy, lambda name, v, saved: self.at[name](v, saved) if name in self.at else v)

        return self.forward, wrong


def one_element(index: tuple, factor: float) -> Callable:
    def change(value: NDArray, _: dict) -> NDArray:
        value = value.copy()
        value[index] *= factor
        return value

    return change


def swapped_names(cache: dict, dy: float) -> dict[str, NDArray]:
    grads = backward(cache, dy)
    return grads | {"b1": grads["b4"], "b4": grads["b1"]}


def key_forgotten(cache: dict, dy: float) -> dict[str, NDArray]:
    grads = backward(cache, dy)
    del grads["b3"]
    return grads


class Accumulating:
    """Adds to the gradients of the call before."""

    def __init__(self) -> None:
        self.grads: dict[str, NDArray] = {}

    def __call__(self, cache: dict, dy: float) -> dict[str, NDArray]:
        for name, gradient in backward(cache, dy).items():
            self.grads[name] = self.grads.get(name, 0.0) + gradient
        return self.grads


class StaleNoise:
    """Backward uses the noise of the forward that ran last, not that of its own."""

    def forward(self, **arguments: NDArray) -> tuple[float, dict]:
        self.eps = arguments["eps"]
        return forward(**arguments)

    def backward(self, cache: dict, dy: float) -> dict[str, NDArray]:
        return backward(cache | {"eps": self.eps}, dy)


class Unfrozen:
    """Forward draws its noise itself."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def forward(self, eps: NDArray, **arguments: NDArray) -> tuple[float, dict]:
        return forward(eps=self.rng.standard_normal(eps.shape), **arguments)


def centring_in_place(x: NDArray, **arguments: NDArray) -> tuple[float, dict]:
    x -= 0.5
    return forward(x=x, **arguments)


def stale_noise() -> dict[str, Callable]:
    state = StaleNoise()
    return {"forward": state.forward, "backward": state.backward}


FIRST = {"x", "W1", "b1"}
ENCODER = FIRST | {"W2", "b2"}


def mistakes() -> list[Mistake]:
    """All of them, freshly made: some keep state."""
    return [*scales(), *terms(), *places(), *rules()]


def scales() -> list[Mistake]:
    """Wrong factors."""
    n = ROWS
    return [
        Mistake("a factor 2 too much", "A factor ½ is missing", {"dW5": lambda v, _: 2 * v}, {"W5"}),
        Mistake("a factor ½ too much", "A factor 2 is missing", {"db4": lambda v, _: v / 2}, {"b4"}),
        Mistake("a sign", "The sign is wrong", {"db5": lambda v, _: -v}, {"b5"}),
        Mistake("a sum for a mean", "a sum over it where a mean is meant", {"dW4": lambda v, _: n * v}, {"W4"}),
        Mistake("a mean for a sum", "a mean over it where a sum is meant", {"db3": lambda v, _: v / n}, {"b3"}),
        Mistake("0.1 % too much", "by the constant factor 0.999001", {"dW2": lambda v, _: 1.001 * v}, {"W2"}),
    ]


def terms() -> list[Mistake]:
    """Wrong formulas."""
    unsquare = {"da4": lambda v, c: v / (1 + c["g"])}
    solve = np.linalg.solve
    return [
        Mistake("∂KL/∂mu forgotten", "20 of 40 elements", {"dmu": lambda v, c: v - c["mu"] * c["dy/n"]}, ENCODER),
        Mistake("the ½ of ½ log_var forgotten", "20 of 40 elements", {"noise": lambda v, _: 2 * v}, ENCODER),
        Mistake("σ² for σ", "20 of 40 elements", {"noise": lambda v, c: v * np.exp(c["log_var"] / 2)}, ENCODER),
        Mistake("tanh' forgotten", "between b1 and W2", {"da1": lambda v, c: v / (1 - c["h"] ** 2)}, FIRST),
        Mistake("1 − g for 1 − g²", "between b4 and W5", unsquare, ENCODER | {"W3", "b3", "W4", "b4"}),
        Mistake("W for W.T", "between b2 and W3", {"dz": lambda v, c: v @ solve(c["W3"].T, c["W3"])}, ENCODER),
        Mistake("a hidden decay of 1e-4", "hidden weight decay", {"dW4": lambda v, c: v + 1e-4 * c["W4"]}, {"W4"}),
        Mistake("clipped", "nonlinear upstream", {"dW5": lambda v, _: np.clip(v, -1e-3, 1e-3)}, {"W5"}),
    ]


def places() -> list[Mistake]:
    """Right numbers in the wrong place, and wrong numbers in few places."""
    refold = {"dW2": lambda v, _: v.ravel(order="F").reshape(v.shape)}
    return [
        Mistake("a square gradient transposed", "the transpose", {"dW3": lambda v, _: v.T}, {"W3"}),
        Mistake("a reshape for a transpose", "read in the wrong order", refold, {"W2"}),
        Mistake("shifted by one", "shifted by one along axis 0", {"db4": lambda v, _: np.roll(v, 1)}, {"b4"}),
        Mistake("two names swapped", "the names are swapped", wrong={"b1", "b4"}, backward=swapped_names),
        Mistake("one bias element 1 % off", "b4[7]", {"db4": one_element((7,), 1.01)}, {"b4"}),
        Mistake("one weight of 156,800 doubled", "W1[300, 17]", {"dW1": one_element((300, 17), 2.0)}, {"W1"}),
        Mistake("a row forgotten", "index 3 on axis 0", {"dW4": one_element((3,), 0.0)}, {"W4"}),
        Mistake("a column forgotten", "index 5 on axis 1", {"dW5": one_element((slice(None), 5), 0.0)}, {"W5"}),
        Mistake("the last datum forgotten", "between b1 and W2", {"da1": one_element((-1,), 0.0)}, FIRST),
        Mistake("a gradient never written", "all zeros", {"db3": lambda v, _: 0 * v}, {"b3"}),
    ]


def rules() -> list[Mistake]:
    """Broken rules of the game."""
    tiled = {"db4": lambda v, _: np.tile(v, (ROWS, 1))}
    return [
        Mistake("a broadcast not summed", "has to be summed over", tiled),
        Mistake("float32 inside", "the gradient of W5 is float32", {"dW5": lambda v, _: v.astype(np.float32)}),
        Mistake("a parameter forgotten", "no gradient for the parameter 'b3'", backward=key_forgotten),
        Mistake("stale noise", "stale state", **stale_noise()),
        Mistake("accumulated gradients", "accumulating backward", backward=Accumulating()),
        Mistake("a mutated input", "changes its argument x", forward=centring_in_place, backward=backward),
        Mistake("unfrozen noise", "unfrozen randomness", forward=Unfrozen().forward, backward=backward),
    ]
