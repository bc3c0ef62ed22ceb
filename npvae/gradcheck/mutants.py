"""Mutants of a function: copies of its code with one mistake each, made from its syntax tree."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from npvae.gradcheck.mutant_edits import Mistakes

SHOWN = 50
TURNS = "_turns_of_all_loops"
LOOPS = 100_000


class NoSource(Exception):
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
