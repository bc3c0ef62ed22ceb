"""A numeric derivative together with what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EPS", "Estimate", "NoEstimate"]

EPS = 2.0**-52


class NoEstimate(Exception):
    """A method could not be applied; the message says why."""


@dataclass(frozen=True)
class Estimate:
    """A derivative along a line.

    Attributes
    ----------
    value : float
    tolerance : float
        An error of this size is still within what the method, by its own account, may have got wrong.
    scale : float
        ‖u∘Jv‖₂, the size of the terms of which the value is the sum.
    method : str
        In words, for the report.
    """

    value: float
    tolerance: float
    scale: float
    method: str
