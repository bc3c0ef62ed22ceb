"""Linear operators through which an image is seen: a pair of functions each, the second the adjoint of the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.validation import ArgumentError, ArgumentTypeError, integer, number, numeric_array

__all__ = ["OPERATORS", "LinearOperator", "blur", "downsample", "identity", "mask", "matrix", "projection"]

WIDEST = 1e6
"""Blurs are narrower, in pixels: of any image such a one leaves next to nothing."""


@dataclass(frozen=True)
class LinearOperator:
    """y = A x for rows of x, as a pair of functions.

    Parameters
    ----------
    n_in, n_out : int
        Widths of a row of x and of a row of y.
    forward : callable
        x (n, n_in) → A x, (n, n_out).
    adjoint : callable
        y (n, n_out) → Aᵀ y, (n, n_in).
    name : str, default "operator"

    Raises
    ------
    TypeError, ValueError
        If one of the two is no function, gives another shape or numbers that are not finite, or if they are no adjoints
        of each other, found at random rows: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ has to hold for all x, y.
    """

    n_in: int
    n_out: int
    forward: Callable[[NDArray], NDArray]
    adjoint: Callable[[NDArray], NDArray]
    name: str = "operator"

    def __post_init__(self) -> None:
        for name in ("n_in", "n_out"):
            integer(name, getattr(self, name), at_least=1)
        for name in ("forward", "adjoint"):
            if not callable(function := getattr(self, name)):
                raise ArgumentTypeError(name, "be a function of rows", type(function).__name__)
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((3, self.n_in)), rng.standard_normal((3, self.n_out))
        rule = "give finite real numbers"
        there, back = _array("forward", rule, self.forward(x)), _array("adjoint", rule, self.adjoint(y))
        for what, got, like in (("forward", there, y), ("adjoint", back, x)):
            if got.shape != like.shape:
                raise ArgumentError(what, f"give {like.shape[1]} numbers a row", f"shape {got.shape} for 3 rows")
            if got.dtype.kind not in "biuf" or not np.isfinite(got).all():
                raise ArgumentError(what, rule, f"others for 3 rows of {self.name}")
        left, right = (there * y).sum(axis=1), (x * back).sum(axis=1)
        scale = np.linalg.norm(there, axis=1) * np.linalg.norm(y, axis=1)
        if (np.abs(left - right) > 1e-6 * np.maximum(scale, np.finfo(float).tiny)).any():
            got = f"⟨A x, y⟩ = {left[0]:.6g} and ⟨x, Aᵀ y⟩ = {right[0]:.6g} for the same random x and y"
            raise ArgumentError("adjoint", f"be that of {self.name}", got)


def identity(n_features: int) -> LinearOperator:
    """y = x: all that hides the image is noise."""
    n_features = integer("n_features", n_features, at_least=1)
    return LinearOperator(n_features, n_features, np.copy, np.copy, "identity")


def mask(seen: ArrayLike) -> LinearOperator:
    """The pixels where `seen` (n_features,) is true: y has only them."""
    rule = "be a row of bool with a true one in it"
    seen = _array("seen", rule, seen)
    if seen.dtype != bool or seen.ndim != 1 or not seen.any():
        raise ArgumentError("seen", rule, f"shape {seen.shape} of {seen.dtype}")
    places = np.flatnonzero(seen)

    def adjoint(y: NDArray) -> NDArray:
        x = np.zeros((len(y), len(seen)), y.dtype)
        x[:, places] = y
        return x

    return LinearOperator(len(seen), len(places), lambda x: x[:, places], adjoint, "mask")


def matrix(A: ArrayLike, name: str = "matrix") -> LinearOperator:
    """y = A x with a matrix A (n_out, n_in)."""
    A = numeric_array("A", A)
    if A.ndim != 2 or A.size == 0:
        raise ArgumentError("A", "be a matrix", f"shape {A.shape}")
    if not np.isfinite(A).all():
        row, column = np.argwhere(~np.isfinite(A))[0]
        raise ArgumentError("A", "be finite", f"{A[row, column]} at row {row}, column {column}")
    return LinearOperator(*A.shape[::-1], lambda x: x @ A.T.astype(x.dtype), lambda y: y @ A.astype(y.dtype), name)


def projection(n_features: int, n_out: int, seed: int = 0) -> LinearOperator:
    """`n_out` random numbers of each image: y = A x with A_ij ~ N(0, 1/n_out), as in compressed sensing."""
    n_features, n_out = integer("n_features", n_features, at_least=1), integer("n_out", n_out, at_least=1)
    rng = np.random.default_rng(integer("seed", seed, at_least=0))
    return matrix(rng.standard_normal((n_out, n_features)) / np.sqrt(n_out), "projection")


def blur(shape: Sequence[int], width: float) -> LinearOperator:
    """A Gaussian blur of images (height, width[, channels]) with standard deviation `width` pixels.

    The kernel is cut off at four standard deviations and sums to one; beyond the border there is nothing.
    """
    width = number("width", width, above=0, below=WIDEST)
    height, breadth, channels = _image(shape)

    @np.errstate(over="ignore")  # a width below 1e-154: only the middle of the kernel is left
    def smoothing(n: int) -> NDArray:
        distance = np.subtract.outer(np.arange(n), np.arange(n))
        reach = int(np.ceil(4 * width))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        near = np.abs(distance) <= reach
        return np.where(near, np.exp(-0.5 * (distance / width) ** 2), 0) / kernel.sum()

    return _separable(channels, smoothing(height), smoothing(breadth), "blur")


def downsample(shape: Sequence[int], factor: int) -> LinearOperator:
    """Means of blocks of `factor` by `factor` pixels of images (height, width[, channels])."""
    factor = integer("factor", factor, at_least=1)
    height, breadth, channels = _image(shape)
    if height % factor or breadth % factor:
        raise ArgumentError("factor", f"divide both sides of {height}×{breadth} images", factor)
    sides = (np.repeat(np.eye(n // factor), factor, axis=1) / factor for n in (height, breadth))
    return _separable(channels, *sides, "downsample")


def _array(argument: str, rule: str, value: ArrayLike) -> NDArray:
    try:
        return np.asarray(value)
    except ValueError:
        raise ArgumentError(argument, rule, "rows of unequal length") from None


def _image(shape: Sequence[int]) -> tuple[int, int, int]:
    rule = "be (height, width) or (height, width, channels)"
    try:
        sizes = tuple(shape)
    except TypeError:
        raise ArgumentTypeError("shape", rule, repr(shape)) from None
    if isinstance(shape, str) or len(sizes) not in (2, 3):
        raise ArgumentError("shape", rule, repr(shape))
    height, breadth, channels = (*(integer(f"shape[{i}]", size, at_least=1) for i, size in enumerate(sizes)), 1)[:3]
    return height, breadth, channels


def _separable(channels: int, down: NDArray, across: NDArray, name: str) -> LinearOperator:
    """Y = D X Cᵀ for every channel X of an image, with D along the height and C along the width."""

    def apply(x: NDArray, down: NDArray, across: NDArray) -> NDArray:
        images = x.reshape(len(x), down.shape[1], across.shape[1], channels)
        rows = np.einsum("ij,njkc->nikc", down.astype(x.dtype), images)
        return np.einsum("lk,nikc->nilc", across.astype(x.dtype), rows).reshape(len(x), -1)

    return LinearOperator(
        down.shape[1] * across.shape[1] * channels,
        len(down) * len(across) * channels,
        lambda x: apply(x, down, across),
        lambda y: apply(y, down.T, across.T),
        name,
    )


OPERATORS = {"mask": mask, "noise": identity, "blur": blur, "downsample": downsample, "projection": projection}
"""Operators by the name that a user types."""
