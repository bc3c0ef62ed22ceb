"""Plain differences, and how the error of a numeric derivative depends on its step.

Truncation errors are of order h (forward) and h² (central) against a rounding error of eps·|f|/h: at best √eps = 1e-8
and eps^⅔ = 4e-11 of |f| are left, at the bottom of a V. The complex step has none. With the right gradient the
remainder of Taylor's formula falls with the square of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.check import subjects_made
from npvae.gradcheck.numeric import EPS, SAFETY, Estimate, NoEstimate, complex_step
from npvae.gradcheck.point import Line, Point, Probe, direction, draw_probes
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, GradientCheckError
from npvae.gradcheck.subject import Breakdown, quiet
from npvae.gradcheck.verdict import Settings

HALVINGS = 20
"""Steps of the Taylor test, from 0.1 down to 2e-7: below, rounding hides a remainder of order h²."""
ASYMPTOTIC = 5
"""Steps whose slope counts: the smallest that still show the remainder."""


def forward(line: Line, step: float) -> float:
    """(f(t + hv) − f(t)) / h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(0.0)) / step).sum())


def central(line: Line, step: float) -> float:
    """(f(t + hv) − f(t − hv)) / 2h, subtracted term by term before the sum."""
    return float(((line.terms(step) - line.terms(-step)) / (2.0 * step)).sum())


def difference(line: Line, method: str, step: float | None = None) -> Estimate:
    """A central or forward difference with an honest tolerance; NoEstimate if the forward breaks down nearby.

    For order p the truncation error is |D(h) − D(h/2)|·2ᵖ/(2ᵖ − 1), the rounding error 4·eps·‖u∘y‖/h.
    """
    function, order, default = (central, 2, 1e-5) if method == "central" else (forward, 1, 1e-8)
    step = step or default
    try:
        value, finer = function(line, step), function(line, step / 2.0)
        terms = line.terms(0.0)
        scale = float(np.linalg.norm((line.terms(step) - terms) / step))
    except Breakdown as breakdown:
        raise NoEstimate(str(breakdown)) from breakdown
    if not np.isfinite(value):
        raise NoEstimate("the forward is not finite at a neighbouring point")
    truncation = abs(value - finer) * 2**order / (2**order - 1)
    rounding = 4.0 * EPS * float(np.linalg.norm(terms)) / step
    return Estimate(value, SAFETY * (truncation + rounding), scale, f"{method} difference, step {step:g}")


METHODS: dict[str, Callable[[Line, float], float]] = {
    "forward": forward,
    "central": central,
    # The term of order h² drops out.
    "richardson": lambda line, step: (16.0 * central(line, step / 4.0) - central(line, step)) / 15.0,
    "complex": lambda line, step: complex_step(line, step).value,
}


def step_curve(
    target: object, *, steps: Sequence[float] | None = None, only: str | None = None, seed: int = 0
) -> dict[str, NDArray]:
    """Error of each numeric derivative, against the step it is taken with.

    Truncation makes the error of a difference fall with h (forward), h² (central) or h⁴ (Richardson), until rounding,
    which grows as 1/h, takes over: a V on logarithmic axes. The complex step subtracts nothing: no second branch.

    Parameters
    ----------
    target : object
        Whatever `npvae.gradcheck.check` may be given, as one object; `TargetError` if it cannot be checked.
    steps : sequence of float, optional
        By default four per decade from 1 down to 1e-20.
    only : str, optional
        The tensor to step in; by default the first that has a gradient. ValueError if there is none of that name.
    seed : int
        Seed of the random direction and of the random upstream gradient.

    Returns
    -------
    dict of str to (k,) array
        "step", and under "forward", "central", "richardson" and "complex" the errors |numeric − analytic| / ‖g∘v‖
        for the analytic gradient g (whose own rounding is the floor) and the direction v, ‖v‖ = 1. NaN where the
        forward breaks down.

    Examples
    --------
    >>> import numpy as np
    >>> from npvae.layers import Tanh
    >>> curve = step_curve(Tanh(), steps=[1e-1, 1e-5, 1e-12])
    >>> int(np.argmin(curve["central"])), bool(curve["complex"][2] < 1e-14)
    (1, True)
    """
    lengths = np.logspace(0, -20, 81) if steps is None else np.asarray(steps, dtype=np.float64)
    if lengths.ndim != 1 or not (lengths > 0).all():
        raise ValueError(f"steps must be a sequence of positive numbers, got {steps!r}")
    subject = subjects_made(target, seed)[0]
    tensors = {name: np.array(tensor, dtype=np.float64) for name, tensor in subject.tensors.items()}
    probes = draw_probes(Point(replace(subject, tensors=tensors), tensors), 1, seed)
    chosen = [probe for name, (probe,) in probes.items() if Settings(only=only).selects(name)]
    if not chosen:
        raise ValueError(f"only must be one of {', '.join(probes)}, got {only!r}")
    curve = {"step": lengths}
    with quiet():
        for name, method in METHODS.items():
            curve[name] = np.array([_error(method, chosen[0], float(step)) for step in lengths])
    return curve


def _error(method: Callable[[Line, float], float], probe: Probe, step: float) -> float:
    length = float(np.linalg.norm(probe.line.direction))
    line = replace(probe.line, direction=probe.line.direction / length)
    try:
        return abs(method(line, step) * length - probe.analytic) / (probe.scale or length)
    except (Breakdown, NoEstimate):
        return float("nan")


@dataclass(frozen=True)
class TaylorTest:
    """Remainders of Taylor's formula along one direction."""

    steps: NDArray  # (k,) step sizes h, each half of the one before
    first: NDArray  # (k,) |f(x + hv) − f(x)|, of order h
    second: NDArray  # (k,) |f(x + hv) − f(x) − h⟨g, v⟩|, of order h² if g is the gradient, of order h if it is not
    slope: float  # order of `second` where rounding does not hide it; infinite if there is nothing but rounding

    @property
    def status(self) -> str:
        """PASS from a slope of 1.9, FAIL below 1.5, INCONCLUSIVE between them."""
        if np.isnan(self.slope):
            return INCONCLUSIVE
        return PASS if self.slope >= 1.9 else FAIL if self.slope < 1.5 else INCONCLUSIVE

    def raise_if_failed(self) -> TaylorTest:
        """Return the test itself if the status is PASS; a GradientCheckError if it is not."""
        if self.status != PASS:
            raise GradientCheckError(self)
        return self

    def __str__(self) -> str:
        head = f"{self.status} Taylor test   the remainder falls with slope {self.slope:.2f}, 2 is right"
        row = "  h {:.1e}   without gradient {:.2e}   with gradient {:.2e}"
        return "\n".join([head, *map(row.format, self.steps, self.first, self.second)])


def taylor_test(
    f: Callable, gradient: object, x: NDArray, *, along: NDArray | None = None, seed: int = 0
) -> TaylorTest:
    """Taylor's formula as a test: f(x + hv) − f(x) − h⟨g, v⟩ is of order h².

    Parameters
    ----------
    f : callable
        ``x -> value``.
    gradient : callable or array
        ``x -> gradient``, or the gradient at x; ValueError if it has another shape than x.
    x : array
    along : array, optional
        v; by default random, fixed by `seed`.

    Examples
    --------
    >>> import numpy as np
    >>> test = taylor_test(lambda x: np.exp(x).sum(), np.exp, np.zeros(3))
    >>> test.status, round(test.slope)
    ('PASS', 2)
    """
    x = np.array(x, dtype=np.float64)
    g = np.asarray(gradient(x.copy()) if callable(gradient) else gradient)
    if g.shape != x.shape:
        raise ValueError(f"gradient must have the shape of x, {x.shape}, got {g.shape}")
    v = direction(np.random.default_rng(seed), x.shape) if along is None else np.asarray(along)
    v = v / np.linalg.norm(v)
    steps = 0.1 * 0.5 ** np.arange(HALVINGS)
    with quiet():
        base = float(f(x.copy()))
        change = np.array([float(f(x + h * v)) - base for h in steps])
    second = np.abs(change - steps * float((g * v).sum()))
    noise = 64.0 * EPS * max(abs(base), float(np.abs(change).max()))
    return TaylorTest(steps, np.abs(change), second, _slope(steps, second, noise))


def _slope(steps: NDArray, remainder: NDArray, noise: float) -> float:
    """Order of the remainder over the smallest steps at which it still stands out of the noise."""
    if not np.isfinite(remainder).all():
        return float("nan")
    visible = np.flatnonzero(remainder > noise)[-ASYMPTOTIC:]
    if visible.size < 2:
        return float("nan" if visible.size else "inf")
    return float(np.polyfit(np.log(steps[visible]), np.log(remainder[visible]), 1)[0])
