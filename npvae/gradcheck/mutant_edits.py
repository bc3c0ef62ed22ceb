"""The ways in which a backward gets written wrong, as edits of its syntax tree.

Every function here takes a node and yields what could stand in its place. Together they know the mistakes people make
with derivatives: a sign, a factor, a forgotten term or statement, a sum for a mean, another axis, a missing transpose,
a name for another, × for ÷, a comparison the wrong way round.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Scope", "edits"]

FACTORS = (2, 0, 1.001, 1.0001)
OPPOSITE = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
TWINS = {"sum": "mean", "mean": "sum", "zeros_like": "ones_like", "ones_like": "zeros_like"}


@dataclass(frozen=True)
class Scope:
    """What an edit has to know beyond its node.

    Attributes
    ----------
    locals : dict of str to int
        Local names, and the line from which on they exist.
    strings : tuple of str
        String constants of the function.
    attributes : tuple of str
        Attributes of the first argument that the function reads (``self.encoder``).
    receiver : str
        Name of that argument, or empty.
    structure : set of int
        ``id`` of nodes that are an index, an axis or a shape rather than a number to calculate with.
    values : set of int
        ``id`` of nodes whose value is returned, assigned or passed on.
    """

    locals: dict[str, int]
    strings: tuple[str, ...]
    attributes: tuple[str, ...]
    receiver: str
    structure: set[int]
    values: set[int]


def edits(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Everything that could stand in the place of `node`."""
    if isinstance(node, ast.stmt):
        yield from _statement(node)
    if isinstance(node, ast.expr):
        if id(node) in scope.values:
            yield from _scaled(node)
        kind = EXPRESSIONS.get(type(node))
        if kind is not None:
            yield from kind(node, scope)


def _statement(node: ast.stmt) -> Iterator[ast.stmt]:
    """Dropped; ``a += b`` as ``a -= b`` and as ``a = b``; a condition negated."""
    if not isinstance(node, (ast.Pass, ast.FunctionDef, ast.ClassDef, ast.Global, ast.Nonlocal)):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        if type(node.op) in OPPOSITE:
            yield _changed(node, op=OPPOSITE[type(node.op)]())
        yield ast.Assign([copy.deepcopy(node.target)], copy.deepcopy(node.value))
    if isinstance(node, ast.If):
        yield _changed(node, test=ast.UnaryOp(ast.Not(), copy.deepcopy(node.test)))


def _scaled(node: ast.expr) -> Iterator[ast.expr]:
    """A factor too much, or a minus."""
    for factor in FACTORS:
        yield ast.BinOp(ast.Constant(factor), ast.Mult(), copy.deepcopy(node))
    if not (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)):
        yield ast.UnaryOp(ast.USub(), copy.deepcopy(node))


def _binary(node: ast.BinOp, scope: Scope) -> Iterator[ast.expr]:
    """+ for −, × for ÷; either operand dropped."""
    if type(node.op) in OPPOSITE:
        yield _changed(node, op=OPPOSITE[type(node.op)]())
    yield copy.deepcopy(node.left)
    yield (
        ast.UnaryOp(ast.USub(), copy.deepcopy(node.right))
        if isinstance(node.op, ast.Sub)
        else copy.deepcopy(node.right)
    )


def _unary(node: ast.UnaryOp, scope: Scope) -> Iterator[ast.expr]:
    """A minus or a ``not`` forgotten."""
    yield copy.deepcopy(node.operand)


def _constant(node: ast.Constant, scope: Scope) -> Iterator[ast.expr]:
    """A number times a factor (an index, an axis: the next one), a string for another, True for False."""
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, str):
        yield from (ast.Constant(other) for other in scope.strings if other != value)
    elif isinstance(value, int) and id(node) in scope.structure:
        yield _number(value - 1 if value < 0 else value + 1)
    elif isinstance(value, (int, float, complex)):
        yield from (_number(factor * value) for factor in FACTORS if value)
        yield from () if value else [_number(1)]


def _attribute(node: ast.Attribute, scope: Scope) -> Iterator[ast.expr]:
    """``.T`` forgotten, another attribute of self, ``np.sum`` for ``np.mean``."""
    if node.attr == "T":
        yield copy.deepcopy(node.value)
    if node.attr in TWINS:
        yield _changed(node, attr=TWINS[node.attr])
    if isinstance(node.value, ast.Name) and node.value.id == scope.receiver:
        yield from (_changed(node, attr=other) for other in scope.attributes if other != node.attr)


def _name(node: ast.Name, scope: Scope) -> Iterator[ast.expr]:
    """Another local name; ``sum`` for ``mean``."""
    if not isinstance(node.ctx, ast.Load):
        return
    if node.id in TWINS:
        yield ast.Name(TWINS[node.id], ast.Load())
    if node.id in scope.locals:
        for other, line in scope.locals.items():
            if other != node.id and line < node.lineno:
                yield ast.Name(other, ast.Load())


def _call(node: ast.Call, scope: Scope) -> Iterator[ast.expr]:
    """The function left out: f(x) as x, x.f() as x. A keyword left out."""
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield copy.deepcopy(node.args[0])
    elif isinstance(node.func, ast.Attribute):
        yield copy.deepcopy(node.func.value)
    for i in range(len(node.keywords)):
        yield _changed(node, keywords=[copy.deepcopy(k) for j, k in enumerate(node.keywords) if j != i])


def _compare(node: ast.Compare, scope: Scope) -> Iterator[ast.expr]:
    """The other way round."""
    for i, op in enumerate(node.ops):
        if type(op) in OPPOSITE:
            yield _changed(node, ops=[*node.ops[:i], OPPOSITE[type(op)](), *node.ops[i + 1 :]])


def _boolean(node: ast.BoolOp, scope: Scope) -> Iterator[ast.expr]:
    """``and`` for ``or``; one condition alone."""
    yield _changed(node, op=OPPOSITE[type(node.op)]())
    yield from (copy.deepcopy(value) for value in node.values)


def _choice(node: ast.IfExp, scope: Scope) -> Iterator[ast.expr]:
    """Always the one, always the other, one for the other."""
    yield copy.deepcopy(node.body)
    yield copy.deepcopy(node.orelse)
    yield _changed(node, body=copy.deepcopy(node.orelse), orelse=copy.deepcopy(node.body))


def _slice(node: ast.Slice, scope: Scope) -> Iterator[ast.expr]:
    """A bound or the step left out."""
    for part in ("lower", "upper", "step"):
        if getattr(node, part) is not None:
            yield _changed(node, **{part: None})


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _number(value: complex) -> ast.expr:
    """A literal; negative ones are written with a minus, as a parser would have read them."""
    if isinstance(value, (int, float)) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


EXPRESSIONS = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Name: _name,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Slice: _slice,
}
