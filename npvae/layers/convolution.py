"""Convolution of images and its transpose: matrix products over windows.

Both take and give rows, each of them an image (height, width, channels), channels last (see `npvae.layers.windows`), so
that they stand in a `Chain` beside dense layers with nothing in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvae.layers.initializers import Initializer, standard_uniform
from npvae.layers.windows import ImageShape, Pair, Windows, check_image_shape, check_steps, images, pair
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer

__all__ = ["Conv2D", "ConvTranspose2D"]


@dataclass(frozen=True)
class Conv2D:
    """y_pq = Σ_ij x_{p s + i, q s + j} W_ij + b: every window of the image times one matrix.

    What is called a convolution in networks; in signal processing it is the cross-correlation.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height h, width w and channels c of x.
    channels : int
        Channels of y.
    kernel, stride, padding : int or (int, int)
        See `Windows`. y has ⌊(h + 2 padding − kernel) / stride⌋ + 1 rows of pixels, and columns likewise.
    bias : bool, default True
        Whether there is b, a number a channel. It starts at zero.
    init_weights : callable, default `standard_uniform`
        Draws W from (rng, kh·kw·c, channels).

    Raises
    ------
    TypeError, ValueError
        As `Windows`; the message says which image would fit.

    Examples
    --------
    >>> Conv2D((28, 28, 1), 32, kernel=4, stride=2, padding=1).output_shape
    (14, 14, 32)
    """

    image_shape: ImageShape
    channels: int
    kernel: Pair = 3
    stride: Pair = 1
    padding: Pair = 0
    bias: bool = True
    init_weights: Initializer = standard_uniform

    def __post_init__(self) -> None:
        integer("channels", self.channels, at_least=1)
        _ = self.windows

    @cached_property
    def windows(self) -> Windows:
        """Where the kernel looks."""
        return Windows(self.image_shape, self.kernel, self.stride, self.padding)

    @property
    def output_shape(self) -> ImageShape:
        """Height, width and channels of y."""
        return (*self.windows.counts, self.channels)

    def adjoint(self) -> ConvTranspose2D:
        """The transposed convolution from y's images to x's, with the same W."""
        h, w, c = self.image_shape
        (kh, kw), (sh, sw), (ph, pw) = (pair(name, getattr(self, name), 0) for name in ("kernel", "stride", "padding"))
        extra = ((h + 2 * ph - kh) % sh, (w + 2 * pw - kw) % sw)
        return ConvTranspose2D(
            self.output_shape, c, (kh, kw), (sh, sw), (ph, pw), extra, bias=False, init_weights=self.init_weights
        )

    @property
    def shapes(self) -> Shapes:
        """W is (kh·kw·c, channels), in the order of a window; b is (channels,)."""
        return {"W": (self.windows.size, self.channels)} | ({"b": (self.channels,)} if self.bias else {})

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random weights, zero biases."""
        weights = {"W": self.init_weights(rng, self.windows.size, self.channels)}
        return weights | ({"b": np.zeros(self.channels)} if self.bias else {})

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = windows(x) W + b, from (n, h·w·c) to (n, h'·w'·channels). The cache is x in its frame of zeros."""
        framed, W = self.windows.pad(x), params["W"]
        rows, columns, channels = self.output_shape
        y = np.empty((len(x), rows * columns, channels), np.result_type(x, W))
        for block in self.windows.blocks(len(x)):
            np.matmul(self.windows.gather(framed[block]), W, out=y[block].reshape(-1, channels))
        if self.bias:
            y += params["b"]
        return y.reshape(len(x), -1), framed

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dW = windows(x)ᵀ dy, db = Σ dy over all windows, dx = scatter(dy Wᵀ)."""
        framed, W = cache, params["W"]
        dy = dy.reshape(len(dy), -1, self.channels)
        dx = np.empty((len(dy), int(np.prod(self.image_shape))), dy.dtype) if need_dx else None
        grads["W"][...] = 0
        for block in self.windows.blocks(len(dy)):
            windows, dy_block = self.windows.gather(framed[block]), dy[block].reshape(-1, self.channels)
            grads["W"][...] += windows.T @ dy_block
            if need_dx:
                dx[block] = self.windows.scatter(dy_block @ W.T, len(dy[block]))
        if self.bias:
            np.sum(dy, axis=(0, 1), out=grads["b"])
        return dx


@dataclass(frozen=True)
class ConvTranspose2D:
    """The adjoint of a `Conv2D` without bias, plus b: every pixel of x puts its multiple of the kernel into y.

    ⟨conv(y), x⟩ = ⟨y, conv_transpose(x)⟩ for `adjoint`, the `Conv2D` from y's images to x's with the same W.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height h, width w and channels c of x.
    channels : int
        Channels of y.
    kernel, stride, padding : int or (int, int)
        Those of the convolution. y has (h − 1) stride − 2 padding + kernel + output_padding rows of pixels.
    output_padding : int or (int, int), default 0
        How many rows y has more than the smallest image that the convolution takes to x's size: below the stride, and
        at most `padding`, since there would be no window that reaches them.
    bias : bool, default True
        Whether there is b, a number a channel. It starts at zero.
    init_weights : callable, default `standard_uniform`
        Draws W from (rng, kh·kw·channels, c).

    Raises
    ------
    TypeError, ValueError
        If a size is out of its range.

    References
    ----------
    Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016), relationship 14.

    Examples
    --------
    >>> ConvTranspose2D((7, 7, 64), 32, kernel=4, stride=2, padding=1).output_shape
    (14, 14, 32)
    """

    image_shape: ImageShape
    channels: int
    kernel: Pair = 3
    stride: Pair = 1
    padding: Pair = 0
    output_padding: Pair = 0
    bias: bool = True
    init_weights: Initializer = standard_uniform

    def __post_init__(self) -> None:
        _ = self.windows

    @cached_property
    def windows(self) -> Windows:
        """Where in y the kernel is put."""
        return Windows(self.output_shape, self.kernel, self.stride, self.padding)

    def adjoint(self) -> Conv2D:
        """The convolution from y's images to x's, with the same W."""
        settings = {"bias": False, "init_weights": self.init_weights}
        return Conv2D(self.output_shape, self.image_shape[2], self.kernel, self.stride, self.padding, **settings)

    @cached_property
    def output_shape(self) -> ImageShape:
        """Height, width and channels of y."""
        sizes = check_image_shape(self.image_shape)[:2]
        check_steps(self.kernel, self.stride, self.padding)
        kernel, stride, padding, extra = (
            pair(name, getattr(self, name), at_least=0) for name in ("kernel", "stride", "padding", "output_padding")
        )
        for s, p, e in zip(stride, padding, extra, strict=True):
            if e >= s or e > p:
                raise ArgumentError("output_padding", f"be less than the stride {s} and at most the padding {p}", e)
        out = ((h - 1) * s - 2 * p + k + e for h, k, s, p, e in zip(sizes, kernel, stride, padding, extra, strict=True))
        return (*out, integer("channels", self.channels, at_least=1))

    @property
    def shapes(self) -> Shapes:
        """W is (kh·kw·channels, c), as that of the convolution from y to x; b is (channels,)."""
        return {"W": (self.windows.size, self.image_shape[2])} | ({"b": (self.channels,)} if self.bias else {})

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Random weights, zero biases."""
        weights = {"W": self.init_weights(rng, self.windows.size, self.image_shape[2])}
        return weights | ({"b": np.zeros(self.channels)} if self.bias else {})

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = scatter(x Wᵀ) + b, from (n, h·w·c) to (n, h'·w'·channels). The cache is x, a pixel a row: (n, h·w, c)."""
        W = params["W"]
        pixels = images(x, self.image_shape).reshape(len(x), -1, self.image_shape[2])
        y = np.empty((len(x), int(np.prod(self.output_shape))), np.result_type(x, W))
        for block in self.windows.blocks(len(x)):
            windows = pixels[block].reshape(-1, self.image_shape[2]) @ W.T
            y[block] = self.windows.scatter(windows, len(pixels[block]))
        if self.bias:
            y.reshape(-1, self.channels)[...] += params["b"]
        return y, pixels

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray | None:
        """dW = windows(dy)ᵀ x, db = Σ dy over all pixels, dx = windows(dy) W."""
        pixels, W = cache, params["W"]
        framed = self.windows.pad(dy)
        dx = np.empty(pixels.shape, dy.dtype) if need_dx else None
        grads["W"][...] = 0
        for block in self.windows.blocks(len(dy)):
            windows = self.windows.gather(framed[block])
            grads["W"][...] += windows.T @ pixels[block].reshape(-1, self.image_shape[2])
            if need_dx:
                np.matmul(windows, W, out=dx[block].reshape(-1, self.image_shape[2]))
        if self.bias:
            np.sum(dy.reshape(-1, self.channels), axis=0, out=grads["b"])
        return dx.reshape(len(dy), -1) if need_dx else None
