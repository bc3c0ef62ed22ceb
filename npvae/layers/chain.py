"""Layers in a row: the chain rule as a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.layers.layer import Layer
from npvae.layers.noise import draw_noise, with_noise
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError

__all__ = ["NO_PARAMETERS", "Chain", "section_of"]

NO_PARAMETERS = Parameters({})


class Chain:
    """The composition y = f_k(… f_1(f_0(x))).

    A chain is itself a layer, so chains nest. The parameters of its i-th layer are named ``"i.W"``, ``"i.b"``, ….

    Parameters
    ----------
    *layers : Layer
        From the input to the output; at least one.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from npvae.layers import Chain, Dense, Tanh
    >>> chain = Chain(Dense(3, 5), Tanh(), Dense(5, 2))
    >>> theta = Parameters.from_arrays(chain.init(np.random.default_rng(0)))
    >>> y, cache = chain.forward(theta, np.ones((4, 3), np.float32))
    >>> grads = theta.zeros_like()
    >>> chain.backward(theta, cache, np.ones_like(y), grads).shape
    (4, 3)
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ArgumentError("layers", "not be empty")
        self.layers = layers

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.layers))})"

    @property
    def shapes(self) -> Shapes:
        """Shapes of all layers, numbered."""
        return {f"{i}.{name}": shape for i, layer in enumerate(self.layers) for name, shape in layer.shapes.items()}

    @property
    def output_bias(self) -> str:
        """Name of the parameter (n_out,) that the last layer adds to the output, so that a model can start at a mean.

        Raises
        ------
        ValueError
            If the last layer is not one that adds such a parameter, such as an activation.
        """
        last = len(self.layers) - 1
        name = getattr(self.layers[last], "output_bias", None)
        if name is None:
            raise ArgumentError("the last layer", "add a bias", repr(self.layers[last]))
        return f"{last}.{name}"

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Initial values of all layers, numbered."""
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name, w in layer.init(rng).items()}

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> dict[str, Any] | None:
        """The noise of all layers for n rows, numbered; None if no layer wants any."""
        noise = {str(i): draw_noise(layer, rng, n, dtype) for i, layer in enumerate(self.layers)}
        return {i: drawn for i, drawn in noise.items() if drawn is not None} or None

    def with_noise(self, noise: Mapping[str, Any]) -> Chain:
        """The same chain, with the noise of its layers given."""
        return Chain(*(with_noise(layer, noise.get(str(i))) for i, layer in enumerate(self.layers)))

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, list[Any]]:
        """Apply the layers in order. The cache is the list of theirs."""
        caches = []
        for i, layer in enumerate(self.layers):
            x, cache = layer.forward(section_of(params, i, layer), x)
            caches.append(cache)
        return x, caches

    def backward(
        self, params: Parameters, cache: list[Any], dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """Apply the layers' backwards in reverse; only the first one may leave its dx out."""
        for i, layer in reversed(list(enumerate(self.layers))):
            weights, dweights = section_of(params, i, layer), section_of(grads, i, layer)
            dy = layer.backward(weights, cache[i], dy, dweights, need_dx or i > 0)
        return dy


def section_of(params: Parameters, i: int, layer: Layer) -> Parameters:
    """The parameters of the i-th layer of a chain."""
    return params.section(str(i)) if layer.shapes else NO_PARAMETERS
