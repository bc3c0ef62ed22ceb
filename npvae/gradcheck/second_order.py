"""Beside the check of a gradient: the gradient of a gradient, and the remainder of Taylor's formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.check import check_subject
from npvae.gradcheck.numeric import EPS, STEP
from npvae.gradcheck.point import direction
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Finding, GradientCheckError, Report
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, quiet, run, unpacked
from npvae.gradcheck.verdict import Settings

HALVINGS = 20
ASYMPTOTIC = 5


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
        ``(theta, v) -> H v``, to be checked against g. Without it, a gradient that does not run on complex numbers
        makes the report INCONCLUSIVE.
    name, **settings
        As for `npvae.gradcheck.check`.

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
    tensors, build = unpacked(theta)

    def unbuild(result: object) -> Tensors:
        return {key: np.asarray(result[key] if isinstance(theta, Mapping) else result) for key in tensors}

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
