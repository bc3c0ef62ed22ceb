"""Tied weights: a decoder that is its encoder run backward, with the encoder's own matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.layers.bias import Bias
from npvae.layers.chain import Chain
from npvae.layers.layer import Layer
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError

__all__ = ["Tied"]


class Tied:
    """The mirror image of an encoder: the adjoint of each of its affine layers, a bias of its own, and its activations.

    It is not a layer by itself, since its matrices are the encoder's: `parameters` puts them together with its biases
    for `chain`, which is an ordinary network, and `untie` takes that network's gradient apart again.

    Parameters
    ----------
    encoder : Chain
        Layers with an `adjoint` (`Dense`, `Conv2D`, …) and layers without parameters, from x to h.

    Attributes
    ----------
    chain : Chain
        From h to x.
    output_bias : str
        Name of its last bias, (n_features,).

    Raises
    ------
    ValueError
        If the encoder has another layer with parameters, or no affine layer.

    References
    ----------
    Vincent et al., Stacked denoising autoencoders (2010), section 2.2.
    """

    def __init__(self, encoder: Chain) -> None:
        layers: list[Layer] = []
        self._matrices: dict[str, str] = {}
        for i, layer in reversed(list(enumerate(encoder.layers))):
            if hasattr(layer, "adjoint"):
                adjoint = layer.adjoint()
                self._matrices[f"{len(layers)}.W"] = f"{i}.W"
                layers += [adjoint, Bias(_width(adjoint))]
            elif layer.shapes:
                raise ArgumentError("encoder", "have an adjoint for every layer with parameters", repr(layer))
            elif layers:  # an activation after the last matrix acts on h, and has no counterpart
                layers.append(layer)
        if not layers:
            raise ArgumentError("encoder", "have a layer with weights to share", repr(encoder))
        self.chain = Chain(*layers)
        self.output_bias = self.chain.output_bias

    def __repr__(self) -> str:
        return f"Tied({self.chain})"

    @property
    def shapes(self) -> Shapes:
        """The biases, by their names in `chain`."""
        return {name: shape for name, shape in self.chain.shapes.items() if name not in self._matrices}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Zeros."""
        return {name: np.zeros(shape) for name, shape in self.shapes.items()}

    def parameters(self, biases: Mapping[str, NDArray], encoder: Parameters) -> Parameters:
        """The parameters of `chain`: a copy of its biases and of the encoder's matrices."""
        theta = Parameters(self.chain.shapes, encoder.dtype)
        for name in theta:
            theta[name][...] = encoder[self._matrices[name]] if name in self._matrices else biases[name]
        return theta

    def untie(self, grads: Parameters, dbiases: Mapping[str, NDArray], dencoder: Parameters) -> None:
        """Write the gradient of the biases into `dbiases`, and add that of the matrices to `dencoder`."""
        for name, gradient in grads.items():
            if name in self._matrices:
                dencoder[self._matrices[name]][...] += gradient
            else:
                dbiases[name][...] = gradient


def _width(layer: Layer) -> int:
    return int(np.prod(layer.output_shape)) if hasattr(layer, "output_shape") else layer.n_out
