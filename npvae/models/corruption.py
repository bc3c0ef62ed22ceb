"""Corruptions of the data, which a denoising autoencoder learns to undo: functions of x and of noise drawn outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.validation import number

__all__ = ["CORRUPTIONS", "Corruption", "GaussianNoise", "SaltAndPepper", "ZeroOut"]


class Corruption(Protocol):
    """What is done to x before the encoder sees it. A class with these two members is one; nothing is inherited."""

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """The noise for x of that shape."""

    def apply(self, x: NDArray, noise: NDArray) -> NDArray:
        """The corrupted x, a new array."""


@dataclass(frozen=True)
class ZeroOut:
    """Each number of x becomes 0 with probability `level`, independently: masking noise.

    Parameters
    ----------
    level : float, default 0.5
        In [0, 1). At 1 nothing of x would be left to learn from.

    Raises
    ------
    TypeError, ValueError
        If it is no number in [0, 1).

    References
    ----------
    Vincent et al., Stacked denoising autoencoders (2010), section 3.3.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        number("level", self.level, at_least=0, below=1)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def apply(self, x: NDArray, noise: NDArray) -> NDArray:
        """x where noise ≥ level, else 0."""
        return x * (noise.real >= self.level)


@dataclass(frozen=True)
class SaltAndPepper:
    """Each number of x becomes `low` with probability level / 2, and `high` with the same.

    Parameters
    ----------
    level : float, default 0.5
        In [0, 1).
    low, high : float, default 0.0, 1.0
        Black and white.

    Raises
    ------
    TypeError, ValueError
        If one is no finite number, or the level is not in [0, 1).

    References
    ----------
    Vincent et al., Stacked denoising autoencoders (2010), section 3.3.
    """

    level: float = 0.5
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        number("level", self.level, at_least=0, below=1)
        number("low", self.low)
        number("high", self.high)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def apply(self, x: NDArray, noise: NDArray) -> NDArray:
        """`low` where noise < level / 2, `high` where it is at least that but below the level, else x."""
        low, high = (np.asarray(value, x.dtype) for value in (self.low, self.high))
        return np.where(noise.real >= self.level, x, np.where(noise.real < self.level / 2, low, high))


@dataclass(frozen=True)
class GaussianNoise:
    """x + level · eps with eps ~ N(0, I).

    Parameters
    ----------
    level : float, default 0.5
        Standard deviation of the noise, in units of x; at least 0.

    Raises
    ------
    TypeError, ValueError
        If it is no finite number, or negative.

    References
    ----------
    Vincent et al., Stacked denoising autoencoders (2010), section 3.3.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        number("level", self.level, at_least=0)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """eps ~ N(0, I)."""
        return rng.standard_normal(shape, dtype=dtype)

    def apply(self, x: NDArray, noise: NDArray) -> NDArray:
        """x + level · noise."""
        return x + self.level * noise


CORRUPTIONS: dict[str, type[Corruption]] = {
    "zeros": ZeroOut,
    "salt-and-pepper": SaltAndPepper,
    "gaussian": GaussianNoise,
}
"""Corruptions by the name that a user types; each takes its level."""
