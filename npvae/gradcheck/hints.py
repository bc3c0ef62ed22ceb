"""What kind of mistake is it? A bank of guesses, each tried on every probe.

A guess is another gradient that would have been right: twice as large, transposed, without a term that is proportional to
the parameter. If it agrees with the numeric side in all probes, chance is out of the question, and the guess can be said
in words. No guess needs another evaluation of the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.probes import Probe

__all__ = ["Evidence", "Hint", "diagnose"]

LOOSE = 1e-8


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    Attributes
    ----------
    name : str
    probes : list of Probe
    numeric : list of float
        The numeric side of each probe.
    slack : list of float
        What each may be off by.
    gradients : dict of str to list of arrays
        The analytic gradients of the other tensors, one for each probe.
    sizes : dict of int to str
        Sizes that a factor could come from, in words.
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
        return [probe.gradient for probe in self.probes]

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
        size = np.array(
            [float(np.linalg.norm(g * p.line.direction)) for g, p in zip(gradients, self.probes, strict=True)]
        )
        return bool(np.all(np.abs(self.slopes(gradients) - self.numeric) <= np.maximum(self.slack, LOOSE * size)))

    def common_factor(self, top: NDArray, bottom: NDArray) -> float | None:
        """The number c with top = c·bottom on all probes, if there is one."""
        square = float(bottom @ bottom)
        factor = float(top @ bottom) / square if square else 0.0
        slack = np.maximum(self.slack, 1e-6 * np.abs(top))
        if factor and np.all(np.abs(top) > self.slack) and np.all(np.abs(top - factor * bottom) <= slack):
            return factor
        return None


@dataclass(frozen=True)
class Hint:
    """A guess that fits: a formula for the line of numbers, and a sentence."""

    formula: str
    sentence: str


def diagnose(evidence: Evidence) -> Hint | None:
    """The first guess that fits all probes."""
    for guess in (_zero, _factor, _rearranged, _mistaken, _term, _product):
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
    for words, arrays in _companions(evidence):
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
    for words, arrays in _companions(evidence):
        for factor in (1.0, 0.5, 2.0):
            times = "" if factor == 1.0 else f"{_number(factor)} × "
            with np.errstate(all="ignore"):
                product = [factor * g * a for g, a in zip(evidence.own, arrays, strict=True)]
                quotient = [factor * g / a for g, a in zip(evidence.own, arrays, strict=True)]
            if evidence.fits(product):
                formula = f"numeric = {times}analytic × {words}"
                return Hint(formula, f"The factor {times}{words} is missing{_known_derivative(words)}.")
            if evidence.fits(quotient):
                return Hint(f"numeric = {times}analytic / ({words})", f"There is a factor {words} too much.")
    return None


def _known_derivative(words: str) -> str:
    if words.startswith("(1 −"):
        return ", the derivative of tanh"
    if "(1 − " in words:
        return ", the derivative of the sigmoid"
    return ", the derivative of the rectifier" if words.endswith("> 0)") else ""


def _companions(evidence: Evidence) -> Iterator[tuple[str, list[NDArray]]]:
    """Arrays of the tensor's shape from which a term or factor could have come, one for each probe."""
    count, shape = len(evidence.probes), evidence.tensor.shape
    yield evidence.name, [evidence.tensor] * count
    yield "1", [np.ones(shape)] * count
    point = evidence.probes[0].line.point
    many = len(point.outputs) > 1
    for i, y in enumerate(point.outputs):
        if y.shape == shape and y.ndim:
            label = f"y[{i}]" if many else "y"
            yield f"d{label}", [np.asarray(probe.line.upstream[i]) for probe in evidence.probes]
            yield from _functions_of(label, y, count)
    for other, tensor in point.tensors.items():
        if tensor.shape == shape:
            if other != evidence.name:
                yield other, [tensor] * count
            yield from _functions_of(other, tensor, count)
    for other, gradients in evidence.gradients.items():
        if other != evidence.name and gradients[0].shape == shape:
            yield f"d{other}", gradients


def _functions_of(label: str, array: NDArray, count: int) -> Iterator[tuple[str, list[NDArray]]]:
    with np.errstate(all="ignore"):
        yield label, [array] * count
        yield f"(1 − {label}²)", [1.0 - array**2] * count
        yield f"{label} (1 − {label})", [array * (1.0 - array)] * count
        yield f"({label} > 0)", [(array > 0) * 1.0] * count
        yield f"exp({label})", [np.exp(array)] * count
        yield f"exp(½ {label})", [np.exp(0.5 * array)] * count
        yield f"{label}²", [array**2] * count


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
