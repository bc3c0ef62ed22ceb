"""Plain finite differences, for teaching: what everybody tries first, and how far it carries.

A forward difference (f(t+h) − f(t))/h has a truncation error of order h, a central one (f(t+h) − f(t−h))/2h of
order h²; both have a rounding error of order eps·|f|/h. The best step balances the two, and the best error is about
√eps = 1e-8 and eps^⅔ = 4e-11 of |f|: the V curve. The complex step has no second branch and no V.
"""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.estimate import EPS, Estimate, NoEstimate
from npvae.gradcheck.point import Line
from npvae.gradcheck.subject import Breakdown

__all__ = ["DEFAULT_STEPS", "central", "difference", "forward"]

DEFAULT_STEPS = {"central": 1e-5, "forward": 1e-8}
SAFETY = 10.0


def forward(line: Line, step: float) -> float:
    """(f(t + hv) − f(t)) / h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(0.0)) / step).sum())


def central(line: Line, step: float) -> float:
    """(f(t + hv) − f(t − hv)) / 2h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(-step)) / (2.0 * step)).sum())


def difference(line: Line, method: str, step: float | None = None) -> Estimate:
    """A central or forward difference with an honest tolerance.

    The truncation error is estimated from a second difference with half the step (for order p, the error is
    |D(h) − D(h/2)|·2ᵖ/(2ᵖ − 1)), the rounding error as 4·eps·‖u∘y‖/h. Ten times their sum is the tolerance.

    Raises
    ------
    NoEstimate
        If the forward breaks down or is not finite at a neighbouring point.
    """
    function, order = (central, 2) if method == "central" else (forward, 1)
    step = DEFAULT_STEPS[method] if step is None else step
    try:
        value, finer = function(line, step), function(line, step / 2.0)
        terms = line.terms(0.0)
        scale = float(np.linalg.norm((line.terms(step) - terms) / step))
    except Breakdown as breakdown:
        raise NoEstimate(str(breakdown)) from breakdown
    truncation = abs(value - finer) * 2**order / (2**order - 1)
    rounding = 4.0 * EPS * float(np.linalg.norm(terms)) / step
    if not np.isfinite(value):
        raise NoEstimate("the forward is not finite at a neighbouring point")
    return Estimate(value, SAFETY * (truncation + rounding), scale, f"{method} difference, step {step:g}")
