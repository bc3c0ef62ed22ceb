"""The order of things: preflight, probes, verdicts, kinks, explanation."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from npvae.gradcheck.descent import BY_ITSELF, blame
from npvae.gradcheck.estimate import NoEstimate
from npvae.gradcheck.explain import explain
from npvae.gradcheck.point import Point
from npvae.gradcheck.precision import check_float32
from npvae.gradcheck.preflight import UNSTEADY, preflight
from npvae.gradcheck.probes import Probe, direction, draw_probes, draw_upstream
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, Entry, Finding, Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Breakdown, Subject
from npvae.gradcheck.verdict import judge

__all__ = ["check"]

ASIDE = 1e-3
EXPLAINED = 3
EXPLAINING_PROBES = 3


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
    _say_again(report, settings)
    report.seconds = time.perf_counter() - start
    return report


def _check(subject: Subject, settings: Settings, report: Report, narrow: bool) -> None:
    rng = np.random.default_rng(settings.seed)
    findings, point = preflight(subject, rng)
    report.findings += findings
    if any(finding.kind in UNSTEADY for finding in findings):
        return
    if settings.float32 or (settings.float32 is None and narrow):
        report.findings += check_float32(subject, draw_upstream(rng, point))
    report.entries = _judge_all(point, settings)
    failed = [entry.name for entry in report.entries if entry.status == FAIL]
    if failed and point.branches.ties:
        aside = _step_aside(point, rng)
        if aside is None:
            note = f"the point lies on a kink ({', '.join(point.branches.ties)}), and there is no stepping aside"
            for entry in report.entries:
                entry.notes += [note] if entry.status == FAIL else []
        else:
            kinks = ", ".join(point.branches.ties)
            note = f"the point given lies on a kink of {kinks}: checked a step of {ASIDE:g} beside it"
            point = aside
            report.entries = _judge_all(point, settings, note)
    if settings.explain:
        _explain(point, settings, report)
    for entry in report.entries:
        entry.name = subject.label(entry.name)


def _judge_all(point: Point, settings: Settings, note: str | None = None) -> list[Entry]:
    entries = []
    for name, probes in draw_probes(point, settings.probes, settings.seed).items():
        if not settings.selects(point.subject.label(name)):
            continue
        if settings.on_progress is not None:
            settings.on_progress(name)
        try:
            entry = judge(name, probes, settings)
        except NoEstimate as reason:
            entry = _unknown(name, probes[0], str(reason))
        entry.notes += [note] if note else []
        entries.append(entry)
    return entries


def _unknown(name: str, probe: Probe, reason: str) -> Entry:
    nan = float("nan")
    return Entry(
        name=name,
        shape=probe.gradient.shape,
        status=INCONCLUSIVE,
        method="no method",
        numeric=nan,
        analytic=probe.analytic,
        error=nan,
        tolerance=float("inf"),
        scale=probe.scale,
        notes=[reason],
    )


def _step_aside(point: Point, rng: np.random.Generator) -> Point | None:
    """A point a little beside this one at which the forward works, on no kink if that can be had.

    It cannot where the code makes ties of its own: behind one rectifier, the next one meets exact zeros everywhere.
    """
    subject, tied = point.subject, None
    for names in filter(None, (tuple(point.tensors), subject.required)):
        moved = {
            name: tensor + ASIDE * direction(rng, tensor.shape) if name in names else tensor
            for name, tensor in point.tensors.items()
        }
        try:
            aside = Point(subject, moved)
            if not all(np.isfinite(y).all() for y in aside.outputs):
                continue
        except Breakdown:
            continue
        if not aside.branches.ties:
            return aside
        tied = tied or aside
    return tied


def _explain(point: Point, settings: Settings, report: Report) -> None:
    failed = [entry for entry in report.entries if entry.status == FAIL]
    if not failed:
        return
    report.blame = blame(point.subject, dict(point.tensors), settings)
    report.blame = report.blame or _front(point, report)
    spoiled = any(BY_ITSELF in sentence for sentence in report.blame)
    probes = draw_probes(point, EXPLAINING_PROBES, settings.seed)
    for entry in failed[:EXPLAINED]:
        entry.explanation = explain(entry, probes, settings, spoiled)
    passed = len(report.entries) - len(failed)
    if passed and len(failed) <= EXPLAINED and not spoiled:
        others = "the other tensor passes" if passed == 1 else f"the other {passed} tensors pass"
        failed[-1].explanation[-1] += f" {others[0].upper()}{others[1:]}."


def _front(point: Point, report: Report) -> list[str]:
    """If the first tensors, in the order of the arguments, are wrong and the last ones right: where that changes.

    Backward runs from the last to the first, and an error travels with it.
    """
    entries = {entry.name: entry for entry in report.entries}
    order = [name for name in point.tensors if name in entries]
    wrong = [entries[name].status == FAIL for name in order]
    count = sum(wrong)
    if count < 3 or count == len(order) or not all(wrong[:count]):
        return []
    return [
        f"Everything up to {order[count - 1]} is wrong, and from {order[count]} on all is right: "
        f"the error lies in what backward does between {order[count - 1]} and {order[count]}."
    ]


def _say_again(report: Report, settings: Settings) -> None:
    bad = [entry.name for entry in report.entries if entry.status != "PASS"]
    only = bad[0] if bad else None
    if settings.target is not None:
        report.again = f"npvae gradcheck {settings.target} --seed {settings.seed}" + (f" --only {only}" if only else "")
    else:
        report.again = f"the same call with seed={settings.seed}" + (f", only={only!r}" if only else "")
