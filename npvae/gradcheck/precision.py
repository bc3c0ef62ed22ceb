"""Code that trains in float32: checked on a float64 copy, and then held against it."""

from __future__ import annotations

import numpy as np

from npvae.gradcheck.point import Point
from npvae.gradcheck.report import Finding
from npvae.gradcheck.rounding import MARGIN, gradient_noise
from npvae.gradcheck.subject import Breakdown, Subject

__all__ = ["EPS32", "check_float32"]

EPS32 = 2.0**-23


def check_float32(subject: Subject, upstream: tuple) -> list[Finding]:
    """Findings if the float32 gradient is not float32, or ‖g32 − g64‖ > 64·eps32·‖g64‖.

    Where the problem itself amplifies rounding errors, what the float64 gradient moves by under nudges of a few
    float32 units in the last place is granted as well.

    Parameters
    ----------
    subject : Subject
    upstream : tuple of arrays
        The upstream gradient to compare the two for.
    """
    narrow = {name: tensor.astype(np.float32) for name, tensor in subject.tensors.items()}
    wide = Point(subject, {name: tensor.astype(np.float64) for name, tensor in narrow.items()})
    u32 = tuple(np.asarray(u, dtype=np.float32)[()] for u in upstream)
    u64 = tuple(np.asarray(u, dtype=np.float64)[()] for u in u32)
    try:
        g32 = Point(subject, narrow).gradients(u32)
    except Breakdown as breakdown:
        return [Finding("float32", f"in float32, {breakdown}")]
    g64, noise, findings = wide.gradients(u64), None, []
    for name, gradient in g32.items():
        if gradient.dtype != np.float32:
            text = f"the gradient of {name} is {gradient.dtype} where all that goes in is float32"
            findings.append(Finding("dtype", text, name))
            continue
        error, size = float(np.linalg.norm(gradient - g64[name])), float(np.linalg.norm(g64[name]))
        if error > 64.0 * EPS32 * size:
            noise = gradient_noise(wide, u64, EPS32) if noise is None else noise
            if error > MARGIN * noise[name]:
                text = f"the gradient of {name} in float32 is {error / (size or 1.0):.1e} off the float64 one"
                findings.append(Finding("float32", text, name))
    return findings
