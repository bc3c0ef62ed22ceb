"""Layers: stateless objects with an explicit forward and an explicit backward.

Each file holds one idea, and each ``backward`` stands below the ``forward`` that it differentiates.
"""

from npvae.layers.activation import ACTIVATIONS, Activation, Elementwise, activation_layer, register_activation
from npvae.layers.activations import Identity, Sigmoid, Softplus, Tanh
from npvae.layers.chain import Chain
from npvae.layers.constants import Constants
from npvae.layers.dense import Dense
from npvae.layers.initializers import (
    INITIALIZERS,
    Initializer,
    glorot_uniform,
    he_normal,
    initializer,
    normal,
    register_initializer,
    standard_uniform,
)
from npvae.layers.layer import Layer
from npvae.layers.networks import mlp
from npvae.layers.rectifiers import ELU, GELU, LeakyReLU, ReLU, SiLU
from npvae.layers.rescale import Rescale

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "INITIALIZERS",
    "Activation",
    "Chain",
    "Constants",
    "Dense",
    "Elementwise",
    "Identity",
    "Initializer",
    "Layer",
    "LeakyReLU",
    "ReLU",
    "Rescale",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "activation_layer",
    "glorot_uniform",
    "he_normal",
    "initializer",
    "mlp",
    "normal",
    "register_activation",
    "register_initializer",
    "standard_uniform",
]
