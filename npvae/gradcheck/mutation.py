"""Who checks the checker? Mutation: break a backward in every way, and see that each break is found.

Every mutant of a backward (`npvae.gradcheck.mutants`) is put in the function's place, and the checks that cover it are
run. Then it is one of three:

- **killed**: a check fails, as it should;
- **equivalent**: the checks pass, and rightly so, for on many recorded calls the mutant does what the function does;
- **survived**: the mutant does something else and no check fails. There must be none.

No file is written, and the function gets its own code back whatever happens.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from npvae.gradcheck.engine import check
from npvae.gradcheck.equivalence import Call, equivalent, record
from npvae.gradcheck.convention import loss_subject
from npvae.gradcheck.mutants import Mutant, NoSource, in_place, mutants, plain_function
from npvae.gradcheck.mutation_report import MutationReport, Tally
from npvae.gradcheck.report import FAIL, PASS, Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.target import subjects_made

__all__ = ["Exposed", "mutate", "mutate_package", "try_mutants"]

CALLS, FEWEST = 200, 4
"""Calls recorded of each function, and of each function by each check."""


@dataclass(frozen=True)
class Exposed:
    """A function that will be broken, and the checks that should notice.

    Attributes
    ----------
    function : function
    checks : tuple of callable
        ``check() -> Report``; all pass while the function is whole.
    part : int, optional
        The one element of what the function returns that matters: 1 of (value, gradient).
    """

    function: types.FunctionType
    checks: tuple[Callable[[], Report], ...]
    part: int | None = None


def mutate(
    target: object, *, seed: int = 0, only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """Break the backward of a layer, a distribution, a model or a pair of functions in every way.

    Parameters
    ----------
    target : object
        A layer, a distribution, ``(forward, backward, inputs[, params])``, ``(layer, x[, params])``,
        ``(model, x[, theta[, noise]])`` or ``(value_and_grad, theta)``.
    seed : int
        Of everything random in the checks.
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
        If `target` is none of these.

    Examples
    --------
    >>> from npvae.layers import Tanh
    >>> mutate(Tanh()).passed
    True
    """
    return try_mutants(_exposed(target, Settings(seed=seed)), only, on_tally)


def mutate_package(
    *, seed: int = 0, only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """The same for every backward of this package, with the cases of `npvae.gradcheck.cases` as the checks."""
    from npvae.gradcheck.cases import all_cases

    covering: dict[types.FunctionType, list[Callable[[], Report]]] = {}
    for case in all_cases():
        checks = _checks(case.made(seed), Settings(seed=seed))
        methods = (method for thing in case.covers if isinstance(thing, type) for method in _backwards(thing))
        for function in dict.fromkeys([*methods, *case.backwards]):
            covering.setdefault(function, []).extend(checks)
    exposed = [Exposed(function, tuple(checks)) for function, checks in covering.items()]
    return try_mutants(exposed, only, on_tally)


def _checks(made: object, settings: Settings) -> list[Callable[[], Report]]:
    """The checks of what a factory returned, without explanations; of each first a part that takes less time."""
    whole = replace(settings, explain=False, only=None)
    quick = replace(whole, probes=1, full=False)
    return [partial(check, subject, s) for subject in subjects_made(made, settings.seed) for s in (quick, whole)]


def try_mutants(
    exposed: Iterable[Exposed], only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """Try all mutants of the functions given, except those without `only` in their name.

    Raises
    ------
    ValueError
        If none is left.
    """
    chosen = [one for one in exposed if only is None or only in _title(one.function)]
    if not chosen:
        raise ValueError(f"only must be in the name of a backward, got {only!r}")
    report = MutationReport()
    for one in chosen:
        report.tallies.append(_try_one(one))
        if on_tally is not None:
            on_tally(report.tallies[-1])
    return report


def _try_one(exposed: Exposed) -> Tally:
    start = time.perf_counter()
    tally = Tally(_title(exposed.function))
    rehearsal = _rehearse(exposed)
    for mutant in mutants(exposed.function):
        reports = _reports(exposed.function, mutant, rehearsal.checks)
        first = next(reports, None)
        if _alarmed(first):
            tally.killed += 1
        elif equivalent(exposed.function, mutant.code, rehearsal.calls, exposed.part):
            tally.equivalent.append(mutant)
        elif any(map(_alarmed, reports)):
            tally.killed += 1
        else:
            tally.survived.append((mutant, _reason(first, rehearsal)))
    tally.seconds = time.perf_counter() - start
    return tally


@dataclass(frozen=True)
class Rehearsal:
    """What the checks do while the function is whole.

    Attributes
    ----------
    calls : list of Call
        Calls of the function, from all checks.
    checks : list of callable
        Those that call it, the quickest first.
    tensors : set of str
        What the first of them compares.
    """

    calls: list[Call]
    checks: list[Callable[[], Report]]
    tensors: set[str]


def _rehearse(exposed: Exposed) -> Rehearsal:
    calls, passed = [], []
    for one in exposed.checks:
        reports: list[Report] = []
        recorded = record(
            exposed.function,
            lambda one=one, reports=reports: reports.append(one()),
            max(FEWEST, CALLS // len(exposed.checks)),
            exposed.part,
        )
        reports[0].raise_if_failed()
        if recorded:
            calls += recorded
            passed.append((reports[0], one))
    passed.sort(key=lambda pair: pair[0].seconds)
    tensors = {entry.name for report, _ in passed[:1] for entry in report.entries}
    return Rehearsal(calls, [one for _, one in passed], tensors)


def _reports(
    function: types.FunctionType, mutant: Mutant, checks: list[Callable[[], Report]]
) -> Iterator[Report | Exception]:
    """The report of one check after the other with the mutant in place; the error where the check itself breaks."""
    for one in checks:
        with in_place(function, mutant.code):
            try:
                report = one()
            except Exception as error:
                report = error
        yield report


def _alarmed(report: Report | Exception | None) -> bool:
    return isinstance(report, Exception) or (report is not None and report.status == FAIL)


def _reason(report: Report | None, rehearsal: Rehearsal) -> str:
    """Why nothing was noticed."""
    if report is None:
        return "no check calls the function"
    missing = rehearsal.tensors - {entry.name for entry in report.entries}
    if missing:
        return f"no gradient of {', '.join(sorted(missing))}: an input may go without one, a parameter may not"
    return "every check passes at its inputs" if report.status == PASS else "the check cannot tell"


def _title(function: types.FunctionType) -> str:
    return function.__qualname__.replace("<locals>.", "")


def _backwards(kind: type) -> list[types.FunctionType]:
    """The methods of a class that compute gradients."""
    names = [name for name in dir(kind) if "_backward" in name or name in ("backward", "loss_and_grad")]
    return [plain_function(getattr(kind, name)) for name in names]


def _exposed(target: object, settings: Settings) -> list[Exposed]:
    """What to break in what a user gave, and how to check it."""
    parts = target if isinstance(target, tuple) else (target,)
    functions = dict.fromkeys(function for kind in _kinds(parts[0]) for function in _backwards(kind))
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
    # The value stays whole: a mistake above it would make another function with a gradient that fits.
    function = plain_function(value_and_grad)
    whole = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    whole.__kwdefaults__ = function.__kwdefaults__
    subject = loss_subject(function, theta, lambda theta: whole(theta)[0])
    return Exposed(function, (partial(check, subject, replace(settings, explain=False)),), part=1)


def _kinds(thing: object) -> Iterator[type]:
    """The class of a layer, distribution or model, and those of what it is made of."""
    if any("backward" in name or name == "loss_and_grad" for name in dir(type(thing))):
        yield type(thing)
        members = [*getattr(thing, "layers", ()), *vars(thing).values()] if hasattr(thing, "__dict__") else []
        for member in members:
            yield from _kinds(member)
