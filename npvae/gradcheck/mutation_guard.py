"""Nothing that goes in may be changed by the code under test."""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.point import Point, draw_upstream, read_only
from npvae.gradcheck.report import Finding
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, pull_back, require_finite, run

__all__ = ["mutations"]


def mutations(subject: Subject, rng: np.random.Generator) -> list[Finding]:
    """Hand out writable copies and compare them afterwards; then hand out read-only arrays.

    If the code writes to its arguments, ``subject.copies`` is set, and from then on only copies are handed out, so
    that the gradients can be judged all the same.
    """
    tensors = {name: tensor.copy() for name, tensor in subject.tensors.items()}
    outputs, cache = run(subject, tensors)
    for y in outputs:
        require_finite(y)
    guilty = dict.fromkeys(_changed(tensors, subject.tensors), "forward")
    upstream = _upstream(subject, outputs, rng)
    handed = tuple(np.array(u) if np.ndim(u) else u for u in upstream)
    pull_back(subject, cache, handed, subject.tensors)
    guilty = dict.fromkeys(_changed(tensors, subject.tensors), "backward") | guilty
    findings = [
        Finding("mutated argument", f"{where} changes its argument {name} in place", name)
        for name, where in guilty.items()
    ]
    if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(handed, upstream, strict=True)):
        findings.append(Finding("mutated argument", "backward changes the upstream gradient in place"))
    findings = findings or _refusals(subject, upstream)
    subject.copies = bool(findings)
    return findings


def _upstream(subject: Subject, outputs: tuple, rng: np.random.Generator) -> tuple:
    point = Point(subject, subject.tensors)
    point.outputs = outputs
    return draw_upstream(rng, point)


def _refusals(subject: Subject, upstream: tuple) -> list[Finding]:
    """Code that writes without changing a value trips over read-only arrays."""
    frozen = {name: read_only(tensor) for name, tensor in subject.tensors.items()}
    try:
        _, cache = run(subject, frozen)
        pull_back(subject, cache, tuple(read_only(u) if np.ndim(u) else u for u in upstream), frozen)
    except Breakdown as breakdown:
        return [Finding("mutated argument", f"with read-only arguments, {breakdown}")]
    return []


def _changed(tensors: Tensors, originals: Tensors) -> list[str]:
    return [name for name in tensors if not np.array_equal(tensors[name], originals[name], equal_nan=True)]
