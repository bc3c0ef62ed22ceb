"""Error against step size: why finite differences need the right step, and the complex step does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.numeric import NoEstimate, central, complex_step, forward
from npvae.gradcheck.point import Line, Point, Probe, draw_probes
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.subject import Breakdown, quiet
from npvae.gradcheck.target import subjects_made

METHODS: dict[str, Callable[[Line, float], float]] = {
    "forward": forward,
    "central": central,
    # The term of order h² drops out.
    "richardson": lambda line, step: (16.0 * central(line, step / 4.0) - central(line, step)) / 15.0,
    "complex": lambda line, step: complex_step(line, step).value,
}


def step_curve(
    target: object, *, steps: Sequence[float] | None = None, only: str | None = None, seed: int = 0
) -> dict[str, NDArray]:
    """Error of each numeric derivative, against the step it is taken with.

    Truncation makes the error of a difference fall with h (forward), h² (central) or h⁴ (Richardson), until rounding,
    which grows as 1/h, takes over: a V on logarithmic axes. The complex step subtracts nothing: no second branch.

    Parameters
    ----------
    target : object
        Whatever a factory for ``npvae gradcheck`` may return.
    steps : sequence of float, optional
        By default four per decade from 1 down to 1e-20.
    only : str, optional
        The tensor to step in; by default the first that has a gradient.
    seed : int
        Of the random direction and the random upstream gradient.

    Returns
    -------
    dict of str to (k,) array
        "step", and under "forward", "central", "richardson" and "complex" the errors |numeric − analytic| / ‖g∘v‖
        for the analytic gradient g (whose own rounding is the floor) and the direction v, ‖v‖ = 1. NaN where the
        forward breaks down.

    Raises
    ------
    ValueError
        If there is no such tensor, or a step is not positive.
    TargetError
        If `target` cannot be checked.

    Examples
    --------
    >>> from npvae.layers import Tanh
    >>> curve = step_curve(Tanh(), steps=[1e-1, 1e-5, 1e-12])
    >>> int(np.argmin(curve["central"])), bool(curve["complex"][2] < 1e-14)
    (1, True)
    """
    lengths = np.logspace(0, -20, 81) if steps is None else np.asarray(steps, dtype=np.float64)
    if lengths.ndim != 1 or not (lengths > 0).all():
        raise ValueError(f"steps must be a sequence of positive numbers, got {steps!r}")
    subject = subjects_made(target, seed)[0]
    tensors = {name: np.array(tensor, dtype=np.float64) for name, tensor in subject.tensors.items()}
    probes = draw_probes(Point(replace(subject, tensors=tensors), tensors), 1, seed)
    chosen = [probe for name, (probe,) in probes.items() if Settings(only=only).selects(name)]
    if not chosen:
        raise ValueError(f"only must be one of {', '.join(probes)}, got {only!r}")
    curve = {"step": lengths}
    with quiet():
        for name, method in METHODS.items():
            curve[name] = np.array([_error(method, chosen[0], float(step)) for step in lengths])
    return curve


def _error(method: Callable[[Line, float], float], probe: Probe, step: float) -> float:
    length = float(np.linalg.norm(probe.line.direction))
    line = replace(probe.line, direction=probe.line.direction / length)
    try:
        return abs(method(line, step) * length - probe.analytic) / (probe.scale or length)
    except (Breakdown, NoEstimate):
        return float("nan")
