"""Factors and rearrangements: a gradient that is right but for a number, or for the places of its elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from npvae.diagnosis.evidence import Evidence, Hint, number
from npvae.gradcheck.point import Point

LARGEST = 1_000
"""Size up to which a matrix is inverted for a guess."""
NEAR_ONE = 1e-5
"""A factor closer to one than this explains nothing: it fits gradients that are right but for a few elements."""
AXES = 4
"""Axes up to which all permutations are tried: 24."""
SHIFTS = 64
"""Size of an axis up to which all shifts are tried."""
BLOCKS = (3, 4)
"""Numbers of equal blocks of which all orders are tried: the gates of a GRU, of an LSTM."""

Rearranged = Iterator[tuple[str, str, Callable[[NDArray], NDArray]]]


def sizes_of(point: Point, name: str) -> dict[int, list[str]]:
    """Sizes a wrong factor may come from, each with its meanings in words, the most likely one first."""
    inputs = {key: t.shape for key, t in point.tensors.items() if key not in point.subject.required}
    outputs = [y.shape for y in point.outputs]
    found: dict[int, list[str]] = {size: [words] for size, words in point.subject.sizes.items()}
    for known in (*outputs, *inputs.values()):
        if len(known) > 1:
            found.setdefault(known[0], []).append("the batch size")
    for y in outputs:
        found.setdefault(int(np.prod(y)), []).append("the number of all outputs")
    named = [("output", y) for y in outputs]
    named += [] if name in inputs else [("tensor", point.tensors[name].shape)]
    for what, shape in (*named, *(("input", shape) for shape in inputs.values())):
        for axis, size in enumerate(shape):
            batch = axis == 0 and "the batch size" in found.get(size, ()) and len(shape) > 1
            if not batch:
                found.setdefault(size, []).append(f"the size of the {what} along axis {axis}")
        for count in range(2, len(shape) + 1):
            for axes in combinations(range(len(shape)), count):
                product = int(np.prod([shape[axis] for axis in axes]))
                found.setdefault(product, []).append(f"that of the {what} over axes {' and '.join(map(str, axes))}")
    return {size: list(dict.fromkeys(words)) for size, words in found.items()}


def factor(evidence: Evidence) -> Hint | None:
    """Numeric is a constant times analytic; the constant may be a size, its root, or that of a square."""
    value = evidence.common_factor(np.array(evidence.numeric), evidence.slopes(evidence.own))
    if value is None:
        return None
    if abs(value - 1.0) < NEAR_ONE:
        return _rounded(evidence, value - 1.0)
    if np.isclose(value, -1.0, rtol=1e-6):
        return Hint("numeric = −analytic", "The sign is wrong.")
    meanings = _meanings(abs(value), evidence.sizes)
    formula, sentence = meanings[0] if meanings else ("", "")
    for size, words in meanings[1:]:
        sentence += f" Or: {words}" if size else ""
    if not sentence:
        sentence = f"The gradient is wrong by the constant factor {number(value)}."
    elif value < 0:
        sentence = f"The sign is wrong, and a factor: {sentence}"
    return Hint(formula if formula and value > 0 else f"numeric = {number(value)} × analytic", sentence)


def _rounded(evidence: Evidence, excess: float) -> Hint | None:
    """Numeric is analytic times nearly one, by the same part in every probe: what a constant of few digits does."""
    numeric = np.array(evidence.numeric)
    left = numeric - (1.0 + excess) * evidence.slopes(evidence.own)
    if np.any(np.abs(excess * numeric) <= evidence.slack) or np.any(np.abs(left) > evidence.slack):
        return None
    formula = f"numeric = (1 {'+' if excess > 0 else '−'} {number(abs(excess))}) × analytic"
    return Hint(formula, "Right but for a constant factor that is nearly one: a constant has too few digits.")


def _meanings(value: float, sizes: dict[int, list[str]]) -> list[tuple[str, str]]:
    """What a factor may be, as formula and sentence."""
    found = []
    for wanted, sentence in (
        (2.0, "A factor 2 is missing (from a square? or a ½ too much?)."),
        (0.5, "A factor ½ is missing (from ½x², or from exp(½ log_var)?)."),
    ):
        if np.isclose(value, wanted, rtol=1e-6):
            found.append((f"numeric = {number(wanted)} × analytic", sentence))
    for size, words in sizes.items():
        if size < 2:
            continue
        also = f"{size} is {', and '.join(words[:3])}"
        for wanted, formula, what in (
            (size, f"{size} × analytic", "a mean over it where a sum is meant."),
            (1 / size, f"analytic / {size}", "a sum over it where a mean is meant."),
            (size**0.5, f"√{size} × analytic", "a factor √n is missing."),
            (size**-0.5, f"analytic / √{size}", "a factor √n too much."),
        ):
            if np.isclose(value, wanted, rtol=1e-6):
                found.append((f"numeric = {formula}", f"{also}: {what}"))
    return found


def rearranged(evidence: Evidence) -> Hint | None:
    """The values are right, but in other places; or so are those of the upstream gradient."""
    name = evidence.name
    for formula, words, change in rearrangements(evidence.tensor.shape):
        if evidence.fits(change(g) for g in evidence.own):
            return Hint(f"numeric = {formula.format('analytic')}", f"{name}'s gradient is {words}.")
    return None


def upstream_rearranged(evidence: Evidence) -> Hint | None:
    """Backward reads the upstream gradient in the wrong order, or that of another output."""
    point = evidence.point
    if not point.subject.takes_upstream:
        return None
    for i, y in enumerate(point.outputs):
        for formula, words, change in rearrangements(y.shape):
            if evidence.fits_upstream(lambda us, i=i, change=change: (*us[:i], change(us[i]), *us[i + 1 :])):
                label = "dy" if len(point.outputs) == 1 else f"dy[{i}]"
                text = f"Backward reads {label} as if it were {words.replace(' of what it should be', '')}."
                return Hint(f"right for {formula.format(label)}", text)
    for i, j in combinations(range(len(point.outputs)), 2):
        if point.outputs[i].shape == point.outputs[j].shape:
            order = list(range(len(point.outputs)))
            order[i], order[j] = j, i
            if evidence.fits_upstream(lambda us, order=order: tuple(us[k] for k in order)):
                return Hint(f"right for dy[{i}] ↔ dy[{j}]", f"The upstream gradients {i} and {j} are swapped.")
    return None


def rearrangements(shape: Sequence[int]) -> Rearranged:
    """Ways in which an array gets out of order: a formula with {} for it, words, and the way back."""
    shape = tuple(shape)
    if len(shape) == 2 and shape[0] == shape[1]:
        yield "{}.T", "the transpose of what it should be", np.transpose
        yield "−{}.T", "the transpose of what it should be, with the wrong sign", lambda g: -g.T
    yield from _permuted(shape)
    yield from _shifted(shape)
    for count in range(1, len(shape) + 1):
        for axes in combinations([axis for axis, size in enumerate(shape) if size > 1], count):
            along = " and ".join(map(str, axes))
            words = f"reversed along ax{'i' if count == 1 else 'e'}s {along}"
            places = str(axes[0]) if count == 1 else str(axes)
            yield f"np.flip({{}}, {places})", words, lambda g, axes=axes: np.flip(g, axes)


def _permuted(shape: tuple[int, ...]) -> Rearranged:
    """Axes in another order, or a reshape where a transpose is meant."""
    if not 1 < len(shape) <= AXES:
        return
    words = "{}, reshaped", "read in the wrong order: a reshape that should have been a transpose"
    identity = tuple(range(len(shape)))
    for order in permutations(identity):
        if order == identity:
            continue
        back = tuple(int(i) for i in np.argsort(order))
        if len(shape) > 2 and tuple(shape[i] for i in order) == shape:
            yield f"np.transpose({{}}, {order})", "with its axes permuted", lambda g, order=order: g.transpose(order)
        whole = tuple(shape[i] for i in order)
        yield *words, lambda g, order=order: g.transpose(order).reshape(shape)
        yield *words, lambda g, back=back, whole=whole: g.reshape(whole).transpose(back)


def _shifted(shape: tuple[int, ...]) -> Rearranged:
    """Shifts along an axis, which are two blocks swapped as well, and equal blocks in another order."""
    for axis, size in enumerate(shape):
        half = size // 2 if size % 2 == 0 and size > 2 else 0
        for shift in (1, -1, *range(2, size - 1 if size <= SHIFTS else 0), *((half,) if size > SHIFTS else ())):
            words = f"shifted by one along axis {axis}"
            formula = f"np.roll({{}}, {shift}, {axis})"
            if shift == half:
                words = f"swapped by halves along axis {axis} (mu and log_var? two blocks of a concatenation?)"
                formula = f"the halves of {{}} swapped on axis {axis}"
            elif abs(shift) > 1:
                words = f"swapped along axis {axis}: its last {shift} elements should be the first (two blocks?)"
            yield formula, words, lambda g, shift=shift, axis=axis: np.roll(g, shift, axis)
        for count in BLOCKS:
            if size % count == 0 and size > count:
                for order in permutations(range(count)):
                    index = np.arange(size).reshape(count, -1)[list(order)].ravel()
                    words = f"in blocks that are swapped along axis {axis}: of {count} they should be {order}"
                    formula = f"np.take({{}}, blocks {order}, {axis})"
                    yield formula, words, lambda g, index=index, axis=axis: np.take(g, index, axis)


def transposed(evidence: Evidence) -> Hint | None:
    """A product with a square matrix where one with its transpose is meant: undone by its inverse, and done right."""
    shape = evidence.tensor.shape or (0,)
    for other, matrix in evidence.point.tensors.items():
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


def shape_hint(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Why a gradient may have another shape than its tensor; empty if nothing is known."""
    extra = len(got) - len(expected)
    if extra > 0 and got[extra:] == expected:
        what = "axis 0" if extra == 1 else f"axes {tuple(range(extra))}"
        return f": {what} was broadcast in the forward and has to be summed over in the backward"
    if len(got) == 2 and got[::-1] == expected:
        return ": it is the transpose of what it should be"
    summed = [axis for axis, (a, b) in enumerate(zip(got, expected, strict=False)) if b == 1 != a]
    if extra == 0 and summed:
        return f": axis {summed[0]} was broadcast in the forward and has to be summed over with keepdims=True"
    return ": a reshape is missing" if np.prod(got, dtype=int) == np.prod(expected, dtype=int) else ""


def own_part(name: str, gradient: NDArray, tensor: NDArray) -> str:
    """What a gradient is that comes from no output."""
    square = float((tensor * tensor).sum())
    value = float((gradient * tensor).sum()) / square if square else 0.0
    if value and np.allclose(gradient, value * tensor, rtol=1e-9, atol=0.0):
        return f"it is {value:.6g} × {name}, a hidden weight decay"
    return "it has a part that does not come from the output"
