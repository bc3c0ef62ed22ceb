"""Which part is to blame: the parts of a chain or a model, each checked by itself.

For every part ⟨Jv, u⟩ = ⟨v, Jᵀu⟩ must hold. A wrong part spoils the gradients of everything that lies before it, so
many tensors may be wrong although one line is.
"""

from __future__ import annotations

from dataclasses import replace

from npvae.gradcheck.estimate import NoEstimate
from npvae.gradcheck.explain import explain
from npvae.gradcheck.point import Point
from npvae.gradcheck.probes import draw_probes
from npvae.gradcheck.report import FAIL, Entry
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Breakdown, Subject, Tensors
from npvae.gradcheck.verdict import judge

__all__ = ["BY_ITSELF", "blame"]

BY_ITSELF = "is wrong by itself"
PROBES = 3


def blame(subject: Subject, tensors: Tensors, settings: Settings) -> list[str]:
    """Which part of a failing subject is wrong by itself, and how.

    Parameters
    ----------
    subject : Subject
    tensors : dict of arrays
        Where it failed.
    settings : Settings
    """
    try:
        parts = subject.parts(tensors) if subject.parts is not None else []
    except Exception:
        return []
    if not parts:
        return []
    quick = replace(settings, probes=1, full=False, only=None, explain=False, on_progress=None)
    # Backwards, because that is how an error travels.
    for part in reversed(parts):
        point = Point(part, part.tensors)
        wrong = _wrong_entries(point, quick)
        if wrong:
            deeper = blame(part, part.tensors, settings)
            if deeper and BY_ITSELF in deeper[0]:
                return [f"{part.name}, {deeper[0]}", *deeper[1:]]
            names = ", ".join(entry.name for entry in wrong)
            probes = draw_probes(point, PROBES, settings.seed)
            return [f"{part.name} {BY_ITSELF}: the gradient of {names}.", *explain(wrong[0], probes, settings)]
    names = ", ".join(dict.fromkeys(part.name.partition(".")[0] for part in parts))
    return [f"Each of its parts is right by itself ({names}): the error is in how they are joined."]


def _wrong_entries(point: Point, settings: Settings) -> list[Entry]:
    """The tensors whose gradient is wrong; what cannot be judged convicts nobody."""
    try:
        probes = draw_probes(point, settings.probes, settings.seed)
    except Breakdown:
        return []
    wrong = []
    for name, own in probes.items():
        try:
            entry = judge(name, own, settings)
            if entry.status == FAIL and not point.branches.ties:
                wrong.append(entry)
        except (NoEstimate, Breakdown):
            continue
    return wrong
