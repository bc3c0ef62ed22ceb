"""What kind of mistake is it? A bank of guesses, each tried on every probe.

A guess is another gradient that would have been right: twice as large, transposed, without a term that is
proportional to the parameter. If it agrees with the numeric side in all probes, chance is out of the question, and
the guess can be said in words. Only the last one calls the code again: what would backward make of another upstream
gradient?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.point import Probe

LARGEST = 1_000
"""Size up to which a matrix is inverted for a guess."""
LOOSE = 1e-8
NEAR_ONE = 1e-5
"""A factor closer to one than this explains nothing: it fits gradients that are right but for a few elements."""


@dataclass(frozen=True)
class Hint:
    """A guess that fits: a formula for the line of numbers, and a sentence."""

    formula: str
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    For each probe the numeric side, the slack it may be off by, and the analytic gradients of all tensors; and sizes
    that a factor could come from, in words.
    """

    name: str
    probes: list[Probe]
    numeric: list[float]
    slack: list[float]
    gradients: dict[str, list[NDArray]]
    sizes: dict[int, str]

    @property
    def own(self) -> list[NDArray]:
        """The gradient itself, for each probe."""
        return self.gradients[self.name]

    @property
    def tensor(self) -> NDArray:
        """The tensor."""
        return self.probes[0].line.point.tensors[self.name]

    def slopes(self, gradients: list[NDArray]) -> NDArray:
        """⟨g, v⟩ for each probe."""
        return np.array([float((g * p.line.direction).sum()) for g, p in zip(gradients, self.probes, strict=True)])

    def fits(self, gradients: list[NDArray]) -> bool:
        """Whether these gradients would have been right."""
        if any(g.shape != self.tensor.shape or not np.isfinite(g).all() for g in gradients):
            return False
        size = np.array([np.linalg.norm(g * p.line.direction) for g, p in zip(gradients, self.probes, strict=True)])
        return bool(np.all(np.abs(self.slopes(gradients) - self.numeric) <= np.maximum(self.slack, LOOSE * size)))

    def common_factor(self, top: NDArray, bottom: NDArray) -> float | None:
        """The number c with top = c·bottom on all probes, if there is one."""
        square = float(bottom @ bottom)
        factor = float(top @ bottom) / square if square else 0.0
        slack = np.maximum(self.slack, 1e-6 * np.abs(top))
        fits = np.all(np.abs(top) > self.slack) and np.all(np.abs(top - factor * bottom) <= slack)
        return factor if factor and fits else None


def diagnose(evidence: Evidence) -> Hint | None:
    """The first guess that fits all probes."""
    guesses = (_zero, _factor, _rearranged, _transposed, _mistaken, _term, _product, _upstream)
    return next(filter(None, (guess(evidence) for guess in guesses)), None)


def _zero(evidence: Evidence) -> Hint | None:
    if not any(np.any(g) for g in evidence.own):
        return Hint("analytic = 0", f"The gradient of {evidence.name} is all zeros: backward never writes it.")
    if np.all(np.abs(evidence.numeric) <= evidence.slack):
        return Hint("numeric = 0", f"The output does not depend on {evidence.name}: its gradient should be zero.")
    return None


def _factor(evidence: Evidence) -> Hint | None:
    factor = evidence.common_factor(np.array(evidence.numeric), evidence.slopes(evidence.own))
    if factor is None or abs(factor - 1.0) < NEAR_ONE:
        return None
    formula = f"numeric = {_number(factor)} × analytic"
    known = {-1.0: ("numeric = −analytic", "The sign is wrong.")}
    for size, meaning in evidence.sizes.items():
        if size > 2:
            known[size] = formula, f"{size} is {meaning}: a mean over it where a sum is meant."
            known[1 / size] = (
                f"numeric = analytic / {size}",
                f"{size} is {meaning}: a sum over it where a mean is meant.",
            )
    known[2.0] = formula, "A factor 2 is missing (from a square? or a ½ too much?)."
    known[0.5] = formula, "A factor ½ is missing (from ½x², or from exp(½ log_var)?)."
    for value, hint in known.items():
        if np.isclose(factor, value, rtol=1e-6):
            return Hint(*hint)
    return Hint(formula, f"The gradient is wrong by the constant factor {_number(factor)}.")


def _rearranged(evidence: Evidence) -> Hint | None:
    for formula, words, rearranged in _rearrangements(evidence.tensor.shape):
        if evidence.fits([rearranged(g) for g in evidence.own]):
            return Hint(f"numeric = {formula}", f"{evidence.name}'s gradient is {words}.")
    return None


def _rearrangements(shape: tuple[int, ...]) -> Iterator[tuple[str, str, Callable[[NDArray], NDArray]]]:
    if len(shape) == 2 and shape[0] == shape[1]:
        yield "analytic.T", "the transpose of what it should be", np.transpose
        yield "−analytic.T", "the transpose of what it should be, with the wrong sign", lambda g: -g.T
    if len(shape) > 1:
        words = "analytic, reshaped", "read in the wrong order: a reshape that should have been a transpose"
        yield *words, lambda g: g.ravel(order="F").reshape(shape)
        yield *words, lambda g: g.reshape(shape[::-1]).T
    for axis, size in enumerate(shape):
        for shift in (1, -1):
            words = f"np.roll(analytic, {shift}, {axis})", f"shifted by one along axis {axis}"
            yield *words, lambda g, shift=shift, axis=axis: np.roll(g, shift, axis)
        yield f"np.flip(analytic, {axis})", f"reversed along axis {axis}", lambda g, axis=axis: np.flip(g, axis)
        if size % 2 == 0 and size > 2:
            words = (
                f"the halves of analytic swapped on axis {axis}",
                f"swapped by halves along axis {axis} (mu and log_var?)",
            )
            yield *words, lambda g, axis=axis, half=size // 2: np.roll(g, half, axis)


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
            sentence = f"The gradient returned as that of {other} is that of {evidence.name}: the names are swapped."
            return Hint(f"numeric = analytic gradient of {other}", sentence)
    return None


def _term(evidence: Evidence) -> Hint | None:
    """Analytic minus numeric is a multiple of something known."""
    excess = evidence.slopes(evidence.own) - evidence.numeric
    for words, arrays in _companions(evidence):
        factor = evidence.common_factor(excess, evidence.slopes(arrays))
        if factor is None:
            continue
        if words == evidence.name:
            sentence = f"The error is {_number(factor)} × {words} itself: a hidden weight decay."
        elif factor < 0:
            sentence = f"A term is missing: {_number(-factor)} × {words}."
        else:
            sentence = f"The gradient has {_number(factor)} × {words} too much."
        return Hint(f"analytic = numeric {'+' if factor > 0 else '−'} {_number(abs(factor))} × {words}", sentence)
    return None


def _product(evidence: Evidence) -> Hint | None:
    """Numeric is analytic times something known, element by element."""
    for words, arrays in _companions(evidence):
        for factor, times in ((1.0, ""), (0.5, "0.5 × "), (2.0, "2 × ")):
            with np.errstate(all="ignore"):
                product = [factor * g * a for g, a in zip(evidence.own, arrays, strict=True)]
                quotient = [factor * g / a for g, a in zip(evidence.own, arrays, strict=True)]
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


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
