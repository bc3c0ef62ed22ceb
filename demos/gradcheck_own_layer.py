"""A layer of your own, and its gradients proved.

npvae gradcheck demos/gradcheck_own_layer.py:factory            every gradient is right
npvae gradcheck demos/gradcheck_own_layer.py:broken             one is wrong: the report says where, and why
npvae gradcheck demos/gradcheck_own_layer.py:factory --mutate   and would the check have seen other mistakes?
"""

import numpy as np


class Layer:
    """y = tanh(x W + b). Nothing of npvae is in it: any object with params, grads, forward and backward will do."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.default_rng(0).normal(size=(n_in, n_out)), "b": np.ones(n_out)}
        self.grads = {}

    def forward(self, x):
        """Keeps what backward will need."""
        self.x, self.y = x, np.tanh(x @ self.params["W"] + self.params["b"])
        return self.y

    def backward(self, dy):
        """Writes dW and db, returns dx."""
        da = dy * (1 - self.y**2)
        self.grads["W"], self.grads["b"] = self.x.T @ da, da.sum(axis=0)
        return da @ self.params["W"].T


def factory():
    """What to check."""
    return Layer(4, 4)


class Transposed(Layer):
    """The same with a mistake that no shape gives away, as W is square."""

    def backward(self, dy):
        """Wrong by a transpose."""
        super().backward(dy)
        return dy * (1 - self.y**2) @ self.params["W"]


def broken():
    """What to check, and to see fail."""
    return Transposed(4, 4)


if __name__ == "__main__":
    from npvae.cli import main

    for name in ("factory", "broken"):
        main(["gradcheck", f"{__file__}:{name}"])
