"""Small Boltzmann machines, and what is true of them by going through every state."""

from itertools import product

import numpy as np

from npvae.models import RBM, BinaryUnits
from npvae.parameters import Parameters


def machine(n_features=4, n_hidden=3, seed=0, units=None, scale=0.8, **settings):
    """A model and parameters drawn from N(0, scale²), in float64."""
    model = RBM(n_features, n_hidden, units or BinaryUnits(), **settings)
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = scale * np.random.default_rng(seed).standard_normal(theta.flat.size)
    return model, theta


def rows(n):
    """All 2^n rows of n zeros and ones, in the order of binary numbers."""
    return np.array(list(product([0.0, 1.0], repeat=n)))


def joint_energies(theta):
    """−aᵀv − bᵀh − vᵀWh of every v (down) and h (across), written with loops over the definition."""
    W, a, b = theta["W"], theta["a"], theta["b"]
    return np.array([[-(a @ v) - b @ h - v @ W @ h for h in rows(len(b))] for v in rows(len(a))])


def probabilities(theta):
    """p(v), in the order of `rows`."""
    weights = np.exp(-joint_energies(theta))
    return weights.sum(axis=1) / weights.sum()


def number(v):
    """Which of `rows` each row is."""
    return (v @ 2 ** np.arange(v.shape[1] - 1, -1, -1)).astype(int)
