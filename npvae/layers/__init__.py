"""Layers: stateless objects with an explicit forward and an explicit backward.

Each file holds one idea, and each ``backward`` stands below the ``forward`` that it differentiates.
"""

from npvae.layers.activation import ACTIVATIONS, Activation, activation_layer, register_activation
from npvae.layers.activations import Identity, Sigmoid, Softplus, Tanh
from npvae.layers.bias import Bias
from npvae.layers.chain import Chain
from npvae.layers.constants import Constants
from npvae.layers.convolution import Conv2D, ConvTranspose2D
from npvae.layers.dense import Dense, DenseTranspose
from npvae.layers.dropout import Dropout, FixedDropout
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
from npvae.layers.jacobian import jacobian
from npvae.layers.layer import Layer
from npvae.layers.layer_norm import LayerNorm
from npvae.layers.missing import Missing
from npvae.layers.networks import conv, conv_transpose, mlp
from npvae.layers.noise import draw_noise, with_noise
from npvae.layers.parameterless import Parameterless
from npvae.layers.pooling import MaxPool, MeanPool, UpSample
from npvae.layers.rearrange import Permute, Reshape
from npvae.layers.rectifiers import ELU, GELU, LeakyReLU, ReLU, SiLU
from npvae.layers.rescale import Rescale
from npvae.layers.residual import Residual
from npvae.layers.softmax import Softmax
from npvae.layers.tied import Tied

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "INITIALIZERS",
    "Activation",
    "Bias",
    "Chain",
    "Constants",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "DenseTranspose",
    "Dropout",
    "FixedDropout",
    "Identity",
    "Initializer",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool",
    "MeanPool",
    "Missing",
    "Parameterless",
    "Permute",
    "ReLU",
    "Rescale",
    "Reshape",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Tied",
    "UpSample",
    "activation_layer",
    "conv",
    "conv_transpose",
    "draw_noise",
    "glorot_uniform",
    "he_normal",
    "initializer",
    "jacobian",
    "mlp",
    "normal",
    "register_activation",
    "register_initializer",
    "standard_uniform",
    "with_noise",
]
