"""Initial weights: how wide the first random matrices are, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from npvae.validation import ArgumentError, one_of

__all__ = [
    "INITIALIZERS",
    "Initializer",
    "glorot_uniform",
    "he_normal",
    "initializer",
    "normal",
    "register_initializer",
    "standard_uniform",
]

Initializer = Callable[["np.random.Generator", int, int], NDArray]
"""A function of (rng, n_in, n_out) that returns an (n_in, n_out) array."""


INITIALIZERS: dict[str, Initializer] = {}
"""Initialisers by the name that a user types. Option tables, messages and tests read it."""


def register_initializer(name: str) -> Callable[[Initializer], Initializer]:
    """Decorator that gives an initialiser the name under which `init_weights="name"` finds it.

    Raises
    ------
    ValueError
        If another has that name.
    """

    def register(initializer: Initializer) -> Initializer:
        if name in INITIALIZERS:
            raise ArgumentError("name", "be new", f"{name!r}, which is {INITIALIZERS[name].__name__}")
        INITIALIZERS[name] = initializer
        return initializer

    return register


def initializer(init_weights: str | Initializer) -> Initializer:
    """The initialiser of that name; a function of (rng, n_in, n_out) is returned as it is.

    Raises
    ------
    ValueError
        For an unknown name, and for what is neither a name nor callable.
    """
    return init_weights if callable(init_weights) else one_of("init_weights", init_weights, INITIALIZERS)


@register_initializer("standard")
def standard_uniform(rng: np.random.Generator, n_in: int, n_out: int) -> NDArray:
    """W ~ U(−r, r) with r = 1/√n_in, so Var W = 1 / (3 n_in): a third of what keeps the variance of the activations.

    The common heuristic. For the few layers of a VAE the quieter start is the better one: the decoder's first outputs
    stay near its bias, the mean of the data, and the latents near the prior.

    References
    ----------
    Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks (2010), eq. (1).
    """
    radius = 1 / np.sqrt(n_in)
    return rng.uniform(-radius, radius, (n_in, n_out))


@register_initializer("glorot")
def glorot_uniform(rng: np.random.Generator, n_in: int, n_out: int) -> NDArray:
    """W ~ U(−r, r) with r = √(6 / (n_in + n_out)), so Var W = 2 / (n_in + n_out).

    A compromise between keeping the variance of the activations forward (1/n_in) and of the gradients backward
    (1/n_out), for layers that are near the identity around zero: tanh, sigmoid, linear outputs.

    References
    ----------
    Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks (2010), eq. (16).
    """
    radius = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-radius, radius, (n_in, n_out))


@register_initializer("he")
def he_normal(rng: np.random.Generator, n_in: int, n_out: int) -> NDArray:
    """W ~ N(0, 2 / n_in): the 2 makes up for the half of the variance that a ReLU cuts away.

    References
    ----------
    He et al., Delving deep into rectifiers (2015), eq. (10).
    """
    return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))


@register_initializer("normal")
def normal(rng: np.random.Generator, n_in: int, n_out: int) -> NDArray:
    """W ~ N(0, 0.01), the second number a variance as it is throughout that paper: standard deviation 0.1.

    References
    ----------
    Kingma & Welling, Auto-encoding variational Bayes (2013), section 5.
    """
    return rng.normal(0, 0.1, (n_in, n_out))
