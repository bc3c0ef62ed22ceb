"""How noise reaches a layer: it is given to the network before the forward.

A layer has no state and no generator, so what it is to drop is drawn outside and given to the *network*, not to
`forward`: ``draw_noise(network, rng, n)`` draws for n rows, and ``with_noise(network, noise)`` is the same network,
with the same parameters, in which that noise is fixed. It is an ordinary layer again: a gradient check, a worker and a
replay see a pure function. A network that was given no noise drops nothing, which is what it does after training::

    noise = draw_noise(network, rng, len(x))
    y, cache = with_noise(network, noise).forward(theta, x)

A layer that wants noise has the methods ``draw_noise(rng, n, dtype)`` and ``with_noise(noise)``, a layer without noise
has neither; a `Chain` asks its layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from npvae.layers.layer import Layer

__all__ = ["draw_noise", "with_noise"]


def draw_noise(layer: Layer, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Any:
    """The noise that a layer wants for n rows: any nesting of arrays with n rows each, or None if it wants none."""
    return layer.draw_noise(rng, n, dtype) if hasattr(layer, "draw_noise") else None


def with_noise(layer: Layer, noise: Any) -> Layer:
    """The layer with its noise given; the layer itself where the noise is None."""
    return layer if noise is None else layer.with_noise(noise)
