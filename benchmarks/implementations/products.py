"""The floor: the matrix products of a step and nothing else, each in the memory order that NumPy's BLAS likes best.

A dense layer from n_in to n_out has three: x W, xᵀ dy and dy Wᵀ; the first layer of the encoder has no use for the
third. Weights and their gradients are row-major for n_out ≤ n_in, and transposed views of (n_out, n_in) blocks for
expanding layers; outputs are memory that is already there. A convolution is a dense layer of its windows, and a
transposed one of its pixels; windows are not gathered here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.implementations import Workload

__all__ = ["forward_products", "infer", "train", "training_products"]

INFERENCE_CHUNK = 1000
"""Rows per product in inference, where cutting the pass into pieces keeps the activations in the cache."""

Product = tuple[NDArray, NDArray, NDArray]
"""Left, right, out."""


def training_products(workload: Workload) -> list[Product]:
    """The products of one training step, forward and then backward."""
    rng = np.random.default_rng(0)
    down: list[Product] = []
    up: list[Product] = []
    for network, layers in workload.products().items():
        for i, (rows, n_in, n_out) in enumerate(layers):
            n = workload.batch * rows
            x, dy = _array(rng, n, n_in), _array(rng, n, n_out)
            w, dw = _weight(rng, n_in, n_out), _weight(rng, n_in, n_out)
            down.append((x, w, np.empty_like(dy)))
            if i > 0 or network == "decoder":
                up.append((dy, w.T, np.empty_like(x)))
            up.append((x.T, dy, dw))
    return down + up[::-1]


def forward_products(workload: Workload, chunk: int = INFERENCE_CHUNK) -> list[Product]:
    """The products of a pass of inference: every chunk of rows encoded once and decoded twice."""
    rng = np.random.default_rng(0)
    chunks = []
    for start in range(0, workload.batch, chunk):
        n = min(chunk, workload.batch - start)
        for widths in (workload.encoder_widths, workload.decoder_widths, workload.decoder_widths):
            for n_in, n_out in pairwise(widths):
                chunks.append((_array(rng, n, n_in), _weight(rng, n_in, n_out), np.empty((n, n_out), np.float32)))
    return chunks


def _array(rng: np.random.Generator, n: int, width: int) -> NDArray:
    return rng.random((n, width), dtype=np.float32)


def _weight(rng: np.random.Generator, n_in: int, n_out: int) -> NDArray:
    return _array(rng, n_out, n_in).T if n_out > n_in else _array(rng, n_in, n_out)


def train(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """The products of one training step, again and again."""
    _run(training_products(workload), pace)


def infer(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """The products of one pass of inference, again and again."""
    _run(forward_products(workload), pace)


def _run(products: list[Product], pace: Callable[[float], None]) -> None:
    while True:
        for left, right, out in products:
            np.matmul(left, right, out=out)
        pace(float(out[0, 0]))
