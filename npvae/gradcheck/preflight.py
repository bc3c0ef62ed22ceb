"""Before any derivative is compared: does the code keep the rules on which a comparison rests?

Each broken rule has a name of its own, the ``kind`` of the finding:

=====================  ==================================================================================
raises                 forward or backward raised
returns                what came back is no array of floating-point numbers
not finite             an output or a gradient has NaN or infinite elements
keys, shape, dtype     the gradients do not fit the tensors
mutated argument       an argument, a parameter or the upstream gradient was written to
unfrozen randomness    two forwards of the same input differ
accumulating backward  the second backward gives the sum of both
stateful backward      the second backward gives something else
stale state            after a forward of other data, the backward of the first cache changes
memory layout          Fortran-ordered, strided or reversed arrays give something else
zero upstream          an upstream gradient of zero does not give a gradient of zero
nonlinear upstream     the backward is not linear in the upstream gradient
float32                the gradient in float32 is not the float64 one to float32 precision
=====================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.numeric import MARGIN, ROUNDINGS, gradient_noise, neighbours
from npvae.gradcheck.point import Point, draw_upstream, narrow_rounding, read_only
from npvae.gradcheck.report import Finding
from npvae.gradcheck.subject import Breakdown, Subject, Tensors, pull_back, require_finite, run

EPS32 = 2.0**-23
UNSTEADY = {"unfrozen randomness", "accumulating backward", "stateful backward"}
"""After these there is no function whose derivative could be compared."""


def preflight(subject: Subject, rng: np.random.Generator, rtol: float = 0.0) -> tuple[list[Finding], Point]:
    """Run every test; the findings, and the point to compare derivatives at.

    If the code writes to its arguments, ``subject.copies`` is set, and from then on only copies are handed out, so
    that the gradients can be judged all the same.
    """
    findings = list(_mutations(subject, rng))
    subject.copies = bool(findings)
    flight = Flight(Point(subject, subject.tensors), rng, rtol)
    findings += flight.dtypes()
    # Code that writes to its arguments gives something else the second time for that reason alone.
    unsteady = flight.randomness() or ([] if subject.copies or subject.accumulates else flight.state())
    findings += unsteady
    if not unsteady and subject.passes_layout:
        findings += flight.layouts()
    if not unsteady and subject.takes_upstream:
        findings += flight.linearity()
    return findings, flight.point


def _mutations(subject: Subject, rng: np.random.Generator) -> Iterator[Finding]:
    """Hand out writable copies and compare them afterwards; then hand out read-only arrays."""
    originals = subject.tensors
    tensors = {name: tensor.copy() for name, tensor in originals.items()}
    outputs, cache = run(subject, tensors)
    for y in outputs:
        require_finite(y)
    point = Point(subject, originals)
    point.outputs = outputs
    upstream = draw_upstream(rng, point)
    guilty = dict.fromkeys(_changed(tensors, originals), "forward")
    handed = tuple(np.array(u) if np.ndim(u) else u for u in upstream)
    pull_back(subject, cache, handed, originals)
    guilty = dict.fromkeys(_changed(tensors, originals), "backward") | guilty
    for name, where in guilty.items():
        yield Finding("mutated argument", f"{where} changes its argument {name} in place", name)
    rewritten = any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(handed, upstream, strict=True))
    if rewritten:
        yield Finding("mutated argument", "backward changes the upstream gradient in place")
    if not guilty and not rewritten:
        # Code that writes without changing a value trips over read-only arrays.
        try:
            _, cache = point.run()
            pull_back(subject, cache, tuple(read_only(u) if np.ndim(u) else u for u in upstream), point.tensors)
        except Breakdown as breakdown:
            yield Finding("mutated argument", f"with read-only arguments, {breakdown}")


def _changed(tensors: Tensors, originals: Tensors) -> list[str]:
    return [name for name in tensors if not np.array_equal(tensors[name], originals[name], equal_nan=True)]


class Flight:
    """One reference run, and the tests that compare other runs with it."""

    def __init__(self, point: Point, rng: np.random.Generator, rtol: float) -> None:
        self.point, self.rng, self.rtol = point, rng, rtol
        self.outputs = point.outputs
        self.upstream = draw_upstream(rng, point)
        self.gradients = point.gradients(self.upstream)

    @cached_property
    def noise(self) -> dict[str, float]:
        """How far rounding alone moves each gradient."""
        noise = gradient_noise(self.point, self.upstream)
        return {name: float(np.linalg.norm(moved)) for name, moved in noise.items()}

    def same(self, name: str, gradient: NDArray, expected: NDArray, size: float | None = None) -> bool:
        """Whether two gradients of one tensor are equal up to rounding."""
        error = float(np.linalg.norm(gradient - expected))
        size = float(np.linalg.norm(expected)) if size is None else size
        return (
            error <= max(ROUNDINGS, narrow_rounding(gradient), self.rtol) * size or error <= MARGIN * self.noise[name]
        )

    def same_output(self, output: NDArray, expected: NDArray) -> bool:
        """Whether two outputs are equal up to rounding, whatever cancels in them."""
        if _close(output, expected):
            return True
        moved = max(float(np.linalg.norm(y - expected)) for y in self.moved_outputs if y.shape == expected.shape)
        return output.shape == expected.shape and float(np.linalg.norm(output - expected)) <= MARGIN * moved

    @cached_property
    def moved_outputs(self) -> list[NDArray]:
        """The outputs where every operation errs anew."""
        return [y for near in (*neighbours(self.point), self.point) for y in near.outputs]

    def dtypes(self) -> Iterator[Finding]:
        """Gradients have the dtype of their tensors, or are as precise as is asked for."""
        for name, gradient in self.gradients.items():
            if gradient.dtype != self.point.tensors[name].dtype:
                fails = np.finfo(gradient.dtype).eps > self.rtol
                yield Finding("dtype", f"the gradient of {name} is {gradient.dtype}, {name} is float64", name, fails)
        if self.outputs[0].dtype != np.float64:
            text = f"forward returned {self.outputs[0].dtype} for float64 arguments: it loses digits inside"
            yield Finding("dtype", text, fails=False)

    def randomness(self) -> list[Finding]:
        """Two forwards agree."""
        again, _ = self.point.run()
        if all(_close(a, b) for a, b in zip(again, self.outputs, strict=True)):
            return []
        from npvae.diagnosis.blame import what_varies  # loaded only where something is wrong

        why = what_varies(self.point)
        return [Finding("unfrozen randomness", f"forward gives something else the second time: {why}")]

    def state(self) -> list[Finding]:
        """Backward again, after another forward, and after a forward of other data.

        The same code on the same numbers: nothing is granted to rounding but the order of a threaded sum.
        """
        _, cache = self.point.run()
        first, second, third = (self.point.pull(cache, self.upstream) for _ in range(3))
        name = _differing(second, first)
        if name and _close(third[name] - second[name], second[name] - first[name]):
            text = f"every backward adds to the gradient of {name} that the one before left behind"
            return [Finding("accumulating backward", text, name)]
        if name:
            text = f"a second backward of the same cache gives another gradient of {name}"
            return [Finding("stateful backward", text, name)]
        name = _differing(first, self.gradients)
        if name:
            text = f"the gradient of {name} depends on earlier calls: something is kept between them"
            return [Finding("stateful backward", text, name)]
        if cache is None or getattr(cache, "empty", False):
            return []
        try:
            self.point.run({name: np.roll(t, 1, axis=0) if t.ndim else t for name, t in self.point.tensors.items()})
        except Breakdown:
            return []
        name = _differing(self.point.pull(cache, self.upstream), first)
        text = f"after a forward of other data, backward of the first cache gives another gradient of {name}: "
        text += "it uses something (noise? activations?) that is not in its cache"
        return [Finding("stale state", text, name)] if name else []

    def layouts(self) -> Iterator[Finding]:
        """Fortran-ordered, strided and reversed arrays give the same."""
        for layout, rearranged in LAYOUTS.items():
            tensors = {name: rearranged(tensor) for name, tensor in self.point.tensors.items()}
            upstream = tuple(rearranged(u) if np.ndim(u) else u for u in self.upstream)
            complaint = ""
            try:
                outputs, cache = self.point.run(tensors)
                gradients = pull_back(self.point.subject, cache, upstream, tensors)
                wrong = [name for name, g in self.gradients.items() if not self.same(name, gradients[name], g)]
                if not all(map(self.same_output, outputs, self.outputs)):
                    complaint = "forward gives another result"
                elif wrong:
                    complaint = f"backward gives another gradient of {wrong[0]}"
            except Breakdown as breakdown:
                complaint = str(breakdown)
            if complaint:
                yield Finding("memory layout", f"{layout} arrays: {complaint}")

    def linearity(self) -> list[Finding]:
        """Zero upstream gives zero, and sums and multiples of upstreams those of the gradients."""
        nothing = self.point.gradients(tuple(np.zeros_like(u)[()] for u in self.upstream))
        for name, gradient in nothing.items():
            if np.any(gradient) and self.same(name, gradient, self.gradients[name]):
                text = f"backward ignores the upstream gradient: that of {name} is the same for every dy"
                return [Finding("zero upstream", text, name)]
            if np.any(gradient):
                from npvae.diagnosis.factors import own_part  # loaded only where something is wrong

                text = f"an upstream gradient of zero gives a gradient of {name} of {np.abs(gradient).max():.3g}: "
                return [Finding("zero upstream", text + own_part(name, gradient, self.point.tensors[name]), name)]
        other = draw_upstream(self.rng, self.point)
        there = self.point.gradients(other)
        both = self.point.gradients(tuple(u - 2.0 * w for u, w in zip(self.upstream, other, strict=True)))
        for name, gradient in self.gradients.items():
            size = float(np.linalg.norm(gradient) + 2.0 * np.linalg.norm(there[name]))
            if not self.same(name, both[name], gradient - 2.0 * there[name], size):
                text = f"the gradient of {name} is not linear in the upstream gradient"
                return [Finding("nonlinear upstream", text, name)]
        return []


def check_float32(subject: Subject, upstream: tuple) -> list[Finding]:
    """Findings if the float32 gradient is not float32, or ‖g32 − g64‖ > 64·eps32·‖g64‖ and more than rounding."""
    narrow = {name: tensor.astype(np.float32) for name, tensor in subject.tensors.items()}
    wide = Point(subject, {name: tensor.astype(np.float64) for name, tensor in narrow.items()})
    u32 = tuple(np.float32(u)[()] for u in upstream)
    u64 = tuple(np.float64(u)[()] for u in u32)
    try:
        g32 = Point(subject, narrow).gradients(u32)
    except Breakdown as breakdown:
        return [Finding("float32", f"in float32, {breakdown}")]
    g64, noise, findings = wide.gradients(u64), None, []
    for name, gradient in g32.items():
        error, size = float(np.linalg.norm(gradient - g64[name])), float(np.linalg.norm(g64[name]))
        if gradient.dtype != np.float32:
            text = f"the gradient of {name} is {gradient.dtype} where all that goes in is float32"
            findings.append(Finding("dtype", text, name))
        elif error > 64.0 * EPS32 * size:
            noise = noise or gradient_noise(wide, u64, EPS32)
            if error > MARGIN * float(np.linalg.norm(noise[name])):
                text = f"the gradient of {name} in float32 is {error / (size or 1.0):.1e} off the float64 one"
                findings.append(Finding("float32", text, name))
    return findings


def _differing(gradients: Tensors, expected: Tensors) -> str | None:
    """The first tensor of which two gradients differ."""
    return next((name for name in expected if not _close(gradients[name], expected[name])), None)


def _close(a: NDArray, b: NDArray) -> bool:
    """Equal to rounding, as vectors."""
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= ROUNDINGS * max(np.linalg.norm(b), 1e-300))


def _strided(array: NDArray) -> NDArray:
    wide = np.full(tuple(2 * n for n in array.shape), np.nan, dtype=array.dtype)
    every_second = (slice(None, None, 2),) * array.ndim
    wide[every_second] = array
    return wide[every_second] if array.ndim else array


def _reversed(array: NDArray) -> NDArray:
    backwards = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[backwards])[backwards] if array.ndim else array


LAYOUTS = {"Fortran-ordered": lambda a: np.array(a, order="F"), "strided": _strided, "reversed": _reversed}
