"""The lines under a failure: where, by how much, and what it looks like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.culprit import Culprits, find_culprits
from npvae.gradcheck.evidence import Evidence
from npvae.gradcheck.hints import Hint, diagnose
from npvae.gradcheck.numeric import NoEstimate
from npvae.gradcheck.point import Point, Probe
from npvae.gradcheck.report import Entry
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.verdict import measure_called

__all__ = ["explain"]

SHOWN = 3


def explain(entry: Entry, probes: dict[str, list[Probe]], settings: Settings, spoiled: bool = False) -> list[str]:
    """Lines that explain the failure of one entry.

    Parameters
    ----------
    entry : Entry
    probes : dict of str to list of Probe
        Several probes of every tensor, with the same upstream gradients.
    settings : Settings
    spoiled : bool
        A part behind this tensor is known to be wrong, so that this gradient need not be to blame.
    """
    own, measure = probes[entry.name], measure_called(entry.method, settings)
    try:
        culprits = find_culprits(own[0], measure, entry.tolerance)
        estimates = [measure(probe.line) for probe in own]
    except NoEstimate as reason:
        return [f"numeric {entry.numeric:.6g}   analytic {entry.analytic:.6g}   ({reason})"]
    evidence = Evidence(
        name=entry.name,
        probes=own,
        numeric=[estimate.value for estimate in estimates],
        slack=[max(estimate.tolerance, entry.tolerance) for estimate in estimates],
        gradients={name: [probe.gradient for probe in others] for name, others in probes.items()},
        sizes=_sizes(own[0].line.point, entry.shape),
    )
    hint = diagnose(evidence)
    lines = _numbers(entry, culprits, hint, len(own))
    if hint is None and spoiled:
        return lines[:1]
    return [*lines, f"-> {_sentence(entry, culprits, hint, own[0].gradient)}"]


def _numbers(entry: Entry, culprits: Culprits, hint: Hint | None, count: int) -> list[str]:
    lines = []
    for element in culprits.elements[: SHOWN if hint is None else 1]:
        place = f"{entry.name}[{', '.join(map(str, element.index))}]" if element.index else entry.name
        lines.append(f"{place}  numeric {element.numeric:.6g}   analytic {element.analytic:.6g}")
        if hint is None and element.analytic:
            lines[-1] += f"   numeric = {element.numeric / element.analytic:.6g} × analytic there"
    if not lines:
        lines.append(f"along a random direction  numeric {entry.numeric:.6g}   analytic {entry.analytic:.6g}")
    if hint is not None:
        lines[0] += f"   {hint.formula} on {count} of {count} probes"
    return lines


def _sentence(entry: Entry, culprits: Culprits, hint: Hint | None, gradient: NDArray) -> str:
    if hint is not None:
        return f"{hint.sentence} {culprits.extent}".strip()
    if not culprits.everywhere and culprits.elements:
        element = culprits.elements[0]
        return f"{culprits.extent} The others agree: look at what is special about index {element.index}."
    if culprits.numeric is not None and _permuted(culprits.numeric, gradient):
        return f"The values of {entry.name}'s gradient are right, but in the wrong places. {culprits.extent}"
    return f"No factor, transpose, shift or missing term that is known here fits. {culprits.extent}".strip()


def _permuted(numeric: NDArray, analytic: NDArray) -> bool:
    return bool(np.allclose(np.sort(numeric, axis=None), np.sort(analytic, axis=None), rtol=1e-9, atol=0.0))


def _sizes(point: Point, shape: tuple[int, ...]) -> dict[int, str]:
    """Sizes a wrong factor may come from, the most likely meaning first."""
    sizes = dict(point.subject.sizes)
    inputs = [t for name, t in point.tensors.items() if name not in point.subject.required]
    for array in (*point.outputs, *inputs):
        if array.ndim > 1:
            sizes.setdefault(array.shape[0], "the batch size")
    for y in point.outputs:
        for axis in range(1, y.ndim):
            sizes.setdefault(y.shape[axis], f"the size of the output along axis {axis}")
        if y.ndim:
            sizes.setdefault(y.size, "the number of all outputs")
            sizes.setdefault(y.shape[0], "the length of the output")
    for axis, size in enumerate(shape):
        sizes.setdefault(size, f"the size of the tensor along axis {axis}")
    for array in inputs:
        for axis in range(array.ndim):
            sizes.setdefault(array.shape[axis], f"the size of the input along axis {axis}")
    return sizes
