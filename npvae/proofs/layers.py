"""Cases of `npvae.layers`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.layers import ACTIVATIONS, Chain, Constants, Dense, Sigmoid, Tanh, mlp
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N


def cases() -> Iterator[Case]:
    """Cases of layers."""

    def case(name: str, layer: object, *covers: object, n_in: int = N) -> Case:
        return Case(f"layers.{name}", lambda rng: (layer, rng.standard_normal((N, n_in))), covers)

    for activation in ACTIVATIONS.values():
        yield case(activation.__name__, activation(), activation)
        yield _slope(activation)
    for n_in, n_out in ((N, N), (5, 3), (3, 5)):
        yield case(f"Dense {n_in}→{n_out}", Dense(n_in, n_out), Dense, n_in=n_in)
    yield case("Chain", Chain(Tanh(), Dense(N, N), Chain(Dense(N, N), Sigmoid()), Dense(N, N)), Chain)
    yield case("Constants", Constants(N, 2), Constants)
    yield _without_dx(Dense(N, N))
    yield _without_dx(Constants(N, 2))
    yield _without_dx(Chain(Dense(N, N), Dense(N, N), Tanh()))
    for activation in ACTIVATIONS:
        yield case(f"mlp {activation}", mlp(N, [N, 3], 2, activation), mlp, Chain)


def _slope(activation: type) -> Case:
    """The slope of an activation as a function of x, and its derivative."""
    layer, none = activation(), Parameters({})

    def forward(x: NDArray) -> tuple[NDArray, object]:
        _, cache = layer.forward(none, x)
        return layer.backward(none, cache, np.ones_like(x), none), cache

    def make(rng: np.random.Generator) -> tuple:
        return forward, layer.slope_backward, (rng.standard_normal((N, N)),)

    return Case(f"layers.{activation.__name__} slope", make, (activation,))


def _without_dx(layer: object) -> Case:
    """A layer that begins a network: with ``need_dx=False`` no dx, and the gradients of the parameters as ever."""

    def make(rng: np.random.Generator) -> tuple:
        x = rng.standard_normal((N, N))

        def value_and_grad(theta: Parameters) -> tuple[np.number, Parameters]:
            y, cache = layer.forward(theta, x)
            grads = theta.empty_like()
            if layer.backward(theta, cache, y, grads, need_dx=False) is not None:
                raise ValueError("dx came back without being asked for")
            return 0.5 * (y * y).sum(), grads

        return value_and_grad, Parameters.from_arrays(layer.init(rng), np.float64)

    return Case(f"layers.{type(layer).__name__} without dx", make, (type(layer),))
