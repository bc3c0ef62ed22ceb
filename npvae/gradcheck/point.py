"""A place at which both sides are evaluated, and lines through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.kinks import Branches, Traced
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, pull_back, run

__all__ = ["Line", "Point", "read_only"]


def read_only(array: NDArray) -> NDArray:
    """A view through which nothing can be written."""
    view = np.asarray(array).view()  # arithmetic on an array without axes gives a scalar
    view.flags.writeable = False
    return view


class Point:
    """Tensors of a subject, and what it makes of them.

    Parameters
    ----------
    subject : Subject
    tensors : dict of arrays

    Attributes
    ----------
    evaluations : int
        Forward passes so far.
    """

    def __init__(self, subject: Subject, tensors: Mapping[str, NDArray]) -> None:
        self.subject = subject
        self.tensors: Tensors = {name: read_only(tensor) for name, tensor in tensors.items()}
        self.evaluations = 0

    def run(self, tensors: Tensors | None = None) -> tuple[tuple[NDArray, ...], object]:
        """Outputs and cache at this point, or at `tensors`."""
        self.evaluations += 1
        return run(self.subject, self.tensors if tensors is None else tensors)

    @cached_property
    def outputs(self) -> tuple[NDArray, ...]:
        """What the forward returns here."""
        return self.run()[0]

    def gradients(self, upstream: tuple) -> Tensors:
        """Analytic side: the gradients for one upstream gradient, after a fresh forward."""
        return pull_back(self.subject, self.run()[1], upstream, self.tensors)

    @cached_property
    def complex_tensors(self) -> Tensors:
        """The tensors as complex numbers."""
        return {name: read_only(tensor.astype(np.complex128)) for name, tensor in self.tensors.items()}

    @cached_property
    def branches(self) -> Branches:
        """The branches the forward takes here; empty if it does not let itself be traced."""
        branches = Branches()
        try:
            self.run({name: Traced.of(tensor, branches) for name, tensor in self.tensors.items()})
        except Breakdown:
            return Branches()
        return branches


@dataclass(frozen=True)
class Line:
    """The function s ↦ Σ u∘y(t + s v) of one number, through one tensor t of a point.

    Attributes
    ----------
    point : Point
    name : str
        The tensor t.
    direction : array of t's shape
        v
    upstream : tuple of arrays, one per output
        u
    """

    point: Point
    name: str
    direction: NDArray
    upstream: tuple

    def terms(self, step: complex, promote: bool = True, branches: Branches | None = None) -> NDArray:
        """The summands u∘y at ``t + step·v``, in one vector.

        Parameters
        ----------
        step : float or complex
            With a complex step the tensor becomes complex.
        promote : bool
            With a complex step: make all the other tensors complex as well.
        branches : Branches, optional
            Note the branches taken.
        """
        point = self.point
        everything = point.complex_tensors if isinstance(step, complex) and promote else point.tensors
        moved = dict(everything)
        moved[self.name] = read_only(moved[self.name] + step * self.direction)
        if branches is not None:
            moved = {name: Traced.of(tensor, branches) for name, tensor in moved.items()}
        outputs, _ = point.run(moved)
        if len(outputs) != len(self.upstream):
            raise Breakdown("returns", "forward does not always return the same number of outputs")
        return np.concatenate([np.ravel(u * y) for u, y in zip(self.upstream, outputs, strict=True)])
