"""What kind of mistake is it? A bank of guesses, each tried on every probe.

A guess is another gradient that would have been right: twice as large, transposed, without a term that is
proportional to the parameter. If it agrees with the numeric side in all probes, chance is out of the question, and
the guess can be said in words. Only the last one calls the code again: what would backward make of another upstream
gradient?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from npvae.diagnosis.evidence import Evidence, Hint, number
from npvae.diagnosis.factors import factor, rearranged, transposed, upstream_rearranged
from npvae.diagnosis.uses import forgotten
from npvae.gradcheck.numeric import STEP, complex_step
from npvae.gradcheck.subject import Breakdown

SAMPLE = 12
"""Elements looked at one by one before it is said that all of a kind are wrong."""
SMALL = 200
"""Elements of a tensor, and shares of each, up to which the shares of the outputs in its gradient are told apart."""


def diagnose(evidence: Evidence) -> Hint | None:
    """The first guess that fits all probes."""
    guesses = (
        *(_zero, _lost_output, factor, rearranged, transposed, _mistaken, _term, _product, _upstream, _region),
        *(upstream_rearranged, _single_share, forgotten),
    )
    for guess in guesses:
        try:
            hint = guess(evidence)
        except Exception:  # numbers or code that a guess cannot cope with: it explains nothing, and spoils nothing
            continue
        if hint is not None:
            return hint
    return None


def _zero(evidence: Evidence) -> Hint | None:
    if not any(np.any(g) for g in evidence.own):
        return Hint("analytic = 0", f"The gradient of {evidence.name} is all zeros: backward never writes it.")
    if np.all(np.abs(evidence.numeric) <= evidence.slack):
        return Hint("numeric = 0", f"The output does not depend on {evidence.name}: its gradient should be zero.")
    return None


def _lost_output(evidence: Evidence) -> Hint | None:
    """The gradient is that of all outputs but one, or of one alone."""
    outputs, name = evidence.point.outputs, evidence.name
    if len(outputs) < 2 or not evidence.point.subject.takes_upstream:
        return None
    for lost in (True, False):
        for i in range(len(outputs)):
            if evidence.right_for(
                lambda us, i=i, lost=lost: tuple(u * ((k == i) != lost) for k, u in enumerate(us)),
            ):
                kept = f"Only the upstream gradient of output {i} reaches the gradient of {name}: the others are lost."
                gone = f"The upstream gradient of output {i} is lost: it does not reach the gradient of {name}."
                return Hint(f"right for dy[{i}] {'= 0' if lost else 'alone'}", gone if lost else kept)
    return None


def _region(evidence: Evidence) -> Hint | None:
    """Wrong exactly where something is negative, positive, or beyond one."""
    arrays = {evidence.name: evidence.tensor}
    arrays |= {f"y[{i}]" if i else "y": y for i, y in enumerate(evidence.point.outputs)}
    arrays |= {name: tensor for name, tensor in evidence.point.tensors.items() if name != evidence.name}
    for label, values in arrays.items():
        if values.shape != evidence.tensor.shape or not values.ndim:
            continue
        for words, mask in (
            (f"{label} < 0", values < 0),
            (f"{label} > 0", values > 0),
            (f"|{label}| > 1", np.abs(values) > 1),
            (f"|{label}| < 1", np.abs(values) < 1),
        ):
            if _is_wrong_exactly(evidence, mask):
                return Hint(f"wrong where {words}", f"Wrong exactly where {words}: look at that branch.")
    return None


def _is_wrong_exactly(evidence: Evidence, mask: NDArray) -> bool:
    if not mask.any() or mask.all():
        return False
    for probe, slack in zip(evidence.probes, evidence.slack, strict=True):
        if evidence.wrong_along(~mask, probe, slack) is not False:
            return False
    chosen = np.flatnonzero(mask)
    chosen = chosen if chosen.size <= SAMPLE else np.random.default_rng(0).choice(chosen, SAMPLE, replace=False)
    alone = (np.arange(mask.size) == index for index in chosen)
    return all(evidence.wrong_along(one.reshape(mask.shape), evidence.probes[0], evidence.slack[0]) for one in alone)


def _single_share(evidence: Evidence) -> Hint | None:
    """Every element is the share of one index of the output alone, where several have one."""
    probe, point = evidence.probes[0], evidence.point
    if evidence.measure is not complex_step or not 1 < max(y.size for y in point.outputs) <= SMALL * SMALL:
        return None
    if evidence.tensor.size > SMALL or not point.subject.takes_upstream:
        return None
    shares = []
    for index in range(evidence.tensor.size):
        unit = (np.arange(evidence.tensor.size) == index).reshape(evidence.tensor.shape) * 1.0
        try:
            shares.append(replace(probe.line, direction=unit).terms(1j * STEP).imag / STEP)
        except Breakdown:
            return None
    gradient, slack, start = probe.gradient.ravel(), 1e-9 * float(np.abs(probe.gradient).max()), 0
    for i, y in enumerate(point.outputs):
        own = np.array([share[start : start + y.size] for share in shares]).reshape(len(shares), *y.shape)
        start += y.size
        label = f"y[{i}]" if len(point.outputs) > 1 else "y"
        for axis in range(y.ndim):
            parts = np.moveaxis(own, axis + 1, 1).reshape(len(shares), y.shape[axis], -1).sum(axis=2)
            several = (np.abs(parts) > slack).sum(axis=1) > 1
            one = np.any((np.abs(parts - gradient[:, None]) <= slack) & (np.abs(parts) > slack), axis=1)
            right = np.abs(parts.sum(axis=1) - gradient) <= slack
            if np.all(one | right) and np.any(several & one & ~right):
                return Hint(
                    f"right for one index on axis {axis} of {label}",
                    f"Where several indices on axis {axis} of {label} have a share in one element, only one of them "
                    "reaches it: `=` where `+=` is meant (with an index that repeats: np.add.at).",
                )
    return None


def _mistaken(evidence: Evidence) -> Hint | None:
    for other, gradients in evidence.gradients.items():
        if other != evidence.name and evidence.fits(gradients):
            sentence = f"The gradient returned as that of {other} is that of {evidence.name}: the names are swapped."
            return Hint(f"numeric = analytic gradient of {other}", sentence)
    return None


def _term(evidence: Evidence) -> Hint | None:
    """Analytic minus numeric is a multiple of something known."""
    excess = evidence.slopes(evidence.own) - evidence.numeric
    for words, arrays in _companions(evidence):
        multiple = evidence.common_factor(excess, evidence.slopes(arrays))
        if multiple is None:
            continue
        if words == evidence.name:
            sentence = f"The error is {number(multiple)} × {words} itself: a hidden weight decay."
        elif multiple < 0:
            sentence = f"A term is missing: {number(-multiple)} × {words}."
            sentence += " (`=` where `+=` is meant?)" if words[0] == "d" and multiple == -1.0 else ""
        else:
            sentence = f"The gradient has {number(multiple)} × {words} too much."
        return Hint(f"analytic = numeric {'+' if multiple > 0 else '−'} {number(abs(multiple))} × {words}", sentence)
    return None


def _product(evidence: Evidence) -> Hint | None:
    """Numeric is analytic times something known, element by element."""
    for words, arrays in _companions(evidence):
        if words == "1":  # a constant, which `factor` has judged
            continue
        for scale, times in ((1.0, ""), (0.5, "0.5 × "), (2.0, "2 × ")):
            with np.errstate(all="ignore"):
                product = [scale * g * a for g, a in zip(evidence.own, arrays, strict=True)]
                quotient = [scale * g / a for g, a in zip(evidence.own, arrays, strict=True)]
            if evidence.fits(product):
                return Hint(f"numeric = {times}analytic × {words}", f"The factor {times}{words} is missing.")
            if evidence.fits(quotient):
                return Hint(f"numeric = {times}analytic / ({words})", f"There is a factor {words} too much.")
    return None


def _upstream(evidence: Evidence) -> Hint | None:
    """Backward would be right if dy had been multiplied by, or divided by, the derivative of the last step."""
    point = evidence.probes[0].line.point
    if not point.subject.takes_upstream or len(point.outputs) != 1:
        return None
    for words, function, values in _derivatives(point.outputs[0], "y"):
        for sign, power, what in (("×", 1, "is missing"), ("/", -1, "is there once too often")):
            with np.errstate(all="ignore"):
                upstreams = [(probe.line.upstream[0] * values**power,) for probe in evidence.probes]
            if all(np.isfinite(u).all() for (u,) in upstreams) and evidence.fits(
                [point.gradients(u)[evidence.name] for u in upstreams]
            ):
                return Hint(f"right for dy {sign} {words}", f"The derivative of {function}, {words}, {what}.")
    return None


def _companions(evidence: Evidence) -> Iterator[tuple[str, list[NDArray]]]:
    """Arrays of the tensor's shape from which a term or factor could have come, one for each probe."""
    name, shape, point = evidence.name, evidence.tensor.shape, evidence.probes[0].line.point
    count = len(evidence.probes)
    yield name, [evidence.tensor] * count
    yield "1", [np.ones(shape)] * count
    for i, y in enumerate(point.outputs):
        if y.shape == shape and y.ndim:
            label = f"y[{i}]" if len(point.outputs) > 1 else "y"
            yield f"d{label}", [np.asarray(probe.line.upstream[i]) for probe in evidence.probes]
            yield from _functions_of(label, y, count)
    for other, tensor in point.tensors.items():
        if tensor.shape == shape:
            yield from _functions_of(other, tensor, count)
    for other, gradients in evidence.gradients.items():
        if other != name and gradients[0].shape == shape:
            yield f"d{other}", gradients


def _functions_of(label: str, y: NDArray, count: int) -> Iterator[tuple[str, list[NDArray]]]:
    with np.errstate(all="ignore"):
        known = {label: y, f"(1 + {label})": 1.0 + y, f"(1 − {label})": 1.0 - y}
        known |= {words: values for words, _, values in _derivatives(y, label)}
        known |= {f"exp({label})": np.exp(y), f"exp(½ {label})": np.exp(0.5 * y), f"{label}²": y**2}
    return ((words, [values] * count) for words, values in known.items())


def _derivatives(y: NDArray, label: str) -> Iterator[tuple[str, str, NDArray]]:
    """Derivatives of activations as functions of their output: formula, name, values."""
    with np.errstate(all="ignore"):
        yield f"(1 − {label}²)", "tanh", 1.0 - y**2
        yield f"{label} (1 − {label})", "the sigmoid", y * (1.0 - y)
        yield f"({label} > 0)", "the rectifier", (y > 0) * 1.0
        yield f"(1 − exp(−{label}))", "softplus", 1.0 - np.exp(-y)
        yield label, "exp", np.asarray(y)
