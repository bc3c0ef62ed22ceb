"""Richardson's ladder: central differences that know their own error.

Central differences D_j with steps h_j = 0.1/‖v‖·4⁻ʲ, each pair extrapolated to R_j = (16 D_{j+1} − D_j) / 15. Going
down the ladder the truncation error falls by 256 a rung until rounding, which grows by 4, takes over. Where
neighbouring rungs agree best is where to stand, and how well they agree is the error: no step and no tolerance is
chosen by hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.estimate import EPS, Estimate, NoEstimate
from npvae.gradcheck.kinks import Branches
from npvae.gradcheck.point import Line
from npvae.gradcheck.subject import Breakdown

__all__ = ["ladder"]

RUNGS = 8
FEWEST = 4
LOWER = 4
SAFETY = 10.0


def ladder(line: Line) -> Estimate:
    """Derivative along `line` from real evaluations alone.

    Only rungs count on which every branch of the forward is taken as at the base point: beyond a kink lies another
    function. If too few do, the ladder is continued downwards once.

    Raises
    ------
    NoEstimate
        If fewer than four rungs can be used.
    """
    first = 0.1 / float(np.linalg.norm(line.direction))
    steps, differences, sizes = _rungs(line, first * 4.0 ** -np.arange(RUNGS))
    if len(steps) < FEWEST:
        steps, differences, sizes = _rungs(line, first * 4.0 ** -np.arange(RUNGS, 2 * RUNGS))
    if len(steps) < FEWEST:
        raise NoEstimate("differences cannot be taken here: every step crosses a kink or leaves the domain")
    slopes = np.array([d.sum() for d in differences])
    scale = float(np.linalg.norm(differences[-1]))
    value, error = _best_rung(steps, slopes, sizes)
    return Estimate(value, SAFETY * error, max(scale, abs(value)), "ladder of differences")


def _rungs(line: Line, steps: NDArray) -> tuple[NDArray, list[NDArray], NDArray]:
    """Steps that can be used, the differences (u∘y⁺ − u∘y⁻)/2h there, and ‖u∘y‖."""
    base = line.point.branches.sides
    used, differences, sizes = [], [], []
    # From the bottom up: once a rung has crossed a branch, all larger ones are of no use either.
    for step in steps[::-1]:
        sides = (Branches(), Branches()) if base else (None, None)
        try:
            above, below = line.terms(step, branches=sides[0]), line.terms(-step, branches=sides[1])
        except Breakdown:
            break
        if base and (sides[0].sides != base or sides[1].sides != base):
            break
        difference = (above - below) / (2.0 * step)
        if not np.isfinite(difference).all():
            break
        used.append(step)
        differences.append(difference)
        sizes.append(float(np.linalg.norm(above)))
    return np.array(used[::-1]), differences[::-1], np.array(sizes[::-1])


def _best_rung(steps: NDArray, slopes: NDArray, sizes: NDArray) -> tuple[float, float]:
    """The most self-consistent extrapolated value and its predicted error."""
    extrapolated = (16.0 * slopes[1:] - slopes[:-1]) / 15.0
    change = np.abs(np.diff(extrapolated))
    # What the lower rungs disagree by is the rounding noise of the forward, which may be far above that of its last
    # operation. Four of them are looked at: two may agree by luck, or because a float32 inside does not move at all.
    seen = 2.0 * np.max(change[-LOWER:] * steps[-change[-LOWER:].size :])
    noise = np.maximum(4.0 * EPS * sizes[1:], seen) / steps[1:]
    neighbours = np.maximum(np.append(change, change[-1]), np.insert(change, 0, change[0]))
    error = np.maximum(neighbours, noise)
    best = int(np.argmin(error))
    return float(extrapolated[best]), float(error[best])
