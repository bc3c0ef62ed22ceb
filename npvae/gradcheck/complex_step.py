"""The complex step: a derivative without a difference, exact to the last digits.

For an analytic f, ``f(t + ihv) = f(t) + ih f'(t)v − O(h²)``, so ``Im f(t + ihv) / h`` is the derivative with an
error of order h². Nothing is subtracted, so h = 1e-20 costs no digits and h² = 1e-40 vanishes. (Squire and Trapp,
Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.)
"""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.estimate import EPS, Estimate, NoEstimate
from npvae.gradcheck.point import Line
from npvae.gradcheck.subject import Breakdown

__all__ = ["STEP", "complex_step"]

STEP = 1e-20
ROUNDINGS = 4096 * EPS


def complex_step(line: Line, step: float = STEP) -> Estimate:
    """Derivative along `line`.

    All tensors are made complex first, because code that takes its dtype from one of them (``np.empty_like(x)``) then
    works; where that breaks, only the tensor in question is.

    Raises
    ------
    NoEstimate
        If the forward cannot be run on complex numbers, or loses the imaginary part with a ComplexWarning.
    """
    reasons = []
    for promote in (True, False):
        try:
            terms = line.terms(1j * step, promote=promote)
        except Breakdown as breakdown:
            reasons.append(str(breakdown))
            continue
        slopes = terms.imag / step
        if not np.isfinite(slopes).all():
            raise NoEstimate("the forward is not finite on complex numbers")
        scale = float(np.linalg.norm(slopes))
        return Estimate(float(slopes.sum()), ROUNDINGS * scale, scale, "complex step")
    raise NoEstimate(f"the forward does not run on complex numbers ({reasons[0]})")
