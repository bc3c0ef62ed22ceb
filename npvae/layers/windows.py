"""Windows of an image: where a kernel looks, the numbers it sees there, and the way back.

An image of shape (h, w, c) is a row of h·w·c numbers, channels last: channel k of pixel (i, j) is feature
(i·w + j)·c + k.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from npvae.validation import ArgumentError, integer

__all__ = ["ImageShape", "Pair", "Windows", "check_image_shape", "check_steps", "images", "pair"]

ImageShape = tuple[int, int, int]
"""Height, width, channels."""

Pair = int | tuple[int, int]
"""A number for height and width, or one for both."""

BLOCK = 1 << 19
"""Numbers in the windows of one block of images: 2 MiB in float32, which a processor's second-level cache holds."""


def check_image_shape(image_shape: Sequence[int]) -> ImageShape:
    """`image_shape` as (height, width, channels); a ValueError unless these are three positive integers."""
    if len(image_shape) != 3:
        raise ArgumentError("image_shape", "be (height, width, channels)", tuple(image_shape))
    return tuple(integer(f"image_shape[{i}]", size, at_least=1) for i, size in enumerate(image_shape))


def pair(argument: str, value: Pair, at_least: int) -> tuple[int, int]:
    """`value` as (vertical, horizontal)."""
    if not isinstance(value, Sequence):
        return (integer(argument, value, at_least),) * 2
    if len(value) != 2:
        raise ArgumentError(argument, "be an integer or a pair of integers", value)
    return tuple(integer(f"{argument}[{i}]", size, at_least) for i, size in enumerate(value))


def check_steps(kernel: Pair, stride: Pair, padding: Pair) -> None:
    """An `ArgumentError` unless windows leave out no pixel and none lies in the frame alone."""
    kernels, strides = pair("kernel", kernel, at_least=1), pair("stride", stride, at_least=1)
    for k, s, p in zip(kernels, strides, pair("padding", padding, at_least=0), strict=True):
        if s > k:
            raise ArgumentError("stride", f"be at most the kernel's {k}", s, "pixels between the windows would be lost")
        if p >= k:
            raise ArgumentError("padding", f"be less than the kernel's {k}", p, "a window would see nothing but zeros")


def images(x: NDArray, image_shape: ImageShape) -> NDArray:
    """Rows (n, h·w·c) as images (n, h, w, c): a view where x is contiguous.

    Raises
    ------
    ValueError
        If the rows have another length.
    """
    h, w, c = image_shape
    if x.ndim != 2 or x.shape[1] != h * w * c:
        raise ArgumentError("x", f"have {h * w * c} features, an image of shape {image_shape}", f"shape {x.shape}")
    return x.reshape(len(x), h, w, c)


@dataclass(frozen=True)
class Windows:
    """All windows of kh × kw pixels, a stride apart, of an image with a frame of zeros around it.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and channels of the image.
    kernel : int or (int, int)
        Height and width of a window.
    stride : int or (int, int), default 1
        Distance between neighbouring windows, at most the kernel: else there were pixels that no window sees.
    padding : int or (int, int), default 0
        Width of the frame of zeros, below the kernel.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, the image with its frame is smaller than the kernel, or the windows end before
        the last pixel; the message says which sizes would fit.
    """

    image_shape: ImageShape
    kernel: Pair
    stride: Pair = 1
    padding: Pair = 0

    def __post_init__(self) -> None:
        check_image_shape(self.image_shape)
        check_steps(self.kernel, self.stride, self.padding)
        for axis in (0, 1):
            self._require_fit(axis)

    def _require_fit(self, axis: int) -> None:
        size, k, s, p = (v[axis] for v in (self.image_shape, self._kernel, self._stride, self._padding))
        name, what = ("height", "width")[axis], f"kernel {k}, stride {s} and padding {p}"
        if size + 2 * p < k:
            raise ArgumentError("image_shape", f"have a {name} of at least {k - 2 * p} for {what}", size)
        lost = (size + 2 * p - k) % s - p
        if lost > 0:
            smaller, larger = size - lost, size + s - lost - p
            fits = f"{smaller} or {larger}" if smaller > 0 else f"{larger}"
            raise ArgumentError("image_shape", f"have a {name} that the windows fill, such as {fits}, for {what}", size)

    @cached_property
    def _kernel(self) -> tuple[int, int]:
        return pair("kernel", self.kernel, at_least=1)

    @cached_property
    def _stride(self) -> tuple[int, int]:
        return pair("stride", self.stride, at_least=1)

    @cached_property
    def _padding(self) -> tuple[int, int]:
        return pair("padding", self.padding, at_least=0)

    @cached_property
    def counts(self) -> tuple[int, int]:
        """How many windows there are, vertically and horizontally: ⌊(size + 2 padding − kernel) / stride⌋ + 1."""
        sizes = zip(self.image_shape, self._kernel, self._stride, self._padding, strict=False)
        return tuple((size + 2 * p - k) // s + 1 for size, k, s, p in sizes)

    @property
    def size(self) -> int:
        """Numbers in a window: kh·kw·c."""
        return self._kernel[0] * self._kernel[1] * self.image_shape[2]

    def blocks(self, n: int) -> Iterator[slice]:
        """Slices of n images, so few in each that their windows stay in the processor's cache."""
        rows = max(1, BLOCK // (self.counts[0] * self.counts[1] * self.size))
        return (slice(start, min(start + rows, n)) for start in range(0, n, rows))

    def pad(self, x: NDArray) -> NDArray:
        """Rows (n, h·w·c) as framed images (n, h + 2ph, w + 2pw, c); a view where there is no frame."""
        x = images(x, self.image_shape)
        (h, w, c), (ph, pw) = self.image_shape, self._padding
        if ph == pw == 0:
            return x
        framed = np.zeros((len(x), h + 2 * ph, w + 2 * pw, c), x.dtype)
        framed[:, ph : ph + h, pw : pw + w] = x
        return framed

    def gather(self, framed: NDArray) -> NDArray:
        """The windows of framed images (n, …), one a row: (n · windows, kh·kw·c), by kernel offset, channels last."""
        (kh, kw), (sh, sw) = self._kernel, self._stride
        views = sliding_window_view(framed, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
        return views.transpose(0, 1, 2, 4, 5, 3).reshape(-1, self.size)

    def scatter(self, windows: NDArray, n: int) -> NDArray:
        """The adjoint of `pad` and `gather`: each number of each window is added to the pixel it would be read from.

        Parameters
        ----------
        windows : (n · windows, kh·kw·c) array
        n : int
            Images.

        Returns
        -------
        (n, h·w·c) array
            ⟨gather(pad(x)), windows⟩ = ⟨x, scatter(windows)⟩ for every x.
        """
        (h, w, c), (ph, pw), (sh, sw) = self.image_shape, self._padding, self._stride
        (kh, kw), (rows, columns) = self._kernel, self.counts
        windows = windows.reshape(n, rows, columns, kh, kw, c)
        framed = np.zeros((n, h + 2 * ph, w + 2 * pw, c), windows.dtype)
        for i in range(kh):
            for j in range(kw):
                framed[:, i : i + sh * rows : sh, j : j + sw * columns : sw] += windows[:, :, :, i, j]
        return framed[:, ph : ph + h, pw : pw + w].reshape(n, h * w * c)
