"""Whole networks: chains of layers that tell the name of their last bias, `output_bias`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from npvae.layers.activation import activation_layer
from npvae.layers.chain import Chain
from npvae.layers.dense import Dense
from npvae.layers.initializers import Initializer, initializer
from npvae.layers.layer import Layer

__all__ = ["mlp"]


def mlp(
    n_in: int,
    hidden: Sequence[int],
    n_out: int,
    activation: str | Layer = "relu",
    init_weights: str | Initializer = "standard",
) -> Chain:
    """The multilayer perceptron: dense layers n_in → hidden[0] → … → n_out, with an activation between each two.

    Parameters
    ----------
    n_in, n_out : int
        Features per row of the input and of the output.
    hidden : sequence of int
        Widths of the hidden layers; empty for a linear map.
    activation : str or Layer
        A name in `npvae.layers.ACTIVATIONS`, or an object such as ``LeakyReLU(0.2)``.
    init_weights : str or callable
        A name in `npvae.layers.INITIALIZERS`, or a function of (rng, n_in, n_out) that draws an (n_in, n_out) array.

    Returns
    -------
    Chain
        From (n, n_in) to (n, n_out), linear at the end; its `output_bias` (n_out,) is the last layer's b.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from npvae.layers import LeakyReLU
    >>> mlp(784, [400], 20, LeakyReLU(0.2)).output_bias
    '2.b'
    """
    activate, draw = activation_layer(activation), initializer(init_weights)
    layers: list[Layer] = []
    for width_in, width_out in pairwise([n_in, *hidden]):
        layers += [Dense(width_in, width_out, draw), activate]
    return Chain(*layers, Dense([n_in, *hidden][-1], n_out, draw))
