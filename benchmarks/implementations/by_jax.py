"""JAX: one jitted step with donated buffers, Adam from optax."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from benchmarks.implementations import LEARNING_RATE, Workload

__all__ = ["infer", "init", "loss", "train"]

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}

Params = dict[str, list[dict[str, jax.Array]]]


def init(key: jax.Array, workload: Workload) -> Params:
    """Weights uniform in ±1/√n_in, zero biases."""
    networks = {"encoder": workload.encoder_widths, "decoder": workload.decoder_widths}
    draw = jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    params: Params = {}
    for name, widths in networks.items():
        params[name] = []
        for n_in, n_out in pairwise(widths):
            key, subkey = jax.random.split(key)
            params[name].append({"W": draw(subkey, (n_in, n_out)), "b": jnp.zeros(n_out)})
    return params


def _mlp(layers: list[dict[str, jax.Array]], activation: str, x: jax.Array) -> jax.Array:
    for layer in layers[:-1]:
        x = ACTIVATIONS[activation](x @ layer["W"] + layer["b"])
    return x @ layers[-1]["W"] + layers[-1]["b"]


def _encode(params: Params, activation: str, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.split(_mlp(params["encoder"], activation, x), 2, axis=-1)


def loss(params: Params, activation: str, x: jax.Array, eps: jax.Array) -> jax.Array:
    """−ELBO in nats, mean over the batch."""
    mu, log_var = _encode(params, activation, x)
    z = mu + jnp.exp(0.5 * log_var) * eps
    logits = _mlp(params["decoder"], activation, z)
    reconstruction = optax.sigmoid_binary_cross_entropy(logits, x).sum(axis=-1)
    kl = 0.5 * (mu**2 + jnp.exp(log_var) - 1 - log_var).sum(axis=-1)
    return (reconstruction + kl).mean()


def train(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """Batches are gathered by NumPy: XLA's gather on a CPU is no faster, and the data need not be held twice."""
    optimizer = optax.adam(LEARNING_RATE)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(params: Params, state: Any, key: jax.Array, batch: jax.Array) -> tuple[Params, Any, jax.Array, jax.Array]:
        key, subkey = jax.random.split(key)
        eps = jax.random.normal(subkey, (len(batch), workload.latent))
        value, grads = jax.value_and_grad(loss)(params, workload.activation, batch, eps)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, key, value

    rng = np.random.default_rng(seed)
    key, subkey = jax.random.split(jax.random.key(seed))
    params = init(subkey, workload)
    state = optimizer.init(params)
    while True:
        order = rng.permutation(len(x))
        for start in range(0, len(x), workload.batch):
            batch = x[order[start : start + workload.batch]]
            params, state, key, value = step(params, state, key, batch)
            pace(float(value))


def infer(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """All rows at once, in two jitted functions; the data are on the device beforehand."""

    @jax.jit
    def reconstruct(params: Params, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
        mu, _ = _encode(params, workload.activation, rows)
        return mu, jax.nn.sigmoid(_mlp(params["decoder"], workload.activation, mu))

    @partial(jax.jit, donate_argnums=1)
    def sample(params: Params, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        key, subkey = jax.random.split(key)
        z = jax.random.normal(subkey, (workload.batch, workload.latent))
        return key, jax.nn.sigmoid(_mlp(params["decoder"], workload.activation, z))

    key, subkey = jax.random.split(jax.random.key(seed))
    params = init(subkey, workload)
    data = jnp.asarray(x[: workload.batch])
    while True:
        _, pixels = reconstruct(params, data)
        key, samples = sample(params, key)
        jax.block_until_ready((pixels, samples))
        pace(float(pixels[0, 0] + samples[0, 0]))
