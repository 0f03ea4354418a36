"""Rewriting an expression: RestrictedPython's transformer, with our guards in place of its own.

RestrictedPython refuses private names, attributes that lead into frames, and all syntax it does not know. What it would leave to
Python (operators, comparisons, calls, loops) goes through a guard of ours as well, and counts. Loops and functions begin with
``_tick_(_b_, steps, octets)``, where both numbers come from the size of their body: code cannot do more than it pays for.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from RestrictedPython.transformer import RestrictingNodeTransformer

from keystead.policies.sandbox.runtime import FACADES

BUDGET: Final = "_b_"
"""The first parameter of every compiled expression: the budget of the run."""

_BINARY: Final[Mapping[type[ast.operator], str]] = MappingProxyType(
    {
        ast.Add: "add",
        ast.LShift: "shift",
        ast.Mod: "remainder",
        ast.Mult: "multiply",
        ast.Pow: "power",
        ast.Sub: "subtract",
    }
)
_COMBINING: Final[Mapping[type[ast.operator], str]] = MappingProxyType({ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"})
_SIGNS: Final[Mapping[type[ast.operator], str]] = MappingProxyType(
    {
        **_COMBINING,
        ast.Add: "+",
        ast.Div: "/",
        ast.FloorDiv: "//",
        ast.LShift: "<<",
        ast.Mod: "%",
        ast.Mult: "*",
        ast.Pow: "**",
        ast.RShift: ">>",
        ast.Sub: "-",
    }
)
_COMPARING: Final[Mapping[type[ast.cmpop], tuple[str, str]]] = MappingProxyType(
    {
        ast.Eq: ("equal", "=="),
        ast.Gt: ("more", ">"),
        ast.GtE: ("at_least", ">="),
        ast.In: ("contains", "in"),
        ast.Is: ("", "is"),
        ast.IsNot: ("", "is not"),
        ast.Lt: ("less", "<"),
        ast.LtE: ("at_most", "<="),
        ast.NotEq: ("unequal", "!="),
        ast.NotIn: ("contains", "not in"),
    }
)
_MAKING: Final = (
    ast.Call, ast.Dict, ast.DictComp, ast.FunctionDef, ast.GeneratorExp, ast.JoinedStr, ast.Lambda, ast.List, ast.ListComp,
    ast.Set, ast.SetComp, ast.Tuple,
)  # fmt: skip
_OCTETS: Final = 100
"""What one display, call or function of an expression leaves in memory, about."""

_Placed = TypeVar("_Placed", bound=ast.expr | ast.stmt)
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _guard(node: ast.AST, name: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    """A call of the guard ``name``, standing where ``node`` stood."""
    made = ast.Call(_load(f"_{name}_"), [_load(BUDGET), *args], list(keywords))
    return ast.copy_location(made, node)


def cost(*bodies: ast.AST) -> tuple[int, int]:
    """What doing ``bodies`` once costs, loops in them aside: steps, octets."""
    nodes = [node for body in bodies for node in ast.walk(body)]
    return 1 + len(nodes) // 8, _OCTETS * sum(isinstance(node, _MAKING) for node in nodes)


def _price(node: ast.AST, *bodies: ast.AST) -> ast.Call:
    steps, octets = cost(*bodies)
    return _guard(node, "tick", ast.Constant(steps), ast.Constant(octets))


class Instrument(RestrictingNodeTransformer):
    """Rewrites a tree that has passed :func:`keystead.policies.sandbox.check.check`.

    :param own_names: names the expression gives a meaning of its own; they hide functions of ours of the same name.
    """

    def __init__(self, own_names: frozenset[str]) -> None:
        super().__init__()
        self._facades = frozenset(FACADES) - own_names

    def inject_print_collector(self, node: ast.Module | ast.FunctionDef, position: int = 0) -> None:
        """Nothing: ``print`` is a function of ours."""

    def expr(self, node: ast.expr) -> ast.expr:
        """``node``, rewritten."""
        made = self.visit(node)
        if not isinstance(made, ast.expr):
            raise TypeError(f"{type(node).__name__} did not become an expression")
        return made

    def _all(self, nodes: Iterable[ast.expr]) -> list[ast.expr]:
        return [self.expr(node) for node in nodes]

    def _block(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in statements:
            one = self.visit(statement)
            made.extend(one if isinstance(one, list) else [one])
        return made

    # Names, attributes, items

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._facades and isinstance(node.ctx, ast.Load):
            return _guard(node, "bind", _load(f"_{node.id}_"))
        if node.id not in FACADES:
            self.check_name(node, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        read = super().visit_Attribute(node)
        if not isinstance(read, ast.Call):
            self.not_allowed(node)
            return node
        read.args.insert(0, _load(BUDGET))
        return read

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        value, index = self.expr(node.value), node.slice
        if isinstance(node.ctx, ast.Load):
            if isinstance(index, ast.Slice):
                bounds = [ast.Constant(None) if b is None else self.expr(b) for b in (index.lower, index.upper, index.step)]
                return _guard(node, "part", value, *bounds)
            return _guard(node, "item", value, self.expr(index))
        node.value = _guard(node, "write", value)
        if isinstance(index, ast.Slice):
            node.slice = self.node_contents_visit(index)
        else:
            node.slice = self._key(index)
        return node

    def _key(self, node: ast.expr) -> ast.expr:
        """Something about to be hashed."""
        made = self.expr(node)
        return made if isinstance(node, ast.Constant | ast.JoinedStr) else _guard(node, "key", made)

    # Calls

    def visit_Call(self, node: ast.Call) -> ast.AST:
        args = self._all(node.args)
        keywords = [
            ast.keyword(one.arg, self.expr(one.value) if one.arg else _guard(one.value, "spread_pairs", self.expr(one.value)))
            for one in node.keywords
        ]
        if isinstance(node.func, ast.Name) and node.func.id in self._facades:
            return _guard(node, node.func.id, *args, keywords=keywords)
        if isinstance(node.func, ast.Attribute):
            read = self.visit_Attribute(node.func)
            if isinstance(read, ast.Call):
                return _guard(node, "invoke", *read.args[1:], *args, keywords=keywords)
        return _guard(node, "call", self.expr(node.func), *args, keywords=keywords)

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        value = self.expr(node.value)
        node.value = _guard(node, "spread", value) if isinstance(node.ctx, ast.Load) else value
        return node

    # Operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right = self.expr(node.left), self.expr(node.right)
        kind = type(node.op)
        if kind in _BINARY:
            return _guard(node, _BINARY[kind], left, right)
        if kind in _COMBINING:
            return _guard(node, "combine", ast.Constant(_COMBINING[kind]), left, right)
        node.left, node.right = left, right
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        value = self.expr(node.value)
        sign = ast.Constant(_SIGNS[type(node.op)] + "=")
        target = node.target
        if isinstance(target, ast.Subscript):
            held, key = self.expr(target.value), self.expr(target.slice)
            return ast.copy_location(ast.Expr(_guard(node, "augment", held, key, sign, value)), node)
        if not isinstance(target, ast.Name):
            self.not_allowed(node)
            return node
        self.visit_Name(target)
        made = ast.Assign([target], _guard(node, "inplace", sign, _load(target.id), value))
        return ast.copy_location(made, node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        left, others = self.expr(node.left), self._all(node.comparators)
        if len(others) == 1:
            name, sign = _COMPARING[type(node.ops[0])]
            if not name:
                node.left, node.comparators = left, others
                return node
            made = _guard(node, name, left, others[0])
            return ast.copy_location(ast.UnaryOp(ast.Not(), made), node) if sign == "not in" else made
        parts: list[ast.expr] = [left]
        for number, (operator, other) in enumerate(zip(node.ops, others, strict=True)):
            # Python does not come to a later part once an earlier comparison has failed.
            later = ast.copy_location(ast.Lambda(_no_arguments(), other), other)
            parts += [ast.Constant(_COMPARING[type(operator)][1]), later if number else other]
        return _guard(node, "chain", *parts)

    # Displays and texts

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        values = []
        for key, value in zip(node.keys, node.values, strict=True):
            made = self.expr(value)
            values.append(made if key is not None else _guard(value, "spread_pairs", made))
        node.keys = [None if key is None else self._key(key) for key in node.keys]
        node.values = values
        return node

    def visit_Set(self, node: ast.Set) -> ast.AST:
        node.elts = [self.expr(one) if isinstance(one, ast.Starred) else self._key(one) for one in node.elts]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return _guard(node, "join", *self._all(node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        spec = ast.Constant("") if node.format_spec is None else self.expr(node.format_spec)
        return _guard(node, "formatted", self.expr(node.value), ast.Constant(node.conversion), spec)

    # Comprehensions

    def _comprehension(self, node: _Comprehension) -> None:
        steps, octets = cost(node)
        for part in node.generators:
            part.target, part.ifs = self.expr(part.target), self._all(part.ifs)
            part.iter = _guard(part.iter, "rows", self.expr(part.iter), ast.Constant(steps), ast.Constant(octets))

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self._comprehension(node)
        node.elt = self.expr(node.elt)
        return node

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        self._comprehension(node)
        node.elt = self._key(node.elt)
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        self._comprehension(node)
        node.key, node.value = self._key(node.key), self.expr(node.value)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        # A generator has a frame; a finished list has none.
        rows = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
        return _guard(node, "iter", self.expr(rows))

    # Statements

    def visit_For(self, node: ast.For) -> ast.AST:
        price = _price(node, node)
        node.target = self.expr(node.target)
        node.iter = _guard(node.iter, "each", self.expr(node.iter))
        node.body = [_statement(price), *self._block(node.body)]
        node.orelse = self._block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        price = _price(node, node)
        node.test = self.expr(node.test)
        node.body = [_statement(price), *self._block(node.body)]
        node.orelse = self._block(node.orelse)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        starred = any(isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target))
        value = self.expr(node.value)
        node.targets = self._all(node.targets)
        node.value = _guard(node.value, "spread", value) if starred else value
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST | Iterable[ast.AST] | None:
        if node.type is None:
            node.type = ast.copy_location(_load("Exception"), node)
        return super().visit_ExceptHandler(node)

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        return _guard(node, "emit", ast.Constant(None) if node.value is None else self.expr(node.value))

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        return _guard(node, "emit_all", self.expr(node.value))

    # Functions

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        price = _price(node, *node.body)
        node.returns = None
        if node.name not in FACADES:
            self.check_name(node, node.name)
        self._check_parameters(node)
        self.node_contents_visit(node)
        node.body.insert(0, _statement(price))
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        price = _price(node, node.body)
        self._check_parameters(node)
        self.node_contents_visit(node)
        paid = ast.copy_location(ast.Compare(price, [ast.Is()], [ast.Constant(None)]), node)
        node.body = ast.copy_location(ast.IfExp(paid, node.body, ast.Constant(None)), node)
        return node
