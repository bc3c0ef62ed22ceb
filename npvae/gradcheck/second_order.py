"""The gradient of a gradient: is a Hessian symmetric, and does a Hessian-vector product belong to it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from npvae.gradcheck.check import check_subject
from npvae.gradcheck.numeric import STEP
from npvae.gradcheck.report import FAIL, Finding, Report
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, run, unpacked
from npvae.gradcheck.verdict import Settings


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
