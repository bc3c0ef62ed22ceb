"""The complex step: a derivative without a difference, exact to the last digits.

For an analytic f, ``f(t + ihv) = f(t) + ih f'(t)v − O(h²)``, so ``Im f(t + ihv) / h`` is the derivative with an
error of order h². Nothing is subtracted, so h = 1e-20 costs no digits and h² = 1e-40 vanishes. (Squire and Trapp,
Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.)
"""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.estimate import EPS, Estimate, NoEstimate
from npvae.gradcheck.kinks import Branches
from npvae.gradcheck.point import Line
from npvae.gradcheck.subject import Breakdown

__all__ = ["STEP", "complex_step"]

STEP = 1e-20
ROUNDINGS = 4096 * EPS


def complex_step(line: Line, step: float = STEP) -> Estimate:
    """Derivative along `line`.

    All tensors are made complex, because code that takes its dtype from one of them (``np.empty_like(x)``) then works.
    Where that breaks, comparisons are made by real parts (``x < 0`` may refuse a zero with an imaginary part); where
    that breaks as well, only the tensor in question is made complex.

    Raises
    ------
    NoEstimate
        If the forward cannot be run on complex numbers, or loses the imaginary part with a ComplexWarning.
    """
    reasons = []
    for options in ({}, {"branches": Branches()}, {"promote": False}):
        try:
            terms = line.terms(1j * step, **options)
        except Breakdown as breakdown:
            reasons.append(str(breakdown))
            continue
        slopes = terms.imag / step
        if not np.isfinite(slopes).all():
            raise NoEstimate("the forward is not finite on complex numbers")
        scale = float(np.linalg.norm(slopes))
        return Estimate(float(slopes.sum()), ROUNDINGS * scale, scale, "complex step")
    raise NoEstimate(f"the forward does not run on complex numbers ({reasons[0]})")
