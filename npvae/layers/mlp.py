"""The multilayer perceptron: dense layers with an activation between each two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from npvae.layers.activations import ACTIVATIONS
from npvae.layers.chain import Chain
from npvae.layers.dense import Dense
from npvae.layers.initializers import INITIALIZERS
from npvae.layers.layer import Layer
from npvae.validation import one_of

__all__ = ["mlp"]


def mlp(
    n_in: int, hidden: Sequence[int], n_out: int, activation: str = "relu", init_weights: str = "standard"
) -> Chain:
    """Dense layers n_in → hidden[0] → … → n_out; the activation follows each but the last, which stays linear.

    Parameters
    ----------
    n_in, n_out : int
        Features per row of the input and of the output.
    hidden : sequence of int
        Widths of the hidden layers; empty for a linear map.
    activation : {"relu", "tanh", "sigmoid", "softplus", "identity"}
    init_weights : {"standard", "glorot", "he", "normal"}
        Initial weights, see `npvae.layers.initializers`.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    activate = one_of("activation", activation, ACTIVATIONS)
    draw = one_of("init_weights", init_weights, INITIALIZERS)
    layers: list[Layer] = []
    for width_in, width_out in pairwise([n_in, *hidden]):
        layers += [Dense(width_in, width_out, draw), activate()]
    return Chain(*layers, Dense([n_in, *hidden][-1], n_out, draw))
