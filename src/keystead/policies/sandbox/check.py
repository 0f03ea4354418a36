"""Reading an expression's syntax tree before it is compiled: what the language has, told to an administrator.

Whatever is not listed is refused, so syntax that a later Python adds stays out until someone has looked at it.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from keystead.policies.sandbox.budget import MAX_BITS
from keystead.policies.sandbox.errors import ExpressionError

MAX_SOURCE: Final = 64 * 1024
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 100

# Python's parser takes time that grows with the square of the length of a dotted name in an import.
_DOTTED: Final = re.compile(r"(?:\.[\s\\]*\w+[\s\\]*){100}")

_ALLOWED: Final = frozenset(
    """
    Module Expr Assign AnnAssign AugAssign Return If For While Break Continue Pass Try ExceptHandler Raise Assert
    Delete FunctionDef Lambda arguments arg Yield YieldFrom Constant Name Attribute Subscript Slice Starred Call
    keyword IfExp NamedExpr JoinedStr FormattedValue List Tuple Set Dict ListComp SetComp DictComp GeneratorExp
    comprehension BoolOp And Or BinOp UnaryOp Compare Load Store Del Add Sub Mult Div FloorDiv Mod Pow LShift
    RShift BitOr BitXor BitAnd Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn
    """.split()  # noqa: SIM905 - a list this long reads best as a paragraph
)

_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AsyncFor": "asynchronous code is not available in expressions",
        "AsyncFunctionDef": "asynchronous code is not available in expressions",
        "AsyncWith": "asynchronous code is not available in expressions",
        "Await": "asynchronous code is not available in expressions",
        "ClassDef": "classes cannot be defined in expressions",
        "Global": "'global' is not available in expressions: return a value instead",
        "MatMult": "the operator @ is not available in expressions",
        "Match": "'match' is not available in expressions: use if and elif",
        "Nonlocal": "'nonlocal' is not available in expressions: return a value instead",
        "TryStar": "'except*' is not available in expressions: use except",
        "With": "'with' is not available in expressions",
    }
)

_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ipaddress": "ip_address and ip_network are there without it",
        "re": "regex_match and regex_replace are there without it",
        "requests": "requests is there without it, where the server gives it",
        "socket": "resolve_dns and reverse_dns are there without it, where the server gives them",
    }
)

_ACTING: Final = frozenset(
    """
    breakpoint bytearray classmethod compile delattr dir eval exec exit globals locals memoryview object open
    property quit setattr staticmethod super vars
    """.split()  # noqa: SIM905 - a list this long reads best as a paragraph
)
"""Builtins that are never there, named at save unless the expression uses the word for something of its own."""


def refuse(message: str, node: ast.AST) -> NoReturn:
    """Say that ``node`` is not allowed.

    :raises ExpressionError: always.
    """
    line = getattr(node, "lineno", None)
    column = getattr(node, "col_offset", None)
    raise ExpressionError(message, line, None if column is None else column + 1)


def parse(source: str) -> ast.Module:
    """The syntax tree of ``source``, of bounded size and depth.

    :raises ExpressionError: too large, too deep, or not Python.
    """
    if len(source) > MAX_SOURCE or len(source.encode("utf-8", "replace")) > MAX_SOURCE:
        raise ExpressionError(f"the expression is longer than {MAX_SOURCE} bytes")
    if _DOTTED.search(source):
        raise ExpressionError("the expression has a dotted name of more than 100 parts")
    try:
        tree = ast.parse(source)
    except SyntaxError as exc:
        raise ExpressionError(f"not valid Python: {exc.msg}", exc.lineno, exc.offset) from None
    except (MemoryError, RecursionError):
        raise ExpressionError("the expression nests too deeply") from None
    except (ValueError, OverflowError) as exc:
        raise ExpressionError(f"not valid Python: {exc}") from None
    _bound(tree)
    return tree


def _bound(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        count += len(level)
        if count > MAX_NODES:
            raise ExpressionError(f"the expression has more than {MAX_NODES} parts")
        if not level:
            return
    raise ExpressionError(f"the expression nests more than {MAX_DEPTH} deep")


def check(tree: ast.Module) -> None:
    """Go through the whole tree.

    :raises ExpressionError: something in it is not available in expressions.
    """
    bound = bound_names(tree)
    for node, inside in _walk(tree):
        kind = type(node).__name__
        if kind in {"Import", "ImportFrom"}:
            _import(node)
        if kind not in _ALLOWED:
            refuse(_HINTS.get(kind, f"{kind} is not available in expressions"), node)
        if inside and isinstance(node, ast.Yield | ast.YieldFrom):
            refuse("'yield' is available outside of functions and comprehensions only", node)
        if isinstance(node, ast.Name) and node.id in _ACTING and node.id not in bound:
            refuse(f"{node.id} is not available in expressions", node)
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(node)


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes in the order of the source, each with whether it is inside a function or comprehension."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, inside = stack.pop()
        yield node, inside
        inner = inside or isinstance(
            node, ast.FunctionDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        )
        stack.extend((child, inner) for child in reversed(list(ast.iter_child_nodes(node))))


def bound_names(tree: ast.Module) -> frozenset[str]:
    """The names an expression gives a meaning of its own, anywhere in it."""
    return frozenset(_bindings(tree))


def _bindings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler) and node.name:
            yield node.name


def _import(node: ast.AST) -> NoReturn:
    first = (
        node.module
        if isinstance(node, ast.ImportFrom)
        else node.names[0].name
        if isinstance(node, ast.Import)
        else None
    )
    hint = _MODULES.get((first or "").partition(".")[0], "all that an expression may use is already there")
    refuse(f"'import' is not available in expressions: {hint}", node)


def _private(name: str, node: ast.AST) -> None:
    if name.startswith("_") and name != "_":
        refuse(f"names that start with an underscore are not available ({name[:40]})", node)


def _attribute(node: ast.Attribute) -> None:
    _private(node.attr, node)
    if node.attr == "_":
        refuse("names that start with an underscore are not available (_)", node)
    if not isinstance(node.ctx, ast.Load):
        refuse(
            f"attributes cannot be set or deleted ({node.attr}): objects are read-only, change items of a dict instead",
            node,
        )
    if node.attr == "format_map":
        refuse("format_map is not available: write .format(**values)", node)


def _constant(node: ast.Constant) -> None:
    if isinstance(node.value, complex) or node.value is Ellipsis:
        refuse(f"a {type(node.value).__name__} is not available in expressions", node)
    if isinstance(node.value, int) and node.value.bit_length() > MAX_BITS:
        refuse(f"an integer may have {MAX_BITS} bits", node)


def _function(node: ast.FunctionDef) -> None:
    _private(node.name, node)
    if node.decorator_list:
        refuse("decorators are not available in expressions", node)
    if getattr(node, "type_params", None):
        refuse("type parameters are not available in expressions", node)


def _target(node: ast.expr, *, starred: bool) -> None:
    """A place that something is put into."""
    if isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            if isinstance(part, ast.Starred):
                if not starred:
                    refuse("a star is not available in this place: take the first items by index", part)
                _target(part.value, starred=False)
            else:
                _target(part, starred=False)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        refuse("slices cannot be set: build a new list instead", node)


def _assign(node: ast.Assign) -> None:
    for target in node.targets:
        _target(target, starred=True)


def _comprehension(node: ast.comprehension) -> None:
    if node.is_async:
        refuse("asynchronous code is not available in expressions", node.target)
    _target(node.target, starred=False)


def _handler(node: ast.ExceptHandler) -> None:
    _private(node.name or "", node)
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    if not all(kind is None or isinstance(kind, ast.Name) for kind in kinds):
        refuse("'except' takes the names of exceptions, such as ValueError", node)


def _subscript(node: ast.Subscript) -> None:
    if isinstance(node.slice, ast.Tuple) and any(isinstance(part, ast.Slice | ast.Starred) for part in node.slice.elts):
        refuse("an index has one part", node)


def _compare(node: ast.Compare) -> None:
    for operand in node.comparators[1:]:
        if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom) for part in ast.walk(operand)):
            refuse("':=' and 'yield' are not available in the later parts of a chained comparison", operand)


_RULES: Final[Mapping[type[ast.AST], Callable[..., None]]] = MappingProxyType(
    {
        ast.AnnAssign: lambda node: _target(node.target, starred=False),
        ast.Assign: _assign,
        ast.Attribute: _attribute,
        ast.AugAssign: lambda node: _target(node.target, starred=False),
        ast.Compare: _compare,
        ast.Constant: _constant,
        ast.ExceptHandler: _handler,
        ast.For: lambda node: _target(node.target, starred=False),
        ast.FunctionDef: _function,
        ast.Name: lambda node: _private(node.id, node),
        ast.Subscript: _subscript,
        ast.arg: lambda node: _private(node.arg, node),
        ast.comprehension: _comprehension,
        ast.keyword: lambda node: _private(node.arg or "", node),
    }
)
