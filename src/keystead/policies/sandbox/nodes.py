"""Pieces of syntax trees: guards in the place of operations, and what a part of a tree costs to run."""

import ast
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

BUDGET: Final = "_b_"
"""The first parameter of every compiled expression: the budget of the run."""

BINARY: Final[Mapping[type[ast.operator], str]] = MappingProxyType(
    {
        ast.Add: "add",
        ast.LShift: "shift",
        ast.Mod: "remainder",
        ast.Mult: "multiply",
        ast.Pow: "power",
        ast.Sub: "subtract",
    }
)
COMBINING: Final[Mapping[type[ast.operator], str]] = MappingProxyType(
    {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
)
SIGNS: Final[Mapping[type[ast.operator], str]] = MappingProxyType(
    {
        **COMBINING,
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
# A comparison by its guard, or none, and by its sign.
COMPARING: Final[Mapping[type[ast.cmpop], tuple[str, str]]] = MappingProxyType(
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
_OCTETS: Final[Mapping[type[ast.AST], int]] = MappingProxyType(
    {
        ast.Call: 80,
        ast.Dict: 240,
        ast.DictComp: 240,
        ast.FunctionDef: 200,
        ast.GeneratorExp: 150,
        ast.JoinedStr: 80,
        ast.Lambda: 200,
        ast.List: 90,
        ast.ListComp: 90,
        ast.Set: 220,
        ast.SetComp: 220,
        ast.Tuple: 60,
    }
)
"""What one of these leaves in memory, about; what it holds is counted by whoever makes that."""


def load(name: str) -> ast.Name:
    """A name being read."""
    return ast.Name(name, ast.Load())


def guard(node: ast.AST, name: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    """A call of the guard ``name``, standing where ``node`` stood."""
    made = ast.Call(load(f"_{name}_"), [load(BUDGET), *args], list(keywords))
    return ast.copy_location(made, node)


def statement(node: ast.expr) -> ast.stmt:
    """``node`` on a line of its own."""
    return ast.copy_location(ast.Expr(node), node)


def no_arguments() -> ast.arguments:
    """The parameters of a function that takes none."""
    return ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


class Size(NamedTuple):
    """How much there is in a part of a tree: nodes, and the memory that running it once takes."""

    nodes: int
    octets: int

    @property
    def price(self) -> list[ast.expr]:
        """What doing it once costs, repetitions in it aside: steps, octets."""
        return [ast.Constant(1 + self.nodes // 8), ast.Constant(self.octets)]


def sizes(tree: ast.AST) -> dict[ast.AST, Size]:
    """The size of each part of ``tree``.

    In one pass from the leaves up: parts nest, and walking each anew would take the square of the time.
    """
    found: dict[ast.AST, Size] = {}
    for node in reversed(list(ast.walk(tree))):
        parts = [found[child] for child in ast.iter_child_nodes(node)]
        octets = _OCTETS.get(type(node), 0) + sum(part.octets for part in parts)
        found[node] = Size(1 + sum(part.nodes for part in parts), octets)
    return found
