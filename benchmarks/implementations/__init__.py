"""One training loop for each implementation, written as its own users would write it well.

A module has `train` and `infer`, functions of (workload, x, seed, variant, pace). They run for ever, and call
``pace(value)`` after every step with the number they have read: in training the loss in nats, in inference one of the
pixels. All do the same arithmetic: the images shuffled anew in every epoch and copied batch by batch, standard normal
noise, the Bernoulli cross-entropy from logits summed over the pixels plus the analytic KL, both averaged over the
batch, its gradient, Adam with rate 0.001 and ε = 1e-8. Weights begin as npvae's do, so that losses may be compared:
uniform in ±1/√n_in, biases at zero. The number of images is a multiple of the batch.

The loops stop only by an exception from `pace`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["IMPLEMENTATIONS", "LEARNING_RATE", "LEFT_OUT", "Implementation"]

LEARNING_RATE = 0.001


class Implementation(NamedTuple):
    """A module of this package, the way in which it is run, its name for readers, and what it takes part in."""

    module: str
    variant: str
    title: str
    is_peer: bool = True
    tasks: tuple[str, ...] = ("train", "infer")


IMPLEMENTATIONS = {
    "npvae": Implementation("by_npvae", "", "npvae", is_peer=False),
    "products": Implementation("products", "", "matrix products alone", is_peer=False),
    "torch": Implementation("by_torch", "default", "PyTorch, default Adam"),
    "torch-fused": Implementation("by_torch", "fused", "PyTorch, fused Adam", tasks=("train",)),
    "torch-compile": Implementation("by_torch", "compile", "PyTorch, torch.compile"),
    "jax": Implementation("by_jax", "", "JAX, jit and optax"),
}
"""By the name that a user types, in the order in which they take turns."""

LEFT_OUT = {
    "scikit-learn": (
        "has no variational autoencoder; MLPRegressor fitted to its own input is a squared error without noise and KL,"
        " BernoulliRBM another model"
    ),
}
"""Peers that are not raced, and why."""
