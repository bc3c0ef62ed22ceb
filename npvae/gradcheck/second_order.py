"""Beside the check of a gradient: the gradient of a gradient, and how errors fall with the step.

With the right gradient the remainder of Taylor's formula falls with the square of the step; with the right step the
error of a difference is smallest, and the complex step needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.check import check_subject, subjects_made
from npvae.gradcheck.numeric import EPS, STEP, NoEstimate, central, complex_step, forward
from npvae.gradcheck.point import Line, Point, Probe, direction, draw_probes
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Finding, GradientCheckError, Report
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, quiet, rebuild, run
from npvae.gradcheck.verdict import Settings

HALVINGS = 20
ASYMPTOTIC = 5

METHODS: dict[str, Callable[[Line, float], float]] = {
    "forward": forward,
    "central": central,
    # The term of order h² drops out.
    "richardson": lambda line, step: (16.0 * central(line, step / 4.0) - central(line, step)) / 15.0,
    "complex": lambda line, step: complex_step(line, step).value,
}


def check_gradient_of_gradient(
    gradient: Callable,
    theta: object,
    hvp: Callable | None = None,
    *,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check that a gradient is the gradient of something, and that a Hessian-vector product belongs to it.

    The Jacobian H of a gradient g is symmetric, uᵀHv = vᵀHu. H v is computed by the complex step through g itself,
    ``Im g(θ + ihv) / h``, and held against differences of g. No value of the loss is needed: a gradient in which
    one term is forgotten shows here if that term couples two parameters.

    Parameters
    ----------
    gradient : callable
        ``theta -> gradient``, or ``theta -> (value, gradient)``.
    theta : array or dict of str to array
        Where to check. The gradient has the same structure.
    hvp : callable, optional
        ``(theta, v) -> H v``, to be checked against g.
    name : str, optional
        By default that of `gradient`.
    **settings
        See `npvae.gradcheck.Settings`.

    Returns
    -------
    Report
        INCONCLUSIVE if there is no `hvp` and the gradient does not run on complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> check_gradient_of_gradient(lambda w: np.array([w[0] * w[1], w[0] ** 2 / 2]), np.ones(2)).status
    'PASS'
    >>> check_gradient_of_gradient(lambda w: np.array([w[1], 2 * w[0]]), np.ones(2)).status
    'FAIL'
    """
    chosen = Settings(**settings)
    subject = _hessian_subject(gradient, theta, hvp, name)
    if hvp is None:
        try:
            subject.backward(subject.tensors, tuple(map(np.zeros_like, subject.tensors.values())))
        except Exception as error:
            reason = Finding("not analytic", f"the gradient does not run on complex numbers: {error}", fails=False)
            return Report(subject.name, findings=[reason])
    report = check_subject(subject, replace(chosen, explain=False))
    if any(entry.status == FAIL for entry in report.entries):
        no_gradient = "uᵀHv ≠ vᵀHu: what was returned as a gradient is not the gradient of any function."
        report.blame.append("The Hessian-vector product is not the derivative of the gradient." if hvp else no_gradient)
    return report


def _hessian_subject(gradient: Callable, theta: object, hvp: Callable | None, name: str | None) -> Subject:
    if not callable(gradient):
        raise TypeError(f"gradient must be callable, got {type(gradient).__name__}")
    if not isinstance(theta, (Mapping, np.ndarray)):
        raise TypeError(f"theta must be an array or a dict of arrays, got {type(theta).__name__}")
    mapping = isinstance(theta, Mapping)
    tensors = {key: np.array(theta[key]) for key in theta} if mapping else {"theta": np.array(theta)}

    def build(arrays: Tensors) -> object:
        return rebuild(theta, arrays) if mapping else arrays["theta"]

    def unbuild(result: object) -> Tensors:
        return {key: np.asarray(result[key] if mapping else result) for key in tensors}

    def forward(arrays: Tensors) -> tuple[tuple, Tensors]:
        result = gradient(build(arrays))
        result = result[1] if isinstance(result, tuple) else result
        if result is None:
            raise Breakdown("returns", "gradient returned nothing (None)")
        return tuple(unbuild(result).values()), arrays

    def backward(arrays: Tensors, upstream: tuple) -> Tensors:
        along = dict(zip(tensors, upstream, strict=True))
        if hvp is not None:
            return unbuild(hvp(build(arrays), build(along)))
        slopes, _ = run(subject, {key: arrays[key] + 1j * STEP * along[key] for key in tensors})
        return {key: y.imag / STEP for key, y in zip(tensors, slopes, strict=True)}

    subject = Subject(name or getattr(gradient, "__name__", "gradient"), tensors, forward, backward, tuple(tensors))
    return subject


@dataclass(frozen=True)
class TaylorTest:
    """Remainders of Taylor's formula along one direction.

    Attributes
    ----------
    steps : (k,) array
        Step sizes h, each half of the one before.
    first : (k,) array
        |f(x + hv) − f(x)|, of order h.
    second : (k,) array
        |f(x + hv) − f(x) − h⟨g, v⟩|, of order h² if g is the gradient, of order h if it is not.
    slope : float
        Order of `second` where rounding does not hide it; infinite if there is nothing but rounding (f is linear).
    """

    steps: NDArray
    first: NDArray
    second: NDArray
    slope: float

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
        rows = zip(self.steps, self.first, self.second, strict=True)
        lines = [f"  h {h:.1e}   without gradient {a:.2e}   with gradient {b:.2e}" for h, a, b in rows]
        return "\n".join([head, *lines])


def taylor_test(
    f: Callable, gradient: object, x: NDArray, *, along: NDArray | None = None, seed: int = 0
) -> TaylorTest:
    """Taylor's formula as a test: f(x + hv) − f(x) − h⟨g, v⟩ is of order h².

    Parameters
    ----------
    f : callable
        ``x -> value``.
    gradient : callable or array
        ``x -> gradient``, or the gradient at x.
    x : array
    along : array, optional
        v; random by default.
    seed : int
        Of the random direction.

    Returns
    -------
    TaylorTest

    Raises
    ------
    ValueError
        If the gradient has another shape than x.

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


def step_curve(
    target: object, *, steps: Sequence[float] | None = None, only: str | None = None, seed: int = 0
) -> dict[str, NDArray]:
    """Error of each numeric derivative, against the step it is taken with.

    Truncation makes the error of a difference fall with h (forward), h² (central) or h⁴ (Richardson), until rounding,
    which grows as 1/h, takes over: a V on logarithmic axes. The complex step subtracts nothing: no second branch.

    Parameters
    ----------
    target : object
        Whatever a factory for ``npvae gradcheck`` may return.
    steps : sequence of float, optional
        By default four per decade from 1 down to 1e-20.
    only : str, optional
        The tensor to step in; by default the first that has a gradient.
    seed : int
        Of the random direction and the random upstream gradient.

    Returns
    -------
    dict of str to (k,) array
        "step", and under "forward", "central", "richardson" and "complex" the errors |numeric − analytic| / ‖g∘v‖
        for the analytic gradient g (whose own rounding is the floor) and the direction v, ‖v‖ = 1. NaN where the
        forward breaks down.

    Raises
    ------
    ValueError
        If there is no such tensor, or a step is not positive.
    TargetError
        If `target` cannot be checked.

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
