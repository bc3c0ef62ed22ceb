"""Stochastic gradient descent, Adagrad and Adam, each an update of one flat vector.

`step` is the one place in npvae where a function writes into an argument: moving theta, and the moments that go with
it, is its purpose.

The vector is walked in chunks that stay in the processor's cache, so the six or more passes of an update over a chunk
cost one pass over main memory; every operation writes into memory that is already there. Against the textbook
expression on whole arrays that is six times as fast, for the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import aligned_empty, aligned_zeros
from npvae.schedules import Schedule
from npvae.validation import number

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "Optimizer", "OptimizerState"]

CHUNK = 1 << 16
"""Elements per chunk."""

FLUSH_EVERY = 100
"""Steps between two cleanings of the running averages, see `_flush`."""


@dataclass
class OptimizerState:
    """What an optimiser remembers between steps.

    Attributes
    ----------
    t : int
        Steps taken.
    slots : dict of str to 1-D array
        Running averages and the like, each of the size of theta.
    """

    t: int = 0
    slots: dict[str, NDArray] = field(default_factory=dict)

    def copy(self) -> OptimizerState:
        """A copy in memory of its own."""
        return OptimizerState(self.t, {name: slot.copy() for name, slot in self.slots.items()})


class Optimizer(Protocol):
    """An update rule. Its hyper-parameters are its attributes; what changes is in an `OptimizerState`.

    Where each parameter moves by its own gradient and moments alone, an attribute ``elementwise = True`` says so: then
    processes that train together move one part of theta each.
    """

    def init(self, theta: NDArray) -> OptimizerState:
        """The state before the first step for a flat vector theta."""

    def step(self, theta: NDArray, dtheta: NDArray, state: OptimizerState) -> None:
        """Move theta against its gradient, in place, and bring the state up to date."""


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: v ← μ v + g, θ ← θ − α v.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
        α; a schedule is a function of the number of steps taken so far.
    momentum : float, default 0.9
        μ in [0, 1); 0 is plain gradient descent.
    """

    elementwise: ClassVar[bool] = True

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.9

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        number("momentum", self.momentum, at_least=0, below=1)

    def init(self, theta: NDArray) -> OptimizerState:
        """v = 0."""
        return OptimizerState(0, {"v": aligned_zeros(theta.size, theta.dtype)})

    def step(self, theta: NDArray, dtheta: NDArray, state: OptimizerState) -> None:
        """One update, in place."""
        alpha = _rate(self.learning_rate, state.t)
        state.t += 1
        if state.t % FLUSH_EVERY == 0:
            _flush(state.slots["v"])
        for scratch, theta_, g, v in _chunks(theta, dtheta, state.slots["v"]):
            v *= self.momentum
            v += g
            np.multiply(v, alpha, out=scratch)
            theta_ -= scratch


@dataclass(frozen=True)
class Adagrad:
    """Steps that shrink with the gradients seen so far: s ← s + g², θ ← θ − α g / (√s + ε).

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
        α.
    epsilon : float, default 1e-8
        ε.

    References
    ----------
    Duchi, Hazan & Singer, Adaptive subgradient methods (2011), the diagonal form.
    """

    elementwise: ClassVar[bool] = True

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        number("epsilon", self.epsilon, above=0)

    def init(self, theta: NDArray) -> OptimizerState:
        """s = 0."""
        return OptimizerState(0, {"s": aligned_zeros(theta.size, theta.dtype)})

    def step(self, theta: NDArray, dtheta: NDArray, state: OptimizerState) -> None:
        """One update, in place."""
        alpha = _rate(self.learning_rate, state.t)
        state.t += 1
        for scratch, theta_, g, s in _chunks(theta, dtheta, state.slots["s"]):
            np.multiply(g, g, out=scratch)
            s += scratch
            np.sqrt(s, out=scratch)
            scratch += self.epsilon
            np.divide(g, scratch, out=scratch)
            scratch *= alpha
            theta_ -= scratch


@dataclass(frozen=True)
class Adam:
    """Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − α m̂ / (√v̂ + ε).

    The hats are the bias corrections m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ), where t counts steps from 1.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.001
        α; about the length of a step in every coordinate, whatever the scale of the loss.
    beta1, beta2 : float, default 0.9, 0.999
        Decay of the two averages.
    epsilon : float, default 1e-8
        ε, in units of the gradient: it matters where gradients are that small, so state it with the loss's reduction.

    References
    ----------
    Kingma & Ba, Adam: a method for stochastic optimization (2015), Algorithm 1.
    """

    elementwise: ClassVar[bool] = True

    learning_rate: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        number("beta1", self.beta1, at_least=0, below=1)
        number("beta2", self.beta2, at_least=0, below=1)
        number("epsilon", self.epsilon, above=0)

    def init(self, theta: NDArray) -> OptimizerState:
        """m = v = 0."""
        return OptimizerState(0, {name: aligned_zeros(theta.size, theta.dtype) for name in ("M", "V")})

    def step(self, theta: NDArray, dtheta: NDArray, state: OptimizerState) -> None:
        """One update, in place.

        Constant factors are folded into two scalars, which spares four passes over the vector. The slots hold the sums
        M = m / (1 − β₁) and V = v / (1 − β₂), that is M ← β₁ M + g and V ← β₂ V + g². With c² = (1 − β₂) / (1 − β₂ᵗ),

            α m̂ / (√v̂ + ε) = α' M / (√V + ε'),   α' = α (1 − β₁) / ((1 − β₁ᵗ) c),   ε' = ε / c.
        """
        alpha = _rate(self.learning_rate, state.t)
        state.t += 1
        c = sqrt((1 - self.beta2) / (1 - self.beta2**state.t))
        alpha *= (1 - self.beta1) / ((1 - self.beta1**state.t) * c)
        epsilon = self.epsilon / c
        if state.t % FLUSH_EVERY == 0:
            _flush(state.slots["M"])
            _flush(state.slots["V"])
        for scratch, theta_, g, m, v in _chunks(theta, dtheta, state.slots["M"], state.slots["V"]):
            m *= self.beta1
            m += g

            v *= self.beta2
            np.multiply(g, g, out=scratch)
            v += scratch

            np.sqrt(v, out=scratch)
            scratch += epsilon
            np.divide(m, scratch, out=scratch)
            scratch *= alpha
            theta_ -= scratch


def _flush(average: NDArray) -> None:
    """Round to a multiple of an ulp of 10⁻²⁰ (float32: 8·10⁻²⁸), in place, what is not much larger than 10⁻²⁰.

    The average of a gradient that has become zero, of a dead unit or of a pixel that is seldom on, decays by a factor a
    step, to numbers so small that they lose their leading bit (float32: below 10⁻³⁸). Arithmetic with such subnormal
    numbers is tens of times slower, and multiplied by 0.9 the last of them round to themselves for ever.
    """
    average += 1e-20
    average -= 1e-20


def _check_rate(learning_rate: float | Schedule) -> None:
    if not callable(learning_rate):
        number("learning_rate", learning_rate, above=0)


def _rate(learning_rate: float | Schedule, t: int) -> float:
    return learning_rate(t) if callable(learning_rate) else learning_rate


def _chunks(*vectors: NDArray) -> Iterator[tuple[NDArray, ...]]:
    """Corresponding pieces of vectors of one size, each time with a scratch piece before them."""
    scratch = aligned_empty(min(CHUNK, vectors[0].size), vectors[0].dtype)
    for start in range(0, vectors[0].size, CHUNK):
        pieces = [vector[start : start + CHUNK] for vector in vectors]
        yield scratch[: pieces[0].size], *pieces


OPTIMIZERS: Mapping[str, type[SGD | Adagrad | Adam]] = {"adam": Adam, "adagrad": Adagrad, "sgd": SGD}
"""Optimisers by the name that a user types."""
