"""What kind of mistake is it? A bank of guesses, each tried on every probe.

A guess is another gradient that would have been right: twice as large, transposed, without a term that is
proportional to the parameter. If it agrees with the numeric side in all probes, chance is out of the question, and
the guess can be said in words. Only the last guess calls the code again: what would backward make of another
upstream gradient?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.evidence import Evidence, companions, derivatives

__all__ = ["Hint", "diagnose"]

LARGEST = 1_000
"""Size up to which a matrix is inverted for a guess."""


@dataclass(frozen=True)
class Hint:
    """A guess that fits: a formula for the line of numbers, and a sentence."""

    formula: str
    sentence: str


def diagnose(evidence: Evidence) -> Hint | None:
    """The first guess that fits all probes."""
    for guess in (_zero, _factor, _rearranged, _transposed, _mistaken, _term, _product, _upstream):
        hint = guess(evidence)
        if hint is not None:
            return hint
    return None


def _zero(evidence: Evidence) -> Hint | None:
    if not any(np.any(g) for g in evidence.own):
        return Hint("analytic = 0", f"The gradient of {evidence.name} is all zeros: backward never writes it.")
    if np.all(np.abs(evidence.numeric) <= evidence.slack):
        return Hint("numeric = 0", f"The output does not depend on {evidence.name}: its gradient should be zero.")
    return None


def _factor(evidence: Evidence) -> Hint | None:
    factor = evidence.common_factor(np.array(evidence.numeric), evidence.slopes(evidence.own))
    if factor is None:
        return None
    formula = f"numeric = {_number(factor)} × analytic"
    if np.isclose(factor, -1.0, rtol=1e-6):
        return Hint("numeric = −analytic", "The sign is wrong.")
    for size, meaning in evidence.sizes.items():
        if size > 2 and np.isclose(factor, size, rtol=1e-6):
            return Hint(formula, f"{size} is {meaning}: a mean over it where a sum is meant.")
        if size > 2 and np.isclose(factor, 1.0 / size, rtol=1e-6):
            return Hint(f"numeric = analytic / {size}", f"{size} is {meaning}: a sum over it where a mean is meant.")
    if np.isclose(factor, 2.0, rtol=1e-6):
        return Hint(formula, "A factor 2 is missing (from a square? or a ½ too much?).")
    if np.isclose(factor, 0.5, rtol=1e-6):
        return Hint(formula, "A factor ½ is missing (from ½x², or from exp(½ log_var)?).")
    return Hint(formula, f"The gradient is wrong by the constant factor {_number(factor)}.")


def _rearranged(evidence: Evidence) -> Hint | None:
    name, shape = evidence.name, evidence.tensor.shape
    for words, rearranged in _rearrangements(shape):
        if evidence.fits([rearranged(g) for g in evidence.own]):
            return Hint(f"numeric = {words[0]}", f"{name}'s gradient is {words[1]}.")
    return None


def _rearrangements(shape: tuple[int, ...]) -> Iterator[tuple[tuple[str, str], Callable[[NDArray], NDArray]]]:
    if len(shape) == 2 and shape[0] == shape[1]:
        yield ("analytic.T", "the transpose of what it should be"), np.transpose
        yield ("−analytic.T", "the transpose of what it should be, with the wrong sign"), lambda g: -g.T
    if len(shape) > 1:
        words = ("analytic, reshaped", "read in the wrong order: a reshape that should have been a transpose")
        yield words, lambda g: g.ravel(order="F").reshape(shape)
        yield words, lambda g: g.reshape(shape[::-1]).T
    for axis in range(len(shape)):
        for shift in (1, -1):
            words = (f"np.roll(analytic, {shift}, {axis})", f"shifted by one along axis {axis}")
            yield words, lambda g, shift=shift, axis=axis: np.roll(g, shift, axis)
        words = (f"np.flip(analytic, {axis})", f"reversed along axis {axis}")
        yield words, lambda g, axis=axis: np.flip(g, axis)
        if shape[axis] % 2 == 0 and shape[axis] > 2:
            words = (
                f"the halves of analytic swapped on axis {axis}",
                f"swapped by halves along axis {axis} (mu and log_var?)",
            )
            yield words, lambda g, axis=axis: np.roll(g, shape[axis] // 2, axis)


def _transposed(evidence: Evidence) -> Hint | None:
    """A product with a square matrix where one with its transpose is meant: undone by its inverse, and done right."""
    shape = evidence.tensor.shape or (0,)
    for other, matrix in evidence.probes[0].line.point.tensors.items():
        if matrix.ndim != 2 or len(matrix) != len(matrix.T) or not 1 < len(matrix) <= LARGEST:
            continue
        for used, meant, right in ((other, f"{other}.T", matrix.T), (f"{other}.T", other, matrix)):
            sentence = f"The gradient of {evidence.name} is multiplied by {used} where {meant} is meant: a transpose."
            try:
                right_of = [g @ np.linalg.solve(right.T, right) for g in evidence.own if shape[-1] == len(right)]
                left_of = [right @ np.linalg.solve(right.T, g) for g in evidence.own if shape[0] == len(right)]
            except np.linalg.LinAlgError:
                continue
            if right_of and evidence.fits(right_of):
                return Hint(f"numeric = analytic @ inv({used}) @ {meant}", sentence)
            if left_of and evidence.fits(left_of):
                return Hint(f"numeric = {meant} @ inv({used}) @ analytic", sentence)
    return None


def _mistaken(evidence: Evidence) -> Hint | None:
    for other, gradients in evidence.gradients.items():
        if other != evidence.name and evidence.fits(gradients):
            return Hint(
                f"numeric = analytic gradient of {other}",
                f"The gradient returned as that of {other} is that of {evidence.name}: the names are swapped.",
            )
    return None


def _term(evidence: Evidence) -> Hint | None:
    """Analytic minus numeric is a multiple of something known."""
    excess = evidence.slopes(evidence.own) - evidence.numeric
    name = evidence.name
    for words, arrays in companions(evidence):
        factor = evidence.common_factor(excess, evidence.slopes(arrays))
        if factor is None:
            continue
        formula = f"analytic = numeric {'+' if factor > 0 else '−'} {_number(abs(factor))} × {words}"
        if words == name:
            return Hint(formula, f"The error is {_number(factor)} × {name} itself: a hidden weight decay.")
        sentence = f"The gradient has {_number(factor)} × {words} too much."
        if factor < 0:
            sentence = f"A term is missing: {_number(-factor)} × {words}."
        return Hint(formula, sentence)
    return None


def _product(evidence: Evidence) -> Hint | None:
    """Numeric is analytic times something known, element by element."""
    for words, arrays in companions(evidence):
        for factor in (1.0, 0.5, 2.0):
            times = "" if factor == 1.0 else f"{_number(factor)} × "
            with np.errstate(all="ignore"):
                product = [factor * g * a for g, a in zip(evidence.own, arrays, strict=True)]
                quotient = [factor * g / a for g, a in zip(evidence.own, arrays, strict=True)]
            if evidence.fits(product):
                formula = f"numeric = {times}analytic × {words}"
                return Hint(formula, f"The factor {times}{words} is missing.")
            if evidence.fits(quotient):
                return Hint(f"numeric = {times}analytic / ({words})", f"There is a factor {words} too much.")
    return None


def _upstream(evidence: Evidence) -> Hint | None:
    """Backward would be right if dy had been multiplied by, or divided by, the derivative of the last step."""
    point = evidence.probes[0].line.point
    if not point.subject.takes_upstream or len(point.outputs) != 1:
        return None
    y = point.outputs[0]
    for words, function, values in derivatives(y):
        for sign, power in (("×", 1), ("/", -1)):
            with np.errstate(all="ignore"):
                upstreams = [(probe.line.upstream[0] * values**power,) for probe in evidence.probes]
            if not all(np.isfinite(u).all() for (u,) in upstreams):
                continue
            if evidence.fits([point.gradients(u)[evidence.name] for u in upstreams]):
                what = "is missing" if power == 1 else "is there once too often"
                return Hint(f"right for dy {sign} {words}", f"The derivative of {function}, {words}, {what}.")
    return None


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
