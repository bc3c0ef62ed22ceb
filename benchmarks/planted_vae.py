"""A variational autoencoder as a student would write it: the ground in which mistakes are planted.

784-200-20-200-784, tanh, with a square layer on the latents. `backward` hands every intermediate gradient to a `plant`,
which may change it: that is the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

ROWS, FEATURES, HIDDEN, LATENT = 8, 784, 200, 20

Plant = Callable[[str, NDArray, dict], NDArray]


def parameters(
    seed: int = 0, features: int = FEATURES, hidden: int = HIDDEN, latent: int = LATENT
) -> dict[str, NDArray]:
    """Weights and biases of the five layers."""
    rng = np.random.default_rng(seed)
    widths = [(features, hidden), (hidden, 2 * latent), (latent, latent), (latent, hidden), (hidden, features)]
    params = {}
    for i, (n_in, n_out) in enumerate(widths, start=1):
        params[f"W{i}"] = rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)
        params[f"b{i}"] = 0.1 * rng.standard_normal(n_out)
    return params


def inputs(seed: int = 0, rows: int = ROWS, features: int = FEATURES, latent: int = LATENT) -> dict[str, NDArray]:
    """Pixels and noise."""
    rng = np.random.default_rng([seed, 1])
    return {"x": rng.random((rows, features)), "eps": rng.standard_normal((rows, latent))}


def softplus(a: NDArray) -> NDArray:
    return np.log1p(np.exp(np.minimum(a, -a))) + np.maximum(a, 0)


def forward(x, eps, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5):
    """Mean negative ELBO in nats."""
    h = np.tanh(x @ W1 + b1)
    mu, log_var = np.split(h @ W2 + b2, 2, axis=1)
    z = mu + np.exp(0.5 * log_var) * eps
    s = np.tanh(z @ W3 + b3)
    g = np.tanh(s @ W4 + b4)
    a = g @ W5 + b5
    reconstruction = (softplus(a) - x * a).sum(axis=1)
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    weights = {"W1": W1, "W2": W2, "W3": W3, "W4": W4, "W5": W5}
    saved = {"x": x, "eps": eps, "h": h, "mu": mu, "log_var": log_var, "z": z, "s": s, "g": g, "a": a}
    return (reconstruction + kl).mean(), saved | weights


def backward(saved: dict, dy: float, plant: Plant = lambda name, value, saved: value) -> dict[str, NDArray]:
    """The gradients of `forward`, every intermediate one shown to `plant`."""
    x, h, mu, log_var, z, s, g = (saved[name] for name in ("x", "h", "mu", "log_var", "z", "s", "g"))
    n = len(x)
    saved = saved | {"dy/n": dy / n}
    da5 = plant("da5", (1 / (1 + np.exp(-saved["a"])) - x) * dy / n, saved)
    grads = {"x": -saved["a"] * dy / n, "W5": g.T @ da5, "b5": da5.sum(axis=0)}
    dg = da5 @ saved["W5"].T
    da4 = plant("da4", dg * (1 - g**2), saved)
    grads |= {"W4": s.T @ da4, "b4": da4.sum(axis=0)}
    ds = da4 @ saved["W4"].T
    da3 = plant("da3", ds * (1 - s**2), saved)
    grads |= {"W3": z.T @ da3, "b3": da3.sum(axis=0)}
    dz = plant("dz", da3 @ saved["W3"].T, saved)
    dmu = plant("dmu", dz + mu * dy / n, saved)
    noise = plant("noise", 0.5 * np.exp(0.5 * log_var) * saved["eps"], saved)
    dlog_var = plant("dlog_var", dz * noise + 0.5 * (np.exp(log_var) - 1) * dy / n, saved)
    da2 = np.concatenate([dmu, dlog_var], axis=1)
    grads |= {"W2": h.T @ da2, "b2": da2.sum(axis=0)}
    da1 = plant("da1", (da2 @ saved["W2"].T) * (1 - h**2), saved)
    grads |= {"W1": x.T @ da1, "b1": da1.sum(axis=0)}
    grads["x"] = grads["x"] + da1 @ saved["W1"].T
    return {name: plant(f"d{name}", gradient, saved) for name, gradient in grads.items()}
