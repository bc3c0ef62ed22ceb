"""The doors: `check` for anything, and one function for each kind of code; behind them the order of things.

What the code under test does wrong is in the report; a door raises a TypeError or ValueError only if its own arguments
make no sense. First come the rules without which a comparison means nothing (`preflight`), then both sides of every
gradient along lines (`verdict`), then what a kink may excuse (`atkink`), and on a failure the part to blame and an
explanation (`npvae.diagnosis`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.atkink import settle
from npvae.gradcheck.functions import function_subject, loss_subject
from npvae.gradcheck.layers import layer_subject
from npvae.gradcheck.models import distribution_subjects, is_distribution, is_model, model_subject
from npvae.gradcheck.point import Point, Probe, draw_probes, draw_upstream
from npvae.gradcheck.preflight import UNSTEADY, check_float32, preflight
from npvae.gradcheck.report import FAIL, PASS, Finding, Report
from npvae.gradcheck.subject import Breakdown, Subject, one_line, quiet
from npvae.gradcheck.verdict import Settings, judge_all


class TargetError(ValueError):
    """What is to be checked cannot be found, or is of no kind that can be checked; the message is one line."""


def check(thing: object, *more: object, name: str | None = None, **settings: object) -> Report:
    """Check whatever it is: a layer, a distribution, a loss, a model, a pair of functions.

    Parameters
    ----------
    thing, *more
        A layer, a distribution, ``forward, backward, inputs[, params]``, ``layer, x[, params]``,
        ``model, x[, theta[, noise]]`` or ``value_and_grad, theta``; or a tuple of these. The functions ``check_…`` say
        what each has to be, and know a few more options. TargetError for anything else.
    name : str, optional
        A name for the report; by default that of the class or function.
    **settings
        Those of `npvae.gradcheck.Settings`: seed, probes, full, only, method, step, float32, rtol, strict, explain.

    Examples
    --------
    >>> import numpy as np
    >>> check(np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), np.array([0.3, -1.2])).status
    'PASS'
    """
    return check_made((thing, *more) if more else thing, Settings(**settings), name)


def check_function(
    forward: Callable,
    backward: Callable | None,
    inputs: object,
    params: Mapping[str, NDArray] | None = None,
    *,
    constants: Mapping[str, object] | None = None,
    skip: Collection = (),
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a backward written by hand against the forward it belongs to.

    For y = f(t) and a random upstream gradient u = dy, the analytic slope ⟨backward(u), v⟩ along a random direction
    v has to be the numeric one, d/ds Σ u∘f(t + s v) at s = 0. Arrays are copied to float64.

    Parameters
    ----------
    forward, backward : callable
        ``forward(inputs, **params) -> (y, cache)`` and ``backward(cache, dy)``, or one of the other conventions of
        `npvae.gradcheck.functions`. backward is None where forward returns ``(y, closure)``.
    inputs : array, tuple or dict
        Arguments of forward: one, several by position, or several by name. Only arrays of floating-point numbers are
        differentiated, and of those the ones that backward returns a gradient for.
    params : dict of str to array, optional
        Further arguments, by name. Their gradients must all come back.
    constants : dict, optional
        Arguments of forward that are no tensors, by name: ``{"stride": 2}``.
    skip : collection of int, optional
        Outputs to leave out, by place. Outputs of whole numbers beside others are left out anyway.
    name, **settings
        As for `check`.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(x, W, b):
    ...     y = np.tanh(x @ W + b)
    ...     return y, (x, W, y)
    >>> def backward(cache, dy):
    ...     x, W, y = cache
    ...     da = dy * (1 - y**2)
    ...     return {"x": da @ W.T, "W": x.T @ da, "b": da.sum(axis=0)}
    >>> rng = np.random.default_rng(0)
    >>> x, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    >>> check_function(forward, backward, {"x": x}, {"W": W, "b": b}).status
    'PASS'
    """
    return check_subject(
        function_subject(forward, backward, inputs, params, name, constants, skip), Settings(**settings)
    )


def check_layer(
    layer: object,
    x: object = None,
    params: Mapping[str, NDArray] | None = None,
    *,
    accumulate: bool = False,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a layer: the gradients of its parameters and of its input.

    Parameters
    ----------
    layer : object
        With ``shapes``, ``init(rng)``, ``forward(params, x) -> (y, cache)`` and ``backward(params, cache, dy,
        grads) -> dx``; or any object that keeps its arrays itself, with ``forward(x) -> y`` and ``backward(dy) -> dx``:
        in dicts ``params`` and ``grads``, or in attributes ``W`` and ``dW`` (or ``grad_W``), or in ``layers`` of that
        kind. Every forward starts from a copy of the object as it is now: a running mean or a generator inside does
        no harm. For a chain (a layer with ``layers``), a failure names the layer to blame.
    x : array, tuple or dict of arrays, optional
        What forward takes. Standard normal numbers by default: of the shape ``input_shape`` with a batch axis in front
        if the layer states one, else (7, n_in) as far as its arrays tell; the report says so.
    params : dict of str to array, optional
        Initial values, slightly moved, by default.
    accumulate : bool
        Whether backward adds to the gradients on purpose: then what it adds is checked.
    name, **settings
        As for `check`.
    """
    chosen = Settings(**settings)
    return check_subject(layer_subject(layer, x, params, _drawing(chosen.seed), name, accumulate), chosen)


def check_distribution(dist: object, d: int = 3, *, name: str | None = None, **settings: object) -> Report:
    """Check a distribution of `d` dimensions: every method that has a backward (sample, log_prob, entropy, kl, ...).

    `dist` has ``n_params(d)`` and pairs of methods like ``kl(a) -> (value, cache)``, ``kl_backward(cache, dvalue) ->
    da``; ``log_prob_backward_x`` is checked where it exists. The report has one entry for each argument of each method;
    those that take several arrays also with an extra axis of draws. `name` and `settings` are those of `check`.
    """
    chosen = Settings(**settings)
    reports = [check_subject(subject, chosen) for subject in distribution_subjects(dist, d, _drawing(chosen.seed))]
    return Report.merge(name or type(dist).__name__, reports)


def check_loss(
    value_and_grad: Callable,
    theta: object,
    *,
    value: Callable | None = None,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a function ``theta -> (value, gradient)``, the kind that optimisers take; `theta` is an array or a dict.

    It must be pure: freeze its noise and its batch. `value` is ``theta -> value`` alone, if that is cheaper or the
    gradient does not run on complex numbers. `name` and `settings` are those of `check`.

    Examples
    --------
    >>> import numpy as np
    >>> check_loss(lambda w: ((w * w).sum(), 2 * w), np.array([1.0, -2.0])).status
    'PASS'
    """
    return check_subject(loss_subject(value_and_grad, theta, value, name), Settings(**settings))


def check_model(
    model: object,
    x: NDArray,
    theta: Mapping[str, NDArray] | None = None,
    noise: object = None,
    *,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a whole model at a small batch x: the returned loss against the returned gradient, for every parameter.

    `model` has ``init(rng)``, ``draw_noise(rng, n)``, ``loss(theta, x, noise)`` and ``loss_and_grad(theta, x,
    noise)``; a loss is a number or has ``value``. `theta` is by default initial values, slightly moved, and `noise` is
    drawn once and frozen. A failure names the part (a network, a distribution) that is wrong by itself, if one is.
    `name` and `settings` are those of `check`.
    """
    chosen = Settings(**settings)
    return check_subject(model_subject(model, x, theta, noise, _drawing(chosen.seed), name), chosen)


def _drawing(seed: int) -> np.random.Generator:
    """The generator of inputs and parameters that are not given."""
    return np.random.default_rng([seed, 2])


def check_made(made: object, settings: Settings, name: str | None = None) -> Report:
    """Check whatever a factory returned; `TargetError` if it is of no kind that can be checked."""
    reports = [check_subject(subject, settings) for subject in subjects_made(made, settings.seed, name)]
    return Report.merge(name or type(made).__name__, reports) if is_distribution(made) else reports[0]


def subjects_made(made: object, seed: int = 0, name: str | None = None) -> list[Subject]:
    """What a factory returned, as subjects: one for every method of a distribution, otherwise just one.

    `seed` is that of the inputs and parameters that are not given. `TargetError` if it is of no kind that can be
    checked, or its arrays do not fit it.
    """
    rng, parts = _drawing(seed), made if isinstance(made, tuple) else (made,)
    n, (first, second, third, fourth) = len(parts), (*parts, None, None, None, None)[:4]
    try:
        if is_model(first) and 2 <= n <= 4:
            return [model_subject(first, second, third, fourth, rng, name)]
        if is_distribution(first) and n == 1:
            return distribution_subjects(first, 3, rng)
        if hasattr(first, "forward") and hasattr(first, "backward") and n <= 3:
            return [layer_subject(first, second, third, rng, name)]
        if callable(first) and 3 <= n <= 4:
            return [function_subject(first, second, third, fourth, name)]
        if callable(first) and n == 2 and isinstance(second, (np.ndarray, Mapping)):
            return [loss_subject(first, second, None, name)]
    except (TypeError, ValueError) as error:
        raise TargetError(one_line(error)) from error
    kinds = ", ".join(type(part).__name__ for part in parts)
    forms = "a layer, a distribution, (forward, backward, inputs[, params]), (layer, x[, params]), "
    forms += "(model, x[, theta[, noise]]) or (value_and_grad, theta)"
    raise TargetError(f"the factory has to return {forms}; it returned {f'({kinds})' if n > 1 else kinds}")


def check_subject(subject: Subject, settings: Settings) -> Report:
    """Check every gradient of a subject."""
    start = time.perf_counter()
    report = Report(subject.name)
    narrow = any(tensor.dtype == np.float32 for tensor in subject.tensors.values())
    subject = replace(subject, tensors={name: np.array(t, dtype=np.float64) for name, t in subject.tensors.items()})
    with quiet():  # a warning of the code under test, or of a guess about it, is no error of the checker
        try:
            _check(subject, settings, report, narrow)
        except Breakdown as breakdown:
            report.findings.append(Finding(breakdown.kind, str(breakdown)))
    only = next((entry.name for entry in report.entries if entry.status != PASS), None)
    if settings.target is None:
        report.again = f"the same call with seed={settings.seed}" + (f", only={only!r}" if only else "")
    else:
        report.again = f"npvae gradcheck {settings.target} --seed {settings.seed}" + (f" --only {only}" if only else "")
    report.seconds = time.perf_counter() - start
    return report


def _check(subject: Subject, settings: Settings, report: Report, narrow: bool) -> None:
    rng = np.random.default_rng(settings.seed)
    findings, point = preflight(subject, rng, settings.rtol)
    report.findings += findings
    if subject.chosen:
        report.findings.append(Finding("input", f"{subject.chosen} by the checker", fails=False))
    if any(finding.kind in UNSTEADY for finding in findings):
        return
    if narrow if settings.float32 is None else settings.float32:
        report.findings += check_float32(subject, draw_upstream(rng, point))
    probes = draw_probes(point, settings.probes, settings.seed)
    report.findings += _unchecked(point, probes, settings)
    report.entries = judge_all(point, settings, probes)
    doubtful = any(entry.status != PASS or entry.spread for entry in report.entries)
    if doubtful and (point.branches.ties or any(entry.spread for entry in report.entries)):
        report.entries, point = settle(point, report.entries, probes, judge_all, settings)
    failed = [entry for entry in report.entries if entry.status == FAIL]
    if settings.explain and failed:
        from npvae.diagnosis import explain_failures  # loaded only where something is wrong

        explain_failures(point, settings, report, failed)
    for entry in report.entries:
        entry.name = subject.label(entry.name)


def _unchecked(point: Point, probes: dict[str, list[Probe]], settings: Settings) -> list[Finding]:
    """Tensors whose gradient did not come back, and gradients that are all zero."""
    findings = []
    for name in point.tensors:
        if name not in probes and point.tensors[name].size and not point.subject.group:
            text = f"backward returned no gradient of {name}: it was not checked"
            findings.append(Finding("not checked", text, name, fails=settings.strict))
        elif name in probes and not any(np.any(probe.gradient) for probe in probes[name]):
            findings.append(Finding("zero gradient", f"the gradient of {name} is zero everywhere", name, fails=False))
    return findings
