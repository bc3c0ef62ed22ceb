"""The base of layers that have nothing to learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.parameters import Shapes

__all__ = ["Parameterless"]


class Parameterless:
    """Base of activations and other layers without parameters. A subclass with options is a frozen dataclass."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @property
    def shapes(self) -> Shapes:
        """No parameters."""
        return {}

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """No parameters."""
        return {}
