"""Who checks the checker? Mutation: break a backward in every way, and see that each break is found.

Every mutant of a backward (`npvae.mutation.mutants`) is put in the function's place, and the checks that cover it are
run. Then it is one of three:

- **killed**: a check fails, as it should;
- **equivalent**: the checks pass, and rightly so, for on many recorded calls the mutant does what the function does;
- **survived**: the mutant does something else and no check fails. There must be none.

No file is written, and the function gets its own code back whatever happens.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import partial
from types import FunctionType

from npvae.gradcheck.check import check_subject, subjects_made
from npvae.gradcheck.functions import loss_subject
from npvae.gradcheck.report import FAIL, Report
from npvae.gradcheck.verdict import Settings
from npvae.mutation.mutants import (
    Call,
    Mutant,
    NoSource,
    backward_methods,
    equivalent,
    in_place,
    mutants,
    plain_function,
    record,
)

CALLS, FEWEST = 200, 4
"""Calls recorded of each function, and of each function by each check."""

ROW = "{:<40}  {:>7}  {:>6}  {:>10}  {:>8}  {:>6}"
HEAD = ROW.format("function", "mutants", "killed", "equivalent", "survived", "time")

Check = Callable[[], Report]


@dataclass
class Tally:
    """What became of the mutants of one function; with each survivor the reason."""

    name: str
    killed: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survived: list[tuple[Mutant, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def mutants(self) -> int:
        """All of them."""
        return self.killed + len(self.equivalent) + len(self.survived)

    def __str__(self) -> str:
        counts = self.killed, len(self.equivalent), len(self.survived)
        return ROW.format(self.name, self.mutants, *counts, f"{self.seconds:.1f}s")


@dataclass
class MutationReport:
    """The tallies of all functions that were broken."""

    tallies: list[Tally] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        """The sum of the tallies."""
        total = Tally(f"{len(self.tallies)} function{'s' if len(self.tallies) != 1 else ''}")
        for tally in self.tallies:
            total.killed += tally.killed
            total.equivalent += tally.equivalent
            total.survived += tally.survived
            total.seconds += tally.seconds
        return total

    @property
    def passed(self) -> bool:
        """Whether there were mutants, and none survived."""
        return self.total.mutants > 0 and not self.total.survived

    def survivors(self) -> list[str]:
        """One line for each mutant that no check found."""
        return [f"{tally.name}, {mutant} ({reason})" for tally in self.tallies for mutant, reason in tally.survived]

    def to_json(self, indent: int | None = 2) -> str:
        """The numbers, the equivalent mutants and the survivors of every function, as JSON."""
        rows = [
            {
                "function": tally.name,
                "mutants": tally.mutants,
                "killed": tally.killed,
                "equivalent": [str(mutant) for mutant in tally.equivalent],
                "survived": [f"{mutant} ({reason})" for mutant, reason in tally.survived],
                "seconds": tally.seconds,
            }
            for tally in self.tallies
        ]
        return json.dumps({"passed": self.passed, "functions": rows}, indent=indent)

    def summary(self) -> str:
        """The last lines of the table: the sum, and that all is well or the survivors."""
        verdict = ["every mutant that does something else is found"] if self.passed else []
        return "\n".join([str(self.total), *verdict, *(f"SURVIVED {line}" for line in self.survivors())])

    def __str__(self) -> str:
        return "\n".join([HEAD, *map(str, self.tallies), self.summary()])


@dataclass(frozen=True)
class Exposed:
    """A function that will be broken, and the checks that should notice, which pass while it is whole.

    `part` is the one element of what the function returns that matters: 1 of (value, gradient).
    """

    function: FunctionType
    checks: tuple[Check, ...]
    part: int | None = None

    @property
    def name(self) -> str:
        """For the table."""
        return self.function.__qualname__.replace("<locals>.", "")


def mutate(
    target: object, *, seed: int = 0, only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """Break the backward of a layer, a distribution, a model or a pair of functions in every way.

    Parameters
    ----------
    target : object
        Whatever a factory for ``npvae gradcheck`` may return.
    seed : int
        Seed of everything random in the checks.
    only : str, optional
        Break only functions with this in their name.
    on_tally : callable, optional
        Called with the `Tally` of each function as it is done.

    Returns
    -------
    MutationReport
        ``passed`` is True if the check finds every mutant that changes the function.

    Raises
    ------
    GradientCheckError
        If the check does not pass before anything is broken.
    NoSource
        If the source of a function cannot be read.
    TargetError
        If `target` cannot be checked.

    Examples
    --------
    >>> from npvae.layers import Dense
    >>> mutate(Dense(3, 2)).passed
    True
    """
    return try_mutants(_exposed(target, Settings(seed=seed)), only, on_tally)


def mutate_package(
    *, seed: int = 0, only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """The same for every backward of this package, with the cases of `npvae.proofs` as the checks."""
    from npvae.proofs import all_cases

    covering: dict[FunctionType, list[Check]] = {}
    for case in all_cases():
        checks = _checks(case.made(seed), Settings(seed=seed))
        methods = (method for thing in case.covers if isinstance(thing, type) for method in backward_methods(thing))
        for function in dict.fromkeys([*methods, *case.backwards]):
            covering.setdefault(function, []).extend(checks)
    return try_mutants((Exposed(function, tuple(checks)) for function, checks in covering.items()), only, on_tally)


def try_mutants(
    exposed: Iterable[Exposed], only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """Try all mutants of the functions given that have `only` in their name; ValueError if there is none."""
    exposed = list(exposed)
    chosen = [one for one in exposed if only is None or fnmatch(one.name, f"*{only}*")]
    if not chosen:
        names = ", ".join(one.name for one in exposed[:12]) + (", ..." if len(exposed) > 12 else "")
        raise ValueError(f"only must be in the name of a function that is broken ({names}), got {only!r}")
    report = MutationReport()
    for one in chosen:
        report.tallies.append(_try_one(one))
        if on_tally is not None:
            on_tally(report.tallies[-1])
    return report


def _try_one(exposed: Exposed) -> Tally:
    start = time.perf_counter()
    tally = Tally(exposed.name)
    calls, checks, tensors = _rehearse(exposed)
    for mutant in mutants(exposed.function):
        reports = _reports(exposed.function, mutant, checks)
        first = next(reports, Report(""))
        if first is None:
            tally.killed += 1
        elif equivalent(exposed.function, mutant.code, calls, exposed.part):
            tally.equivalent.append(mutant)
        elif None in reports:
            tally.killed += 1
        else:
            tally.survived.append((mutant, _reason(first, tensors)))
    tally.seconds = time.perf_counter() - start
    return tally


def _rehearse(exposed: Exposed) -> tuple[list[Call], list[Check], set[str]]:
    """With the function whole: its calls, the checks that call it, quickest first, and what the first one compares."""
    calls: list[Call] = []
    passed: list[tuple[Report, Check]] = []
    most = max(FEWEST, CALLS // len(exposed.checks))
    for one in exposed.checks:
        report, recorded = record(exposed.function, one, most, exposed.part)
        report.raise_if_failed()
        calls += recorded
        passed += [(report, _strict(one, report))] if recorded else []
    passed.sort(key=lambda pair: pair[0].seconds)
    tensors = {entry.name for report, _ in passed[:1] for entry in report.entries}
    return calls, [one for _, one in passed], tensors


def _strict(one: Check, report: Report) -> Check:
    """The same check; where all gradients came back from the whole code, one that does not is a finding."""
    if not isinstance(one, partial) or any(finding.kind == "not checked" for finding in report.findings):
        return one
    subject, settings = one.args
    return partial(one.func, subject, replace(settings, strict=True))


def _reports(function: FunctionType, mutant: Mutant, checks: list[Check]) -> Iterator[Report | None]:
    """The report of one check after the other with the mutant in place; None where the check fails or breaks."""
    for one in checks:
        with in_place(function, mutant.code):
            try:
                report = one()
            except Exception:
                report = None
        yield report if report and report.status != FAIL else None


def _reason(report: Report, tensors: set[str]) -> str:
    """Why nothing was noticed."""
    if not tensors:
        return "no check calls the function"
    missing = tensors - {entry.name for entry in report.entries}
    if missing:
        return f"no gradient of {', '.join(sorted(missing))}: an input may go without one, a parameter may not"
    return "every check passes at its inputs" if report.passed else "the check cannot tell"


def _checks(made: object, settings: Settings) -> list[Check]:
    """The checks of what a factory returned, without explanations; of each first a part that takes less time."""
    whole = replace(settings, explain=False)
    quick = replace(whole, probes=1, full=False)
    return [
        partial(check_subject, subject, s) for subject in subjects_made(made, settings.seed) for s in (quick, whole)
    ]


def _exposed(target: object, settings: Settings) -> list[Exposed]:
    """What to break in what a user gave, and how to check it."""
    parts = target if isinstance(target, tuple) else (target,)
    functions = dict.fromkeys(function for kind in _kinds(parts[0]) for function in backward_methods(kind))
    if not functions and callable(parts[0]) and len(parts) == 2:
        return [_exposed_loss(*parts, settings)]
    checks = tuple(_checks(target, settings))
    if functions:
        own = [function for function in functions if not function.__module__.startswith("npvae.")]
        return [Exposed(function, checks) for function in own or functions]
    if parts[1] is None:
        raise NoSource("a closure is made anew by every forward: give the backward a def of its own")
    return [Exposed(plain_function(parts[1]), checks)]


def _exposed_loss(value_and_grad: Callable, theta: object, settings: Settings) -> Exposed:
    function = plain_function(value_and_grad)
    own = function.__code__

    def value(theta: object) -> object:
        # The value stays whole: a mistake above it would make another function with a gradient that fits.
        with in_place(function, own):
            return value_and_grad(theta)[0]

    subject = loss_subject(value_and_grad, theta, value)
    return Exposed(function, (partial(check_subject, subject, replace(settings, explain=False)),), part=1)


def _kinds(thing: object) -> Iterator[type]:
    """The class of a layer, distribution or model, and those of what it is made of."""
    if backward_methods(type(thing)):
        yield type(thing)
        for member in [*getattr(thing, "layers", ()), *getattr(thing, "__dict__", {}).values()]:
            yield from _kinds(member)
