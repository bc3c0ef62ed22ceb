"""The order of things: preflight, probes, verdicts, kinks, and on a failure the part to blame and an explanation."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from npvae.gradcheck.atkink import settle
from npvae.gradcheck.point import Point, Probe, draw_probes, draw_upstream
from npvae.gradcheck.preflight import UNSTEADY, check_float32, preflight
from npvae.gradcheck.report import FAIL, PASS, Entry, Finding, Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Breakdown, Subject, Tensors
from npvae.gradcheck.verdict import judge

EXPLAINED = 3
EXPLAINING_PROBES = 3
BY_ITSELF = "is wrong by itself"


def check(subject: Subject, settings: Settings) -> Report:
    """Check every gradient of a subject."""
    start = time.perf_counter()
    report = Report(subject.name)
    narrow = any(tensor.dtype == np.float32 for tensor in subject.tensors.values())
    subject = replace(subject, tensors={name: np.array(t, dtype=np.float64) for name, t in subject.tensors.items()})
    try:
        _check(subject, settings, report, narrow)
    except Breakdown as breakdown:
        report.findings.append(Finding(breakdown.kind, str(breakdown)))
    only = next((entry.name for entry in report.entries if entry.status != PASS), None)
    if settings.target is not None:
        report.again = f"npvae gradcheck {settings.target} --seed {settings.seed}" + (f" --only {only}" if only else "")
    else:
        report.again = f"the same call with seed={settings.seed}" + (f", only={only!r}" if only else "")
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
    report.entries = _judge_all(point, settings, probes)
    doubtful = any(entry.status != PASS or entry.spread for entry in report.entries)
    if doubtful and (point.branches.ties or any(entry.spread for entry in report.entries)):
        report.entries, point = settle(point, report.entries, probes, _judge_all, settings)
    failed = [entry for entry in report.entries if entry.status == FAIL]
    if settings.explain and failed:
        _explain(point, settings, report, failed)
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


def _judge_all(point: Point, settings: Settings, probes: dict[str, list[Probe]] | None = None) -> list[Entry]:
    entries = []
    for name, own in (probes or draw_probes(point, settings.probes, settings.seed)).items():
        if settings.selects(point.subject.label(name)):
            if settings.on_progress is not None:
                settings.on_progress(name)
            entries.append(judge(name, own, settings))
    return entries


def _explain(point: Point, settings: Settings, report: Report, failed: list[Entry]) -> None:
    from npvae.diagnosis import explain  # loaded only where something is wrong

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


def blame(subject: Subject, tensors: Tensors, settings: Settings) -> list[str]:
    """Which part of a subject that failed at `tensors` is wrong by itself, and how.

    For every part ⟨Jv, u⟩ = ⟨v, Jᵀu⟩ must hold. A wrong part spoils the gradients of everything that lies before it,
    so many tensors may be wrong although one line is.
    """
    from npvae.diagnosis import explain

    try:
        parts = subject.parts(tensors) if subject.parts is not None else []
    except Exception:
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
            probes = draw_probes(point, EXPLAINING_PROBES, settings.seed)
            return [f"{part.name} {BY_ITSELF}: the gradient of {names}.", *explain(wrong[0], probes, settings)]
    if not parts:
        return []
    names = ", ".join(dict.fromkeys(part.name.partition(".")[0] for part in parts))
    return [f"Each of its parts is right by itself ({names}): the error is in how they are joined."]


def _wrong_entries(point: Point, settings: Settings) -> list[Entry]:
    """The tensors whose gradient is wrong; what cannot be judged, or lies on a kink, convicts nobody."""
    try:
        wrong = [entry for entry in _judge_all(point, settings) if entry.status == FAIL]
        return [] if wrong and point.branches.ties else wrong
    except Breakdown:
        return []
