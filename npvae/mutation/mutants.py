"""Mutants of a function: copies of its code with one mistake each, and whether one does anything else than it.

Mutants are made from the syntax tree. They are told from the function by calls: those it gets while its checks run are
recorded with copies of their arguments, and repeated with the mutant.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from npvae.gradcheck.models import backward_names
from npvae.gradcheck.subject import quiet
from npvae.mutation.edits import Mistakes

SHOWN = 50
TURNS = "_turns_of_all_loops"
LOOPS = 100_000
ROUNDING = 1e-12
NUMBERS = (np.ndarray, np.number, int, float, complex)


class NoSource(ValueError):
    """The function cannot be rewritten; the message says why."""


@dataclass(frozen=True)
class Mutant:
    """One mistake: its line in the file, ``"what was written there -> what is now"``, and the code to run instead."""

    line: int
    change: str
    code: types.CodeType

    def __str__(self) -> str:
        return f"line {self.line}: {self.change}"


@contextmanager
def in_place(function: types.FunctionType, code: types.CodeType) -> Iterator[None]:
    """Let a function run other code, wherever it is referred to; its own comes back whatever happens."""
    own = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = own


def mutants(function: Callable) -> list[Mutant]:
    """Every mutant of a Python function, no two of the same text.

    Raises
    ------
    NoSource
        If its source cannot be read: a lambda, a function typed at the prompt, one that is not written in Python.
    """
    function = plain_function(function)
    tree = _parse(function)
    mistakes = Mistakes(tree)
    _bound_loops(tree)
    module, path = _module(tree, function)
    seen, made = {ast.dump(tree)}, []
    for node, replacement in _replaced(tree, mistakes):
        text = ast.dump(tree)
        if text in seen:
            continue
        seen.add(text)
        try:
            # Annotations stay unevaluated: the __future__ import of this file holds for what it compiles.
            code = compile(module, function.__code__.co_filename, "exec")
        except (SyntaxError, TypeError, ValueError):
            continue
        for name in path:
            code = next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)
        change = "dropped" if isinstance(replacement, ast.Pass) else f"-> {_text(replacement)}"
        made.append(Mutant(node.lineno, f"{_text(node)} {change}", code))
    return made


def plain_function(function: Callable) -> types.FunctionType:
    """The Python function behind a method or a decorated function; `NoSource` if there is none."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, types.FunctionType):
        raise NoSource(f"{getattr(function, '__name__', function)!r} is not written in Python: it cannot be rewritten")
    return function


def backward_methods(kind: type) -> list[types.FunctionType]:
    """The functions behind the methods of a class that compute gradients."""
    return [plain_function(getattr(kind, name)) for name in backward_names(kind)]


def _parse(function: types.FunctionType) -> ast.FunctionDef:
    """The function's tree, without decorators and docstring."""
    name, first = function.__qualname__, function.__code__.co_firstlineno
    try:
        file = ast.parse("".join(inspect.findsource(function)[0]))
    except (OSError, SyntaxError, TypeError) as error:
        raise NoSource(f"the source of {name} cannot be read: {error}") from error
    for tree in ast.walk(file):
        if isinstance(tree, ast.FunctionDef) and first in (n.lineno for n in (tree, *tree.decorator_list)):
            tree.decorator_list = []
            if ast.get_docstring(tree) is not None:
                tree.body[0] = ast.copy_location(ast.Pass(), tree.body[0])
            return tree
    raise NoSource(f"{name} is not made with def: give it a def of its own")


def _bound_loops(tree: ast.FunctionDef) -> None:
    """Give every ``while`` an end: a mistake in its condition must not stop the search."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    for loop in loops:
        guard = f"{TURNS} += 1\nif {TURNS} > {LOOPS}: raise RuntimeError('the loop has no end')"
        loop.body[:0] = ast.parse(guard).body
    tree.body[:0] = ast.parse(f"{TURNS} = 0" if loops else "").body


def _module(tree: ast.FunctionDef, function: types.FunctionType) -> tuple[ast.Module, tuple[str, ...]]:
    """A module with the function as what it is, in a class and with variables around it; the names on the way to it."""
    free = ", ".join(function.__code__.co_freevars)
    if free:  # also a mutant that has lost the use of one of them must be given them all
        tree.body += ast.parse(f"lambda: ({free},)").body
    owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
    owner = owner if owner.isidentifier() else "_"  # matters for names that begin with two underscores
    module = ast.parse(f"def outer({free}):\n class {owner}: pass")
    module.body[0].body[0].body = [tree]
    return module, ("outer", owner, tree.name)


def _replaced(parent: ast.AST, mistakes: Mistakes) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Every node below `parent` with every mistake that can be made there, while it stands in the node's place."""
    for field, value in ast.iter_fields(parent):
        if isinstance(parent, (ast.FunctionDef, ast.Lambda)) and field != "body":
            continue
        if field in ("annotation", "exc", "cause", "msg"):
            continue
        holder, places = (value, range(len(value))) if isinstance(value, list) else (vars(parent), [field])
        for place in places:
            node = holder[place]
            if node in mistakes.nodes:  # not the guards of loops
                for replacement in mistakes.visit(node):
                    holder[place] = replacement
                    ast.fix_missing_locations(parent)
                    yield node, replacement
                holder[place] = node
                yield from _replaced(node, mistakes)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


@dataclass(frozen=True)
class Call:
    """One recorded call: arguments by name, and what came of it."""

    arguments: dict[str, object]
    outcome: object


def record(
    function: types.FunctionType, action: Callable[[], object], most: int = 200, part: int | None = None
) -> tuple[object, list[Call]]:
    """What `action` returns, and the first calls the function gets meanwhile; `part` is all that counts of a result."""
    recorded: list[dict[str, object]] = []
    code, names = function.__code__, inspect.signature(function).parameters

    def watch(frame: types.FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is code:
            local = frame.f_locals
            recorded.append(copy.deepcopy({name: local[name] for name in names}))
            if len(recorded) == most:
                sys.setprofile(None)  # watching is slow

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = action()
    finally:
        sys.setprofile(before if callable(before) else None)  # a profiler written in C cannot be put back
    return result, [Call(arguments, _outcome(function, arguments, part)) for arguments in recorded]


def equivalent(function: types.FunctionType, code: types.CodeType, calls: list[Call], part: int | None = None) -> bool:
    """Whether other code returns the same in every recorded call and leaves the same in its arguments, up to rounding.

    False if there is no call: it is found out, never assumed.
    """
    with in_place(function, code):
        return bool(calls) and all(same(call.outcome, _outcome(function, call.arguments, part)) for call in calls)


def _outcome(function: types.FunctionType, arguments: dict[str, object], part: int | None) -> object:
    """What a call returns, and its arguments afterwards; the type of the error if it raises."""
    given = inspect.BoundArguments(inspect.signature(function), copy.deepcopy(arguments))
    with quiet():
        try:
            result = function(*given.args, **given.kwargs)
            return (result if part is None else result[part]), given.arguments
        except Exception as error:
            return type(error)


def same(a: object, b: object) -> bool:
    """Whether two results are equal up to rounding, whatever they are made of."""
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype or a.dtype.kind not in "fc":
            return a.dtype == b.dtype and np.array_equal(a, b)
        with quiet():
            size = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
            return np.allclose(a, b, rtol=ROUNDING, atol=1e-3 * ROUNDING * size, equal_nan=True)
    if type(a) is not type(b):
        return False
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, type) or not hasattr(a, "__dict__"):
        return bool(a == b)
    return same(vars(a), vars(b))
