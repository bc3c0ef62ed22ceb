"""How much work a layer is, from the shapes of its parameters."""

from __future__ import annotations

from math import prod

from npvae.layers.layer import Layer

__all__ = ["multiplications"]


def multiplications(layer: Layer) -> int:
    """Multiplications of one row's forward pass: one for each weight, and in convolutions for each window.

    What a chain or a residual layer is made of is added up.
    """
    if hasattr(layer, "layers"):
        return sum(map(multiplications, layer.layers))
    if hasattr(layer, "block"):
        return multiplications(layer.block)
    windows = prod(layer.windows.counts) if hasattr(layer, "windows") else 1
    return windows * sum(map(prod, layer.shapes.values()))
