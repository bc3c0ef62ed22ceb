"""Layers: stateless objects with an explicit forward and an explicit backward.

Each file holds one idea, and each ``backward`` stands below the ``forward`` that it differentiates.
"""

from npvae.layers.activations import ACTIVATIONS, Identity, ReLU, Sigmoid, Softplus, Tanh
from npvae.layers.chain import Chain
from npvae.layers.constants import Constants
from npvae.layers.dense import Dense
from npvae.layers.initializers import INITIALIZERS, glorot_uniform, he_normal, normal, standard_uniform
from npvae.layers.layer import Layer
from npvae.layers.mlp import mlp

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "Chain",
    "Constants",
    "Dense",
    "Identity",
    "Layer",
    "ReLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "glorot_uniform",
    "he_normal",
    "mlp",
    "normal",
    "standard_uniform",
]
