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
from dataclasses import dataclass, field, replace
from functools import partial

from npvae.gradcheck.engine import check
from npvae.gradcheck.equivalence import Call, equivalent, record
from npvae.gradcheck.loss_subject import loss_subject
from npvae.gradcheck.mutants import Mutant, NoSource, in_place, mutants, plain_function
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.target import TargetError, subjects_made

__all__ = ["MutationReport", "Tally", "Tested", "mutate", "mutate_package", "run", "try_mutants"]

REPLAYED = 24
NEVER_CALLED = "never called"
REASONS = {
    PASS: "every check passes",
    INCONCLUSIVE: "the check cannot tell",
    NEVER_CALLED: "no check calls the function",
}
HEAD = "mutants  killed  equivalent  survived    time"


@dataclass(frozen=True)
class Tested:
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


@dataclass
class Tally:
    """What became of the mutants of one function.

    Attributes
    ----------
    name : str
    killed : int
    equivalent : list of Mutant
    survived : list of (Mutant, str)
        With the reason.
    seconds : float
    """

    name: str
    killed: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survived: list[tuple[Mutant, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def mutants(self) -> int:
        """All of them."""
        return self.killed + len(self.equivalent) + len(self.survived)

    def row(self, width: int) -> str:
        """A line of the table."""
        numbers = f"{self.mutants:>7}  {self.killed:>6}  {len(self.equivalent):>10}  {len(self.survived):>8}"
        return f"{self.name:<{width}}  {numbers}  {self.seconds:>5.1f}s"


@dataclass
class MutationReport:
    """The tallies of all functions that were broken."""

    tallies: list[Tally] = field(default_factory=list)

    @property
    def survived(self) -> int:
        """Mutants that no check found."""
        return sum(len(tally.survived) for tally in self.tallies)

    @property
    def passed(self) -> bool:
        """Whether there were mutants, and none survived."""
        return self.survived == 0 and any(tally.mutants for tally in self.tallies)

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

    def survivors(self) -> list[str]:
        """One line for each mutant that survived."""
        return [f"{tally.name}, {mutant} ({reason})" for tally in self.tallies for mutant, reason in tally.survived]

    def __str__(self) -> str:
        width = max((len(tally.name) for tally in self.tallies), default=0)
        rows = [tally.row(width) for tally in self.tallies]
        return "\n".join([f"{'function':<{width}}  {HEAD}", *rows, self.total.row(width), *self._verdict()])

    def _verdict(self) -> list[str]:
        if self.passed:
            return ["every mutant that does something else is found"]
        return [f"SURVIVED {line}" for line in self.survivors()] or ["there was nothing to break"]


def mutate(
    target: object, *, seed: int = 0, only: str | None = None, on_tally: Callable | None = None
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
    ValueError
        If the check does not pass to begin with.
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
    return try_mutants(_tested(target, Settings(seed=seed)), only, on_tally)


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
    tested = [Tested(function, tuple(checks)) for function, checks in covering.items()]
    return try_mutants(tested, only, on_tally)


def _checks(made: object, settings: Settings) -> list[Callable[[], Report]]:
    """The checks of what a factory returned, without explanations."""
    quick = replace(settings, explain=False, only=None)
    return [partial(check, subject, quick) for subject in subjects_made(made, settings.seed)]


def try_mutants(
    tested: Iterable[Tested], only: str | None = None, on_tally: Callable[[Tally], object] | None = None
) -> MutationReport:
    """Try all mutants of the functions given, except those without `only` in their name."""
    report = MutationReport()
    for one in tested:
        if only is None or only in _title(one.function):
            report.tallies.append(_try_one(one))
            if on_tally is not None:
                on_tally(report.tallies[-1])
    return report


def _try_one(tested: Tested) -> Tally:
    start = time.perf_counter()
    tally = Tally(_title(tested.function))
    calls, checks = _rehearse(tested)
    for mutant in mutants(tested.function):
        statuses = _statuses(tested.function, mutant, checks)
        found = next(statuses, NEVER_CALLED)
        if found != FAIL and equivalent(tested.function, mutant.code, calls, tested.part):
            tally.equivalent.append(mutant)
        elif found == FAIL or FAIL in statuses:
            tally.killed += 1
        else:
            tally.survived.append((mutant, REASONS[found]))
    tally.seconds = time.perf_counter() - start
    return tally


def _rehearse(tested: Tested) -> tuple[list[Call], list[Callable[[], Report]]]:
    """Calls of the whole function, recorded from every check; and the checks that call it, the quickest first."""
    calls, durations = [], {}
    for one in tested.checks:
        reports: list[Report] = []
        recorded = record(tested.function, lambda one=one, reports=reports: reports.append(one()), tested.part)
        if reports[0].status != PASS:
            raise ValueError(f"before anything is broken, the check has to pass:\n{reports[0]}")
        if recorded:
            calls += recorded[:: max(1, len(recorded) // REPLAYED)]
            durations[one] = reports[0].seconds
    return calls, sorted(durations, key=durations.__getitem__)


def _statuses(function: types.FunctionType, mutant: Mutant, checks: list[Callable[[], Report]]) -> Iterator[str]:
    """The status of one check after the other with the mutant in place."""
    for one in checks:
        with in_place(function, mutant.code):
            try:
                status = one().status
            except Exception:  # what breaks the check cannot go unnoticed
                status = FAIL
        yield status


def _title(function: types.FunctionType) -> str:
    return function.__qualname__.replace("<locals>.", "")


def _backwards(kind: type) -> list[types.FunctionType]:
    """The methods of a class that compute gradients."""
    names = [name for name in dir(kind) if "_backward" in name or name in ("backward", "loss_and_grad")]
    return [plain_function(getattr(kind, name)) for name in names]


def _tested(target: object, settings: Settings) -> list[Tested]:
    """What to break in what a user gave, and how to check it."""
    parts = target if isinstance(target, tuple) else (target,)
    if callable(parts[0]) and len(parts) == 2:
        return [_tested_loss(*parts, settings)]
    checks = tuple(_checks(target, settings))
    if callable(parts[0]) and len(parts) in (3, 4):
        if parts[1] is None:
            raise NoSource("a closure is made anew by every forward: give the backward a def of its own")
        return [Tested(plain_function(parts[1]), checks)]
    functions = dict.fromkeys(function for kind in _kinds(parts[0]) for function in _backwards(kind))
    own = [function for function in functions if not function.__module__.startswith("npvae.")]
    return [Tested(function, checks) for function in own or functions]


def _tested_loss(value_and_grad: Callable, theta: object, settings: Settings) -> Tested:
    # The value stays whole: a mistake above it would make another function with a gradient that fits.
    function = plain_function(value_and_grad)
    whole = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    whole.__kwdefaults__ = function.__kwdefaults__
    subject = loss_subject(function, theta, lambda theta: whole(theta)[0])
    return Tested(function, (partial(check, subject, replace(settings, explain=False)),), part=1)


def _kinds(thing: object) -> Iterator[type]:
    """The class of a layer, distribution or model, and those of what it is made of."""
    if any("backward" in name or name == "loss_and_grad" for name in dir(type(thing))):
        yield type(thing)
        members = [*getattr(thing, "layers", ()), *vars(thing).values()] if hasattr(thing, "__dict__") else []
        for member in members:
            yield from _kinds(member)


def run(made: object | None, settings: Settings, only: str | None = None) -> int:
    """``npvae gradcheck --mutate``: try, and print a row per function as it is done; 0 if none survived, else 1."""
    width = 44
    print(f"{'function':<{width}}  {HEAD}", flush=True)

    def on_tally(tally: Tally) -> None:
        print(tally.row(width), flush=True)

    try:
        if made is None:
            report = mutate_package(seed=settings.seed, only=only, on_tally=on_tally)
        else:
            report = mutate(made, seed=settings.seed, only=only, on_tally=on_tally)
    except NoSource as error:
        raise TargetError(str(error)) from error
    print(report.total.row(width), *report._verdict(), sep="\n")
    return 0 if report.passed else 1
