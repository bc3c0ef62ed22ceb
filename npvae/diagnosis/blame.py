"""Which part is to blame: of a chain or a model the one that is wrong by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from npvae.diagnosis.explain import explain
from npvae.gradcheck.layers import is_layer, layer_subject
from npvae.gradcheck.models import distribution_subjects, is_distribution, is_model
from npvae.gradcheck.point import Point, draw_probes
from npvae.gradcheck.report import FAIL, Entry, Report
from npvae.gradcheck.subject import Breakdown, Named, Subject, Tensors, run
from npvae.gradcheck.verdict import Settings, judge_all

EXPLAINED = 3
"""Failures explained: an error that spoils more tensors is the same one."""
EXPLAINING_PROBES = 3
"""Probes that a guess must fit: chance does not do it thrice."""
BY_ITSELF = "is wrong by itself"


def explain_failures(point: Point, settings: Settings, report: Report, failed: list[Entry]) -> None:
    """Write into the report what is to blame, and into the failed entries what it looks like."""
    report.blame = blame(point.subject, dict(point.tensors), settings) or _front(point, report)
    spoiled = any(BY_ITSELF in sentence for sentence in report.blame)
    probes = draw_probes(point, EXPLAINING_PROBES, settings.seed)
    for entry in failed[:EXPLAINED]:
        entry.explanation = explain(entry, probes, settings, spoiled)
    passed = len(report.entries) - len(failed)
    if passed and len(failed) <= EXPLAINED and not spoiled:
        others = "tensor passes" if passed == 1 else f"{passed} tensors pass"
        failed[-1].explanation[-1] += f" The other {others}."


def _front(point: Point, report: Report) -> list[str]:
    """If the first tensors, in the order of the arguments, are wrong and the last ones right: where that changes.

    Backward runs from the last to the first, and an error travels with it.
    """
    states = {entry.name: entry.status == FAIL for entry in report.entries}
    order = [name for name in point.tensors if name in states]
    count = sum(states.values())
    if count < 3 or count == len(order) or not all(states[name] for name in order[:count]):
        return []
    last, first = order[count - 1], order[count]
    return [
        f"Everything up to {last} is wrong, and from {first} on all is right: "
        f"the error lies in what backward does between {last} and {first}."
    ]


def parts_of(subject: Subject, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """The layers of a chain or the layers and distributions of a model, in the order of the forward."""
    if is_layer(subject.whole) and hasattr(subject.whole, "layers"):
        return _links(subject.whole, tensors, rng)
    return _rooms(subject.whole, tensors, rng) if is_model(subject.whole) else []


def _links(chain: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """Every layer of a chain, at the activations it sees there."""
    subjects, x = [], tensors["x"]
    for i, layer in enumerate(chain.layers):
        title = f"layer {i} ({type(layer).__name__})"
        subjects.append(layer_subject(layer, x, Named(tensors).section(str(i)), rng, title))
        x = run(subjects[-1], subjects[-1].tensors)[0][0]
    return subjects


def _rooms(model: object, tensors: Tensors, rng: np.random.Generator) -> list[Subject]:
    """The layers and distributions that a model is made of, in the order of its attributes."""
    subjects = []
    for attribute, part in vars(model).items():
        if is_layer(part):
            subjects.append(layer_subject(part, None, Named(tensors).section(attribute), rng, attribute))
        elif is_distribution(part):
            for subject in distribution_subjects(part, 3, rng):
                subject.name = f"{attribute}.{subject.name}"
                subjects.append(subject)
    return subjects


def blame(subject: Subject, tensors: Tensors, settings: Settings) -> list[str]:
    """Which part of a subject that failed at `tensors` is wrong by itself, and how.

    For every part ⟨Jv, u⟩ = ⟨v, Jᵀu⟩ must hold. A wrong part spoils the gradients of everything that lies before it,
    so many tensors may be wrong although one line is.
    """
    try:
        parts = parts_of(subject, tensors, np.random.default_rng([settings.seed, 2]))
    except Exception:
        return []
    quick = replace(settings, probes=1, full=False, only=None, explain=False)
    # Backwards, because that is how an error travels.
    for part in reversed(parts):
        point = Point(part, part.tensors)
        wrong = _wrong_entries(point, quick)
        if wrong:
            deeper = blame(part, part.tensors, settings)
            if deeper and BY_ITSELF in deeper[0]:
                return [f"{part.name}, {deeper[0]}", *deeper[1:]]
            names = ", ".join(entry.name for entry in wrong)
            probes = draw_probes(point, EXPLAINING_PROBES, settings.seed)
            return [f"{part.name} {BY_ITSELF}: the gradient of {names}.", *explain(wrong[0], probes, settings)]
    if not parts:
        return []
    names = ", ".join(dict.fromkeys(part.name.partition(".")[0] for part in parts))
    return [f"Each of its parts is right by itself ({names}): the error is in how they are joined."]


def _wrong_entries(point: Point, settings: Settings) -> list[Entry]:
    """The tensors whose gradient is wrong; what cannot be judged, or lies on a kink, convicts nobody."""
    try:
        wrong = [entry for entry in judge_all(point, settings) if entry.status == FAIL]
        return [] if wrong and point.branches.ties else wrong
    except Breakdown:
        return []


def what_varies(point: Point) -> str:
    """Why two forwards of the same numbers may differ."""
    before, seeded = np.random.get_state(), []  # noqa: NPY002
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002
        seeded.append(point.run()[0])
    np.random.set_state(before)  # noqa: NPY002
    if all(map(np.array_equal, *seeded)):
        return "it draws from NumPy's global generator: draw the noise outside and pass it in as an argument"
    return "it keeps a generator or a state (a running mean?): draw the noise outside and pass it in as an argument"
