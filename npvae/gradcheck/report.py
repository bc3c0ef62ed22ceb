"""What a check has to say: a status, one entry per tensor, and a text that is understood at once."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"


def two_sides(numeric: float, analytic: float) -> str:
    """Both numbers, with as many digits as it takes to tell them apart.

    Examples
    --------
    >>> two_sides(0.5, 0.25), two_sides(1.0, 1.00000001)
    ('numeric 0.5   analytic 0.25', 'numeric 1   analytic 1.00000001')
    """
    digits = next((d for d in range(6, 17) if f"{numeric:.{d}g}" != f"{analytic:.{d}g}"), 17)
    digits = min(digits + (digits > 6), 17) if digits < 17 else 6
    return f"numeric {numeric:.{digits}g}   analytic {analytic:.{digits}g}"


class GradientCheckError(AssertionError):
    """A gradient check that did not pass; the message is ``report``."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True)
class Finding:
    """Something seen on the way that is not the comparison of two derivatives, in one line."""

    kind: str  # a fixed name, for example "unfrozen randomness"; `npvae.gradcheck.preflight` lists them
    message: str
    tensor: str | None = None  # the tensor it is about
    fails: bool = True  # whether the check fails for it; a finding that does not is a remark


@dataclass
class Entry:
    """The verdict on the gradient of one tensor; both sides are those along the worst direction."""

    name: str
    shape: tuple[int, ...]
    status: str
    method: str  # how the numeric side was computed
    numeric: float
    analytic: float
    error: float  # how far the two are apart
    tolerance: float  # the largest error that counts as equal
    scale: float  # ‖g∘v‖₂, the size of the terms that `analytic` is the sum of; errors are printed relative to it
    evaluations: int = 0  # forward passes spent
    coordinates: int = 0  # elements checked one by one (0: random directions only)
    guard: float | None = None  # relative tolerance of the ladder that agreed with the complex step
    spread: float = 0.0  # at a kink, half of the distance between the slopes on its two sides
    notes: list[str] = field(default_factory=list)  # a kink, a forward that is not analytic
    explanation: list[str] = field(default_factory=list)  # on a failure: where, by how much, what it looks like

    @property
    def relative_error(self) -> float:
        """The error as a fraction of the scale."""
        return self.error / self.scale if self.scale else self.error

    @property
    def resolution(self) -> float:
        """The smallest relative error that this check would have seen."""
        return self.tolerance / self.scale if self.scale else self.tolerance

    def _row(self, width: int, shape_width: int) -> list[str]:
        how = self.method + (f", all {self.coordinates} elements" if self.coordinates else "")
        row = f"  {self.name:<{width}}  {self.shape!s:<{shape_width}}  error {self.relative_error:.1e}  "
        return [f"{row}resolution {self.resolution:.0e}  {how}", *(f"    note: {note}" for note in self.notes)]

    def _complaint(self) -> list[str]:
        sides = f"{two_sides(self.numeric, self.analytic)}   along a random direction"
        lines = [*(self.explanation or [sides]), *(f"note: {note}" for note in self.notes)]
        head = f"{self.status} {self.name} {self.shape}   {self.method}, resolution {self.resolution:.0e}"
        return [head, *(f"  {line}" for line in lines)]


@dataclass
class Report:
    """Everything a check found.

    Examples
    --------
    >>> Report("nothing").status
    'INCONCLUSIVE'
    """

    name: str
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blame: list[str] = field(default_factory=list)  # the part that is wrong by itself, and what is wrong with it
    again: str = ""  # how to repeat the check of what failed
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """FAIL if anything failed, else INCONCLUSIVE if anything was (or nothing was checked), else PASS."""
        states = {entry.status for entry in self.entries}
        if FAIL in states or any(finding.fails for finding in self.findings):
            return FAIL
        return PASS if states == {PASS} else INCONCLUSIVE

    @property
    def passed(self) -> bool:
        """Whether the status is PASS."""
        return self.status == PASS

    @property
    def worst_error(self) -> float:
        """Largest relative error of any tensor."""
        return max((entry.relative_error for entry in self.entries), default=0.0)

    @property
    def resolution(self) -> float:
        """The smallest relative error that would have been seen in every tensor."""
        return max((entry.resolution for entry in self.entries), default=float("inf"))

    def raise_if_failed(self) -> Report:
        """Return the report itself if the status is PASS; `GradientCheckError` if it is FAIL or could not be told."""
        if self.status != PASS:
            raise GradientCheckError(self)
        return self

    def to_json(self, indent: int | None = 2) -> str:
        """The whole report as JSON; a number that is not finite becomes null."""
        document = asdict(self) | {"status": self.status}
        for row, entry in zip(document["entries"], self.entries, strict=True):
            row |= {"relative_error": entry.relative_error, "resolution": entry.resolution}
        return json.dumps(_without_nan(document), indent=indent, default=str, allow_nan=False)

    def __str__(self) -> str:
        lines = [self._headline()]
        lines += [f"  {finding.kind}: {finding.message}" for finding in self.findings]
        lines += [f"  {'   ' if i else '-> '}{sentence}" for i, sentence in enumerate(self.blame)]
        good = [entry for entry in self.entries if entry.status == PASS]
        for entry in self.entries:
            lines += entry._complaint() if entry.status != PASS else []
        widths = [max(len(str(getattr(entry, column))) for entry in good) for column in ("name", "shape") if good]
        for entry in good:
            lines += entry._row(*widths)
        if self.again and self.status != PASS:
            lines.append(f"  again: {self.again}")
        return "\n".join(lines)

    def _headline(self) -> str:
        text = f"{self.status} {self.name}   "
        if not self.entries:
            return text + ("nothing could be compared" if self.findings else "nothing to check")
        text += f"{len(self.entries)} tensor{'s' if len(self.entries) > 1 else ''}"
        bad = sum(entry.status == FAIL for entry in self.entries)
        if self.status == PASS:
            text += f", worst error {self.worst_error:.1e}, resolution {self.resolution:.0e}"
        elif bad:
            text += f", {bad} wrong"
        return f"{text}   {self.seconds:.2f} s"

    @staticmethod
    def merge(name: str, reports: Iterable[Report]) -> Report:
        """One report of several."""
        merged = Report(name)
        for report in reports:
            merged.entries += report.entries
            merged.findings += [replace(f, message=f"{report.name}: {f.message}") for f in report.findings]
            merged.blame += report.blame
            merged.seconds += report.seconds
            merged.again = merged.again or (report.again if report.status != PASS else "")
        return merged


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
