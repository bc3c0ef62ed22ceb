"""Mutants of a function: copies of its code with one mistake each, made from its syntax tree."""

from __future__ import annotations

import __future__

import ast
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from npvae.gradcheck.mutant_edits import Scope, edits

__all__ = ["Mutant", "NoSource", "in_place", "mutants"]

SHOWN = 60
LOOPS = 1_000_000
FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class NoSource(Exception):
    """The function cannot be rewritten; the message says why."""


@dataclass(frozen=True)
class Mutant:
    """A function with one mistake.

    Attributes
    ----------
    line : int
        In the file of the function.
    change : str
        What was written there and what is now: ``"x.T -> x"``.
    code : code object
        Fits where the function's own was.
    """

    line: int
    change: str
    code: types.CodeType

    def __str__(self) -> str:
        return f"line {self.line}: {self.change}"


@contextmanager
def in_place(function: types.FunctionType, code: types.CodeType) -> Iterator[None]:
    """Let a function, wherever it is referred to, run other code; its own comes back whatever happens."""
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
    tree, first = _parse(function)
    scope, sites = _scope(tree), list(_sites(tree, "body", tree.body))
    module = _module(tree, function)
    seen, made = {ast.dump(tree)}, []
    for site in sites:
        for replacement in edits(site.node, scope):
            ast.fix_missing_locations(ast.copy_location(replacement, site.node))
            site.put(replacement)
            text, code = ast.dump(tree), _compile(module, function)
            if code is not None and text not in seen:
                made.append(Mutant(site.node.lineno + first, _change(site.node, replacement), code))
            seen.add(text)
        site.put(site.node)
    return made


def plain_function(function: Callable) -> types.FunctionType:
    """The Python function behind a method or a decorated function.

    Raises
    ------
    NoSource
        If there is none.
    """
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, types.FunctionType):
        raise NoSource(f"{getattr(function, '__name__', function)!r} is not written in Python: it cannot be rewritten")
    return function


def _parse(function: types.FunctionType) -> tuple[ast.FunctionDef, int]:
    """The function's tree, and what its line numbers lack to be those of the file."""
    name = function.__qualname__
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise NoSource(f"the source of {name} cannot be read: {error}") from error
    source = "".join(lines)
    indented = source[:1].isspace()
    try:
        tree = ast.parse("if True:\n" + source if indented else source).body[0]
    except SyntaxError as error:
        raise NoSource(f"the source of {name} cannot be parsed by itself: give it a def of its own") from error
    tree = tree.body[0] if indented else tree
    if not isinstance(tree, ast.FunctionDef):
        raise NoSource(f"{name} is not made with def: give it a def of its own")
    tree.decorator_list = []
    return tree, first - 1 - int(indented)


def _module(tree: ast.FunctionDef, function: types.FunctionType) -> ast.Module:
    """A module that compiles the function as what it is: with variables of a function around it, in a class.

    Loops get an end: a mistake in a condition must not stop the search.
    """
    _bound_loops(tree)
    free = function.__code__.co_freevars
    if free:  # also a mutant that has lost the use of one must have them all
        tree.body.insert(0, ast.Expr(ast.parse(f"lambda: ({', '.join(free)},)", mode="eval").body))
    owner = _owner(function)
    outer = ast.parse("def outer(): pass").body[0]
    outer.args.args = [ast.arg(variable) for variable in free]
    outer.body = [ast.ClassDef(name=owner, bases=[], keywords=[], body=[tree], decorator_list=[])] if owner else [tree]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    code = _compile(module, function)
    if code is None or code.co_freevars != free:
        raise NoSource(f"{function.__qualname__} cannot be compiled by itself")
    return module


def _owner(function: types.FunctionType) -> str:
    """The class a function was defined in, which matters for names with two underscores."""
    owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
    return owner if owner.isidentifier() else ""


def _compile(module: ast.Module, function: types.FunctionType) -> types.CodeType | None:
    """The function's code out of the compiled module; None for a mutant that is no valid Python."""
    own = function.__code__
    try:
        code = compile(module, own.co_filename, "exec", own.co_flags & FUTURE, dont_inherit=True)
    except (SyntaxError, TypeError, ValueError):
        return None
    for name in filter(None, ("outer", _owner(function), function.__name__)):
        code = next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)
    return code


def _bound_loops(tree: ast.FunctionDef) -> None:
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    for loop in loops:
        loop.body[:0] = ast.parse(f"_turns += 1\nif _turns > {LOOPS}: raise RuntimeError('the loop has no end')").body
    if loops:
        tree.body[:0] = ast.parse("_turns = 0").body


@dataclass(frozen=True)
class _Site:
    """A node and the place where it stands."""

    siblings: list | ast.AST
    place: int | str
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        """Let another node stand there."""
        if isinstance(self.siblings, list):
            # Found again by what stands there now, as statements may have been put before it.
            self.siblings[self.place] = node
        else:
            setattr(self.siblings, self.place, node)


NO_CODE = ("annotation", "returns", "decorator_list", "args", "ctx", "op", "ops")


def _sites(tree: ast.AST) -> Iterator[_Site]:
    pass
