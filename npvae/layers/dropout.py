"""Dropout, with its noise as an argument (see `npvae.layers.noise`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.layers.parameterless import Parameterless
from npvae.parameters import Parameters
from npvae.validation import integer, number

__all__ = ["Dropout", "FixedDropout"]


@dataclass(frozen=True)
class Dropout(Parameterless):
    """In training, each number is 0 with probability `rate`, else divided by 1 − rate; its mean stays what it is.

    Parameters
    ----------
    n : int
        Features per row.
    rate : float, default 0.5
        In [0, 1).

    Raises
    ------
    TypeError, ValueError
        If the rate is no number in [0, 1).

    References
    ----------
    Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014), section 10 for the
    division.
    """

    n: int
    rate: float = 0.5

    def __post_init__(self) -> None:
        integer("n", self.n, at_least=1)
        number("rate", self.rate, at_least=0, below=1)

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> NDArray:
        """Uniform numbers in [0, 1), (n, features)."""
        return rng.random((n, self.n), dtype=dtype)

    def with_noise(self, noise: NDArray) -> FixedDropout:
        """The layer that drops where the noise is below the rate."""
        return FixedDropout(noise.real >= self.rate, self.rate)

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = x (a copy): without noise nothing is dropped. Nothing is cached."""
        return x.copy(), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy (a copy)."""
        return dy.copy()


@dataclass(frozen=True, eq=False)
class FixedDropout(Parameterless):
    """y = kept · x / (1 − rate): dropout after its noise is drawn.

    Parameters
    ----------
    kept : (n, d) array of bool
        False where a number is dropped.
    rate : float
        The probability with which that was.
    """

    kept: NDArray
    rate: float

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, None]:
        """y = kept · x / (1 − rate). Nothing is cached."""
        return x * self.kept / (1 - self.rate), None

    def backward(
        self, params: Parameters, cache: None, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = kept · dy / (1 − rate)."""
        return dy * self.kept / (1 - self.rate)
