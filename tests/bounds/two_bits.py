"""A function of two bits that is linear but for a product, with its exact gradient: what the biased estimates miss."""

import numpy as np

from npvae.numerics import sigmoid

A, G, H = np.array([0.4, -1.1]), np.array([1.3, -0.7]), 2.0


def f(z):
    """Linear, and a product of the two bits squared, which for bits is their product."""
    return z @ G + H * z[..., 0] ** 2 * z[..., 1] ** 2


def df(z):
    return np.stack([G[0] + 2 * H * z[..., 0] * z[..., 1] ** 2, G[1] + 2 * H * z[..., 1] * z[..., 0] ** 2], axis=-1)


def exact(g=G, h=H):
    p = sigmoid(A)
    return p * (1 - p) * (g + h * p[::-1])


def probabilities(z):
    return np.where(z == 1, sigmoid(A), 1 - sigmoid(A)).prod(axis=-1)
