"""The value of an objective, datum by datum and term by term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Loss"]


@dataclass(frozen=True)
class Loss:
    """What is minimised, before it is averaged.

    Parameters
    ----------
    terms : mapping of str to (n,) array
        The named terms of every datum, nats.
    weights : mapping of str to float
        What a term is multiplied by in the objective; 1 where nothing is said.
    """

    terms: Mapping[str, NDArray]
    weights: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def per_datum(self) -> NDArray:
        """Σ_t weight_t · term_t, nats, shape (n,)."""
        return sum(self.weights.get(name, 1.0) * term for name, term in self.terms.items())

    @cached_property
    def value(self) -> np.number:
        """The mean of `per_datum` over the batch: the number whose gradient is taken."""
        return self.per_datum.mean()
