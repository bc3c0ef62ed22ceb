"""The ways in which a backward gets written wrong, as edits of its syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

FACTORS = (2, 0, 1.001, 1.0001)
PAIRS = (
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.Lt, ast.GtE),
    (ast.Gt, ast.LtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
    (ast.And, ast.Or),
    ("sum", "mean"),
    ("zeros_like", "ones_like"),
)
OPPOSITE = dict(PAIRS) | {b: a for a, b in PAIRS}


class Mistakes(ast.NodeVisitor):
    """``visit(node)`` gives everything that could stand in the place of a node of the function `tree`.

    Together they are the mistakes people make with derivatives: a sign, a factor, a forgotten term or statement, a sum
    for a mean, another axis, a missing transpose, a name for another, × for ÷, a comparison the wrong way round.
    """

    def __init__(self, tree: ast.FunctionDef) -> None:
        self.nodes = {node: None for statement in tree.body for node in ast.walk(statement)}
        names = [argument.arg for argument in ast.walk(tree.args) if isinstance(argument, ast.arg)]
        self.receiver = names.pop(0) if names[:1] in (["self"], ["cls"]) else ""
        inner = {name for node in self._all(ast.comprehension) for name in ast.walk(node.target)}
        self.since = dict.fromkeys(names, 0)  # the line from which on a local name exists
        for node in self._all(ast.Name):
            if isinstance(node.ctx, ast.Store) and node not in inner:
                self.since.setdefault(node.id, node.lineno)
        self.strings = {node.value: None for node in self._all(ast.Constant) if isinstance(node.value, str)}
        self.attributes = {node.attr: None for node in self._all(ast.Attribute) if self._is_own(node)}
        indices = [node.slice for node in self._all(ast.Subscript)]
        indices += [node.value for node in self._all(ast.keyword) if node.arg in ("axis", "axes", "shape")]
        self.structure = {node for top in indices for node in ast.walk(top)}
        self.quantities = {leaf for top in self._values() for leaf in _leaves(top)}

    def _all(self, kind: type) -> Iterator:
        return (node for node in self.nodes if isinstance(node, kind))

    def _is_own(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and node.value.id == self.receiver

    def _values(self) -> Iterator[ast.expr]:
        """What is returned, assigned, or handed to a function."""
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                if not isinstance(node.targets[0], ast.Tuple) or isinstance(node.value, ast.Tuple):
                    yield node.value
            elif isinstance(node, (ast.Return, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                yield node.value
            elif isinstance(node, ast.Call):
                yield from node.args

    def visit(self, node: ast.AST) -> Iterator[ast.AST]:
        """A statement dropped; a value times a factor, or with a minus; then what its kind allows."""
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.Pass, ast.FunctionDef, ast.Global, ast.Nonlocal)):
            yield ast.Pass()
        if node in self.quantities:
            yield from (ast.BinOp(ast.Constant(factor), ast.Mult(), node) for factor in FACTORS)
            if not isinstance(getattr(node, "op", None), ast.USub):
                yield _minus(node)
        yield from super().visit(node)

    def generic_visit(self, node: ast.AST) -> tuple:
        """Nothing."""
        return ()

    def visit_AugAssign(self, node: ast.AugAssign) -> Iterator[ast.stmt]:
        """``a += b`` as ``a -= b`` and as ``a = b``."""
        if type(node.op) in OPPOSITE:
            yield _changed(node, op=OPPOSITE[type(node.op)]())
        yield ast.Assign([node.target], node.value)

    def visit_If(self, node: ast.If) -> Iterator[ast.stmt]:
        """The condition negated."""
        yield _changed(node, test=ast.UnaryOp(ast.Not(), node.test))

    def visit_BinOp(self, node: ast.BinOp) -> Iterator[ast.expr]:
        """+ for −, × for ÷; either operand dropped."""
        if type(node.op) in OPPOSITE:
            yield _changed(node, op=OPPOSITE[type(node.op)]())
        yield node.left
        yield _minus(node.right) if isinstance(node.op, ast.Sub) else node.right

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Iterator[ast.expr]:
        """A minus or a ``not`` forgotten."""
        yield node.operand

    def visit_Constant(self, node: ast.Constant) -> Iterator[ast.expr]:
        """A number times a factor (an index, an axis: the next one), a string for another, True for False."""
        value = node.value
        if isinstance(value, bool):
            yield ast.Constant(not value)
        elif isinstance(value, str):
            yield from (ast.Constant(other) for other in self.strings if other != value)
        elif isinstance(value, int) and node in self.structure:
            yield ast.Constant(value + 1)
        elif isinstance(value, (int, float, complex)):
            yield from map(ast.Constant, [factor * value for factor in FACTORS] if value else [1])

    def visit_Attribute(self, node: ast.Attribute) -> Iterator[ast.expr]:
        """``.T`` forgotten, another attribute of self, ``np.sum`` for ``np.mean``."""
        if node.attr == "T":
            yield node.value
        if node.attr in OPPOSITE:
            yield _changed(node, attr=OPPOSITE[node.attr])
        if self._is_own(node):
            yield from (_changed(node, attr=other) for other in self.attributes if other != node.attr)

    def visit_Name(self, node: ast.Name) -> Iterator[ast.expr]:
        """Another local name; ``sum`` for ``mean``."""
        if isinstance(node.ctx, ast.Load):
            others = [name for name, line in self.since.items() if name != node.id and line < node.lineno]
            twins = [OPPOSITE[node.id]] if node.id in OPPOSITE else []
            yield from (_changed(node, id=other) for other in twins + others * (node.id in self.since))

    def visit_Call(self, node: ast.Call) -> Iterator[ast.expr]:
        """The function left out: f(x) as x, x.f() as x. A keyword left out."""
        if node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0]
        elif isinstance(node.func, ast.Attribute):
            yield node.func.value
        for left_out in node.keywords:
            yield _changed(node, keywords=[keyword for keyword in node.keywords if keyword is not left_out])

    def visit_Compare(self, node: ast.Compare) -> Iterator[ast.expr]:
        """The other way round."""
        for i, op in enumerate(node.ops):
            yield _changed(node, ops=[*node.ops[:i], OPPOSITE[type(op)](), *node.ops[i + 1 :]])

    def visit_BoolOp(self, node: ast.BoolOp) -> Iterator[ast.expr]:
        """``and`` for ``or``; one condition alone."""
        yield _changed(node, op=OPPOSITE[type(node.op)]())
        yield from node.values

    def visit_IfExp(self, node: ast.IfExp) -> Iterator[ast.expr]:
        """Always the one, always the other, one for the other."""
        yield from (node.body, node.orelse, _changed(node, body=node.orelse, orelse=node.body))

    def visit_Slice(self, node: ast.Slice) -> Iterator[ast.expr]:
        """A bound or the step left out."""
        yield from (_changed(node, **{part: None}) for part in ("lower", "upper", "step") if getattr(node, part))


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """The members of a display of values, or the value itself."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Dict)):
        for element in node.values if isinstance(node, ast.Dict) else node.elts:
            yield from _leaves(element)
    elif not isinstance(node, (ast.Constant, ast.Starred, ast.Lambda, ast.JoinedStr)):
        yield node


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    vars(changed).update(fields)
    return changed


def _minus(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), node)
