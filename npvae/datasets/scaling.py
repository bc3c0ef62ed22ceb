"""The scale of data: brought to about one for a network on the way in, and back to its own units on the way out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.validation import one_of

__all__ = ["SCALES", "Scaling", "in_unit_interval"]

SCALES = dict.fromkeys(["auto", "none", "standard", "minmax"])
"""The ways to scale: what suits the data, not at all, to mean 0 and variance 1, to the interval from 0 to 1."""

SCALED = ("none", "bytes", "standard", "minmax")
"""What came of it: what was done to the data."""

ROUNDING = 1e-6
"""What may lie outside [0, 1] after a scaling by somebody else: a few ulp of float32."""

CONSTANT = 1e-12
"""Range of a column, relative to its largest number, up to which it is nothing but rounding."""


def in_unit_interval(x: NDArray) -> bool:
    """Whether all of x lies between 0 and 1, up to rounding."""
    return bool(x.min() >= -ROUNDING and x.max() <= 1 + ROUNDING)


@dataclass(frozen=True)
class Scaling:
    """The map x ↦ (x − shift)/unit, column by column.

    Parameters
    ----------
    how : str
        "none", "bytes" (divided by 255), "standard" or "minmax".
    shift, unit : (d,) array or float
        The zero and the unit of the scaled data in those of the data; the unit is positive.
    """

    how: str = "none"
    shift: NDArray | float = 0.0
    unit: NDArray | float = 1.0

    @classmethod
    def learn(cls, x: NDArray, how: str) -> Scaling:
        """The scaling of the rows of x (n, d).

        "auto" leaves alone what lies between 0 and 1 (up to rounding), divides other 8-bit integers by 255, and
        standardises everything else. A column that does not vary keeps its unit.
        """
        one_of("scale", how, SCALES)
        if how == "auto":
            how = "none" if in_unit_interval(x) else "standard"
            if how != "none" and x.dtype == np.uint8:
                return cls("bytes", 0.0, 255.0)
        if how == "none":
            return cls()
        x = x.astype(np.float64, copy=False)
        shift, unit = (x.mean(axis=0), x.std(axis=0)) if how == "standard" else (x.min(axis=0), np.ptp(x, axis=0))
        varies = np.ptp(x, axis=0) > CONSTANT * np.abs(x).max(
            axis=0
        )  # the rounded mean of equal numbers is another one
        return cls(how, shift, np.where(varies, unit, 1.0))

    def __call__(self, x: NDArray) -> NDArray:
        """The scaled data; x itself where there is nothing to do."""
        if self.how == "none":
            return x
        if self.how == "bytes":
            return x.astype(np.float32) / np.float32(self.unit)  # every byte is exact in float32
        return (x - self.shift) / self.unit

    def inverse(self, x: NDArray) -> NDArray:
        """Scaled data in the units of the data, in the precision of x."""
        if self.how == "none":
            return x
        return (x * np.asarray(self.unit) + self.shift).astype(x.dtype)

    def log_volume(self, d: int) -> float:
        """Σ_j log unit_j over d columns, nats: log p(data) = log p(scaled) − log_volume for a density."""
        return float(np.sum(np.log(np.broadcast_to(self.unit, (d,)))))

    def log_volumes(self, x: NDArray) -> NDArray:
        """`log_volume` for every scaled row of x (n, d): (n,), all alike."""
        return np.full(len(x), self.log_volume(x.shape[1]))

    def n_columns(self, width: int) -> int:
        """Columns of the data whose scaled rows have that width: as many."""
        return width

    def n_features(self, n_columns: int) -> int:
        """Width of the scaled rows of so many columns: as many."""
        return n_columns

    def __str__(self) -> str:
        said = {
            "none": "data are left as they are",
            "bytes": "8-bit data are divided by 255",
            "standard": "columns are brought to mean 0 and variance 1",
            "minmax": "columns are brought to the interval from 0 to 1",
        }
        return said[self.how]
