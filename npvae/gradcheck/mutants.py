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

__all__ = ["Mutant", "NoSource", "in_place", "mutants", "plain_function"]

SHOWN = 50
LOOPS = 100_000
COUNTER = "_turns_of_all_loops"
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
    tree, first = _parse(function)
    _bound_loops(tree)
    scope, sites = _scope(tree), list(_sites(tree))
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
    if ast.get_docstring(tree) is not None:
        tree.body[0] = ast.copy_location(ast.Pass(), tree.body[0])
    return tree, first - 1 - int(indented)


def _bound_loops(tree: ast.FunctionDef) -> None:
    """Give every ``while`` an end: a mistake in its condition must not stop the search."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    for loop in loops:
        text = f"{COUNTER} += 1\nif {COUNTER} > {LOOPS}: raise RuntimeError('the loop has no end')"
        loop.body[:0] = _guards(text)
    if loops:
        tree.body[:0] = _guards(f"{COUNTER} = 0")


def _guards(text: str) -> list[ast.stmt]:
    statements = ast.parse(text).body
    for statement in statements:
        statement.guards_a_loop = True
    return statements


def _module(tree: ast.FunctionDef, function: types.FunctionType) -> ast.Module:
    """A module that compiles the function as what it is: inside a class, with variables of a function around it."""
    free = function.__code__.co_freevars
    if free:  # also a mutant that has lost the use of one of them must be given them all
        tree.body.append(ast.Expr(ast.parse(f"lambda: ({', '.join(free)},)", mode="eval").body))
    owner = _owner(function)
    outer = ast.parse("def outer(): pass").body[0]
    outer.args.args = [ast.arg(variable) for variable in free]
    outer.body = [ast.ClassDef(name=owner, bases=[], keywords=[], body=[tree], decorator_list=[])] if owner else [tree]
    if owner and hasattr(ast, "type_param"):
        outer.body[0].type_params = []
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


@dataclass(frozen=True)
class _Site:
    """A node and the place where it stands: a field of its parent, or an element of that field."""

    parent: ast.AST
    field: str
    place: int | None
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        """Let another node stand there."""
        if self.place is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


def _sites(parent: ast.AST) -> Iterator[_Site]:
    """Every statement and expression below `parent` in which a mistake can be made."""
    for field, value in ast.iter_fields(parent):
        if isinstance(parent, (ast.FunctionDef, ast.Lambda)) and field != "body":
            continue
        if field in ("annotation", "exc", "cause", "msg"):
            continue
        several = isinstance(value, list)
        for place, node in enumerate(value if several else [value]):
            if not isinstance(node, ast.AST) or hasattr(node, "guards_a_loop"):
                continue
            if isinstance(node, (ast.stmt, ast.expr)):
                yield _Site(parent, field, place if several else None, node)
            yield from _sites(node)


def _scope(tree: ast.FunctionDef) -> Scope:
    """What the edits have to know of the function."""
    nodes = [node for statement in tree.body for node in ast.walk(statement)]
    inner = {id(name) for node in nodes if isinstance(node, ast.comprehension) for name in ast.walk(node.target)}
    arguments = [a.arg for a in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)]
    receiver = arguments[0] if arguments[:1] in (["self"], ["cls"]) else ""
    names = {argument: 0 for argument in arguments if argument != receiver}
    for node in nodes:
        stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        if stored and id(node) not in inner and node.id != COUNTER:
            names.setdefault(node.id, node.lineno)
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    attributes = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == receiver
    ]
    return Scope(
        names,
        tuple(dict.fromkeys(strings)),
        tuple(dict.fromkeys(attributes)),
        receiver,
        {id(node) for top in _structure(nodes) for node in ast.walk(top)},
        {id(value) for top in _quantities(nodes) for value in _leaves(top)},
    )


def _structure(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Indices, axes and shapes."""
    for node in nodes:
        if isinstance(node, ast.Subscript):
            yield node.slice
        if isinstance(node, ast.keyword) and node.arg in ("axis", "axes", "shape"):
            yield node.value


def _quantities(nodes: list[ast.AST]) -> Iterator[ast.expr]:
    """What is returned, assigned, or handed to a function."""
    for node in nodes:
        if isinstance(node, (ast.Return, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
            yield node.value
        elif isinstance(node, ast.Assign):
            unpacked = isinstance(node.targets[0], ast.Tuple) and not isinstance(node.value, ast.Tuple)
            yield from [] if unpacked else [node.value]
        elif isinstance(node, ast.Call):
            yield from node.args


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """The members of a display of values, or the value itself."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _leaves(element)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _leaves(value)
    elif not isinstance(node, (ast.Constant, ast.Starred, ast.Lambda, ast.JoinedStr)):
        yield node


def _change(old: ast.AST, new: ast.AST) -> str:
    return f"{_text(old)} dropped" if isinstance(new, ast.Pass) else f"{_text(old)} -> {_text(new)}"


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
