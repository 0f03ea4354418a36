"""Rewriting an expression: RestrictedPython's transformer, with our guards in place of its own.

RestrictedPython refuses private names, attributes that lead into frames, and all syntax it does not know. What it
would leave to Python (operators, comparisons, calls, loops) goes through a guard of ours as well, and counts. Loops
and functions begin with ``_tick_(_b_, steps, octets)``, where both numbers come from the size of their body: code
cannot do more than it pays for.
"""
# ruff: noqa: N802, D102 - ast calls visitors after the nodes they visit, which says what each is for

import ast
from collections.abc import Iterable

from RestrictedPython.transformer import RestrictingNodeTransformer

from keystead.policies.sandbox.nodes import (
    BINARY,
    BUDGET,
    COMBINING,
    COMPARING,
    SIGNS,
    Size,
    guard,
    load,
    no_arguments,
    sizes,
    statement,
)
from keystead.policies.sandbox.runtime import FACADES

_Rows = ast.ListComp | ast.SetComp | ast.DictComp


def _is_short(node: ast.expr) -> bool:
    """Whether ``node`` is a key written out, whose hash is no riddle."""
    return isinstance(node, ast.Constant) and not isinstance(node.value, int)


class Instrument(RestrictingNodeTransformer):
    """Rewrites a tree that has passed :func:`keystead.policies.sandbox.check.check`.

    :param tree: the tree to be rewritten.
    :param own_names: names the expression gives a meaning of its own; they hide functions of ours of the same name.
    """

    def __init__(self, tree: ast.Module, own_names: frozenset[str]) -> None:
        super().__init__()
        self._sizes = sizes(tree)
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
        for one_of_them in statements:
            one = self.visit(one_of_them)
            made.extend(one if isinstance(one, list) else [one])
        return made

    def _price(self, node: ast.AST, *parts: ast.AST) -> ast.Call:
        """A tick that pays for doing ``parts`` once."""
        sizes = [self._sizes[part] for part in parts]
        whole = Size(sum(size.nodes for size in sizes), sum(size.octets for size in sizes))
        return guard(node, "tick", *whole.price)

    # Names, attributes, items

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._facades and isinstance(node.ctx, ast.Load):
            return guard(node, "bind", load(f"_{node.id}_"))
        if node.id not in FACADES:
            self.check_name(node, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        read = super().visit_Attribute(node)
        if not isinstance(read, ast.Call):
            self.not_allowed(node)
            return node
        read.args.insert(0, load(BUDGET))
        return read

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        value, index = self.expr(node.value), node.slice
        if isinstance(node.ctx, ast.Load):
            if isinstance(index, ast.Slice):
                bounds = [
                    ast.Constant(None) if b is None else self.expr(b) for b in (index.lower, index.upper, index.step)
                ]
                return guard(node, "part", value, *bounds)
            return guard(node, "item", value, self.expr(index))
        node.value = guard(node, "write", value)
        if isinstance(index, ast.Slice):
            node.slice = self.node_contents_visit(index)
        else:
            node.slice = self._key(index)
        return node

    def _key(self, node: ast.expr, name: str = "key") -> ast.expr:
        """Something about to be hashed."""
        made = self.expr(node)
        return made if isinstance(node, ast.JoinedStr) or _is_short(node) else guard(node, name, made)

    # Calls

    def visit_Call(self, node: ast.Call) -> ast.AST:
        args = self._all(node.args)
        keywords = [
            ast.keyword(
                one.arg, self.expr(one.value) if one.arg else guard(one.value, "spread_pairs", self.expr(one.value))
            )
            for one in node.keywords
        ]
        if isinstance(node.func, ast.Name) and node.func.id in self._facades:
            return guard(node, node.func.id, *args, keywords=keywords)
        if isinstance(node.func, ast.Attribute):
            read = self.visit_Attribute(node.func)
            if isinstance(read, ast.Call):
                return guard(node, "invoke", *read.args[1:], *args, keywords=keywords)
        return guard(node, "call", self.expr(node.func), *args, keywords=keywords)

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        value = self.expr(node.value)
        node.value = guard(node, "spread", value) if isinstance(node.ctx, ast.Load) else value
        return node

    # Operators

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right = self.expr(node.left), self.expr(node.right)
        kind = type(node.op)
        if kind in BINARY:
            return guard(node, BINARY[kind], left, right)
        if kind in COMBINING:
            return guard(node, "combine", ast.Constant(COMBINING[kind]), left, right)
        node.left, node.right = left, right
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        value = self.expr(node.value)
        sign = ast.Constant(SIGNS[type(node.op)] + "=")
        target = node.target
        if isinstance(target, ast.Subscript):
            held, key = self.expr(target.value), self.expr(target.slice)
            return ast.copy_location(ast.Expr(guard(node, "augment", held, key, sign, value)), node)
        if not isinstance(target, ast.Name):
            self.not_allowed(node)
            return node
        self.visit_Name(target)
        made = ast.Assign([target], guard(node, "inplace", sign, load(target.id), value))
        return ast.copy_location(made, node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        left, others = self.expr(node.left), self._all(node.comparators)
        if len(others) == 1:
            name, sign = COMPARING[type(node.ops[0])]
            if not name:
                node.left, node.comparators = left, others
                return node
            made = guard(node, name, left, others[0])
            return ast.copy_location(ast.UnaryOp(ast.Not(), made), node) if sign == "not in" else made
        parts: list[ast.expr] = [left]
        for number, (operator, other) in enumerate(zip(node.ops, others, strict=True)):
            # Python does not come to a later part once an earlier comparison has failed.
            later = ast.copy_location(ast.Lambda(no_arguments(), other), other)
            parts += [ast.Constant(COMPARING[type(operator)][1]), later if number else other]
        return guard(node, "chain", *parts)

    # Displays and texts

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        values = []
        for key, value in zip(node.keys, node.values, strict=True):
            made = self.expr(value)
            values.append(made if key is not None else guard(value, "spread_pairs", made))
        node.keys = [None if key is None else self._key(key) for key in node.keys]
        node.values = values
        return node

    def visit_Set(self, node: ast.Set) -> ast.AST:
        node.elts = [self.expr(one) if isinstance(one, ast.Starred) else self._key(one) for one in node.elts]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return guard(node, "join", *self._all(node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        spec = ast.Constant("") if node.format_spec is None else self.expr(node.format_spec)
        return guard(node, "formatted", self.expr(node.value), ast.Constant(node.conversion), spec)

    # Comprehensions

    def _comprehension(self, node: _Rows) -> None:
        price = self._sizes[node].price
        for part in node.generators:
            part.target, part.ifs = self.expr(part.target), self._all(part.ifs)
            part.iter = guard(part.iter, "rows", self.expr(part.iter), *price)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self._comprehension(node)
        node.elt = self.expr(node.elt)
        return node

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        self._comprehension(node)
        node.elt = self._key(node.elt, "new_key")
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        self._comprehension(node)
        node.key, node.value = self._key(node.key, "new_key"), self.expr(node.value)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        # A generator has a frame; a finished list has none.
        rows = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
        self._sizes[rows] = self._sizes[node]
        return guard(node, "iter", self.expr(rows))

    # Statements

    def visit_For(self, node: ast.For) -> ast.AST:
        price = self._price(node, node.target, *node.body)
        node.target = self.expr(node.target)
        node.iter = guard(node.iter, "each", self.expr(node.iter))
        node.body = [statement(price), *self._block(node.body)]
        node.orelse = self._block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        price = self._price(node, node.test, *node.body)
        node.test = self.expr(node.test)
        node.body = [statement(price), *self._block(node.body)]
        node.orelse = self._block(node.orelse)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        starred = any(isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target))
        value = self.expr(node.value)
        node.targets = self._all(node.targets)
        node.value = guard(node.value, "spread", value) if starred else value
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST | Iterable[ast.AST] | None:
        if node.type is None:
            node.type = ast.copy_location(load("Exception"), node)
        return super().visit_ExceptHandler(node)

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        return guard(node, "emit", ast.Constant(None) if node.value is None else self.expr(node.value))

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        return guard(node, "emit_all", self.expr(node.value))

    # Functions

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        price = self._price(node, *node.body)
        node.returns = None
        self.check_name(node, node.name)
        self.check_function_argument_names(node)
        self.node_contents_visit(node)
        node.body.insert(0, statement(price))
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        price = self._price(node, node.body)
        self.check_function_argument_names(node)
        self.node_contents_visit(node)
        paid = ast.copy_location(ast.Compare(price, [ast.Is()], [ast.Constant(None)]), node)
        node.body = ast.copy_location(ast.IfExp(paid, node.body, ast.Constant(None)), node)
        return node
