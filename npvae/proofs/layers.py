"""Cases of `npvae.layers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from npvae.layers import (
    ACTIVATIONS,
    Bias,
    Chain,
    Constants,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Dropout,
    FixedDropout,
    LayerNorm,
    MaxPool,
    MeanPool,
    Permute,
    Reshape,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
    UpSample,
    conv,
    conv_transpose,
    draw_noise,
    mlp,
    with_noise,
)
from npvae.layers.windows import Windows
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N


def cases() -> Iterator[Case]:
    """Cases of layers."""

    def case(name: str, layer: object, *covers: object, n_in: int = N) -> Case:
        return Case(f"layers.{name}", lambda rng: (layer, rng.standard_normal((N, n_in))), covers)

    for activation in ACTIVATIONS.values():
        yield case(activation.__name__, activation(), activation)
        yield _slope(activation)
    for n_in, n_out in ((N, N), (5, 3), (3, 5)):
        yield case(f"Dense {n_in}→{n_out}", Dense(n_in, n_out), Dense, n_in=n_in)
    yield case("Chain", Chain(Tanh(), Dense(N, N), Chain(Dense(N, N), Sigmoid()), Dense(N, N)), Chain)
    yield case("Constants", Constants(N, 2), Constants)
    yield _without_dx(Dense(N, N))
    yield _without_dx(Constants(N, 2))
    yield _without_dx(Chain(Dense(N, N), Dense(N, N), Tanh()))
    yield from _images(case)
    yield from _others(case)
    for activation in ACTIVATIONS:
        yield case(f"mlp {activation}", mlp(N, [N, 3], 2, activation), mlp, Chain)


def _images(case: Callable) -> Iterator[Case]:
    """Layers on images: one of each with all sizes different, strides, frames and kernels not square."""
    image, wide = (5, 4, 2), (4, 6, 3)
    for name, layer in (
        (" in blocks", _ConvInBlocks(image, 3, 3, 2, 1)),
        (" in blocks", _ConvTransposeInBlocks(image, 3, 3, 2, 1)),
        ("", Conv2D((3, 3, 1), 2, 2)),
        (" with all options", Conv2D(image, 3, (4, 3), (2, 1), (1, 2))),
        (" without bias", Conv2D(image, 3, 3, 2, 1, bias=False)),
        ("", ConvTranspose2D((2, 2, 1), 2, 2)),
        (" with all options", ConvTranspose2D(image, 3, (4, 3), (2, 1), (1, 2), (1, 0))),
        (" without bias", ConvTranspose2D((3, 2, 4), 2, 3, 2, 1, 1, bias=False)),
    ):
        kind = Conv2D if isinstance(layer, Conv2D) else ConvTranspose2D
        yield case(f"{kind.__name__}{name}", layer, kind, n_in=prod(layer.image_shape))
    for pool in (MaxPool(wide, (2, 3)), MeanPool(wide, (2, 3)), UpSample(wide, (2, 3))):
        yield case(type(pool).__name__, pool, type(pool), n_in=prod(wide))
    yield _without_dx(Conv2D(image, 3, 3, 2, 1), prod(image))
    yield _without_dx(ConvTranspose2D(image, 3, 3, 2, 1), prod(image))
    yield case("conv", conv(image, [3, 2], 2, [4], "tanh"), conv, n_in=prod(image))
    yield case("conv_transpose", conv_transpose(2, image, [3, 2], 2 * prod(image), [4], "tanh"), conv_transpose, n_in=2)


class _SmallBlocks(Windows):
    """Windows that are gathered for three images at a time, so that `N` images are two blocks."""

    def blocks(self, n: int) -> Iterator[slice]:
        """Slices of at most three."""
        return (slice(start, min(start + 3, n)) for start in range(0, n, 3))


class _ConvInBlocks(Conv2D):
    @cached_property
    def windows(self) -> Windows:
        return _SmallBlocks(self.image_shape, self.kernel, self.stride, self.padding)


class _ConvTransposeInBlocks(ConvTranspose2D):
    @cached_property
    def windows(self) -> Windows:
        return _SmallBlocks(self.output_shape, self.kernel, self.stride, self.padding)


def _others(case: Callable) -> Iterator[Case]:
    """Bias, normalisation, softmax, residual block, dropout, and changes of shape."""
    block = Chain(Dense(N, 3), Tanh(), Dense(3, N))
    for layer in (Bias(N), LayerNorm(N), Softmax(), Residual(block), Dropout(N), Reshape((2, N // 2))):
        yield case(type(layer).__name__, layer, type(layer))
    yield case("Permute", Permute((2, 3, 4), (2, 0, 1)), Permute, n_in=24)
    for layer in (Bias(N), LayerNorm(N), Residual(block)):
        yield _without_dx(layer)

    def dropped(rng: np.random.Generator) -> tuple:
        noisy = Chain(Dense(N, N), Dropout(N, 0.3), Residual(Dropout(N, 0.6)))
        return with_noise(noisy, draw_noise(noisy, rng, N, np.float64)), rng.standard_normal((N, N))

    yield Case("layers.FixedDropout", dropped, (FixedDropout, Residual))


def _slope(activation: type) -> Case:
    """The slope of an activation as a function of x, and its derivative."""
    layer, none = activation(), Parameters({})

    def forward(x: NDArray) -> tuple[NDArray, object]:
        _, cache = layer.forward(none, x)
        return layer.backward(none, cache, np.ones_like(x), none), cache

    def make(rng: np.random.Generator) -> tuple:
        return forward, layer.slope_backward, (rng.standard_normal((N, N)),)

    return Case(f"layers.{activation.__name__} slope", make, (activation,))


def _without_dx(layer: object, n_in: int = N) -> Case:
    """A layer that begins a network: with ``need_dx=False`` no dx, and the gradients of the parameters as ever."""

    def make(rng: np.random.Generator) -> tuple:
        x = rng.standard_normal((N, n_in))

        def value_and_grad(theta: Parameters) -> tuple[np.number, Parameters]:
            y, cache = layer.forward(theta, x)
            grads = theta.empty_like()
            if layer.backward(theta, cache, y, grads, need_dx=False) is not None:
                raise ValueError("dx came back without being asked for")
            return 0.5 * (y * y).sum(), grads

        return value_and_grad, Parameters.from_arrays(layer.init(rng), np.float64)

    return Case(f"layers.{type(layer).__name__} without dx", make, (type(layer),))
