"""Which part is to blame: the parts of a chain or a model, each checked by itself.

For every part ⟨Jv, u⟩ = ⟨v, Jᵀu⟩ must hold. A wrong part spoils the gradients of everything that lies before it, so many
tensors may be wrong although one line is.
"""

from __future__ import annotations

from dataclasses import replace

from npvae.gradcheck.estimate import NoEstimate
from npvae.gradcheck.point import Point
from npvae.gradcheck.probes import draw_probes
from npvae.gradcheck.report import FAIL
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Breakdown, Subject
from npvae.gradcheck.verdict import judge

__all__ = ["blame"]


def blame(subject: Subject, settings: Settings) -> list[str]:
    """Sentences that say which part of a failing subject is wrong by itself."""
    try:
        parts = subject.parts() if subject.parts is not None else []
    except Exception:  # noqa: BLE001
        return []
    if not parts:
        return []
    quick = replace(settings, probes=1, full=False, only=None, explain=False, on_progress=None)
    # Backwards, because that is how an error travels.
    for part in reversed(parts):
        wrong = _wrong_tensors(part, quick)
        if wrong:
            deeper = blame(part, settings)
            sentence = f"{part.name} is wrong by itself: the gradient of {', '.join(wrong)}."
            return deeper if deeper and "by itself" in deeper[0] else [sentence]
    names = ", ".join(part.name for part in parts)
    return [f"Each of its parts is right by itself ({names}): the error is in how they are joined."]


def _wrong_tensors(part: Subject, settings: Settings) -> list[str]:
    wrong = []
    try:
        probes = draw_probes(Point(part, part.tensors), settings.probes, settings.seed)
    except Breakdown as breakdown:
        return [f"({breakdown})"]
    for name, own in probes.items():
        try:
            if judge(name, own, settings).status == FAIL:
                wrong.append(name)
        except (NoEstimate, Breakdown):
            continue
    return wrong
