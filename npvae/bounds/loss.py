"""The value of an objective, datum by datum and term by term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LABELS", "Loss", "Term"]

LABELS = {"reconstruction": "reconstruction (−log p(x|z))", "kl": "KL(q(z|x) ‖ p(z))"}
"""The terms that every bound has."""


class Term(NamedTuple):
    """What a term of a loss is, for whoever prints or draws it."""

    label: str
    """Its name in words or as a formula."""
    unit: str = "nats"
    weight: float = 1.0
    """What it is multiplied by in the objective."""


@dataclass(frozen=True)
class Loss:
    """What is minimised, before it is averaged.

    Parameters
    ----------
    terms : mapping of str to (n,) array
        The named terms of every datum. The first is the main one, which the learning curves draw beside the loss.
    weights : mapping of str to float
        What a term is multiplied by in the objective; 1 for a term without an entry.
    labels : mapping of str to str
        What a term is, in words or as a formula; its name with spaces for a term without an entry.
    units : mapping of str to str
        The unit of a term; "nats" for a term without an entry.
    total : (n,) array, optional
        Σ_t weight_t · term_t, where it is known to more digits than the terms add up to.
    """

    terms: Mapping[str, NDArray]
    weights: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    total: NDArray | None = None

    @cached_property
    def per_datum(self) -> NDArray:
        """Σ_t weight_t · term_t, shape (n,), in nats where the terms are."""
        if self.total is not None:
            return self.total
        return sum(self.weights.get(name, 1.0) * term for name, term in self.terms.items())

    @cached_property
    def value(self) -> np.number:
        """The mean of `per_datum` over the batch: the number whose gradient is taken."""
        return self.per_datum.mean()

    def with_term(self, name: str, term: NDArray, weight: float, label: str) -> Loss:
        """The same loss and one term more."""
        return Loss(
            {**self.terms, name: term},
            {**self.weights, name: weight},
            {**self.labels, name: label},
            self.units,
            None if self.total is None else self.total + weight * term,
        )

    def described(self) -> dict[str, Term]:
        """Label, unit and weight of every term, by its name."""
        return {
            name: Term(
                self.labels.get(name, name.replace("_", " ")),
                self.units.get(name, "nats"),
                float(self.weights.get(name, 1.0)),
            )
            for name in self.terms
        }
