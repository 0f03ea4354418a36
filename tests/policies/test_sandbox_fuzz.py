"""Whatever the source, the sandbox answers or says what is wrong; and what it computes is what Python does."""
# ruff: noqa: E501 - a row of the tables is read best on one line

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.policies.sandbox import ExpressionError, compile_expression

NAMES: dict[str, object] = {"x": 3, "name": "alice", "rows": [1, 2, 3], "info": {"a": 1, "b": [2]}}

TOKENS = [
    *"()[]{}:,.=+-*/%<>@!|&^~;\\ '\"#\n\t0123456789",
    *["\n ", "\n  ", "**", "//", "==", "!=", "->", ":=", "<<", ">>", "+=", "...", "f'{", "}'", "'''", "\\\n"],
    *["and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in"],
    *["is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "match", "case", "None", "True", "False", "print"],
    *["x", "name", "rows", "info", "_", "__class__", "len", "str", "list", "getattr", "Exception", "self", "1", "'a'"],
]  # fmt: skip  # a row of the table is a line


def answer(source: str) -> object:
    """What the sandbox makes of a source; its own error is an answer as well."""
    try:
        return compile_expression(source, name="fuzz").run(NAMES, steps=2000, seconds=0.1)
    except ExpressionError as exc:
        return exc


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_any_text(source: str) -> None:
    answer(source)


@settings(max_examples=600)
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join), st.sampled_from(["", "return ", "if x:\n  "]))
def test_any_tokens(source: str, start: str) -> None:
    answer(start + source)


@settings(max_examples=200)
@given(st.binary(max_size=100))
def test_any_octets(source: bytes) -> None:
    answer(source.decode("latin-1"))
    answer(source.decode("utf-8", "surrogateescape"))


LEAVES = st.sampled_from(
    ["0", "1", "-2", "7", "2.5", "True", "None", "''", "'ab'", "'b'", "x", "name", "rows", "[]", "(1, 2)", "{'a': 1}", "{1, 2}"]
)  # fmt: skip  # a row of the table is a line


def branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Larger expressions from smaller ones."""
    two = st.tuples(inner, inner)
    binary = st.sampled_from(["+", "-", "*", "/", "//", "%", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "in"])
    more = st.sampled_from(["not in", "and", "or"])
    calls = st.sampled_from(
        ["len", "str", "list", "sorted", "sum", "min", "max", "bool", "tuple", "set", "abs", "repr", "any"]
    )
    forms: list[Callable[[tuple[str, str]], str]] = [
        lambda pair: f"[{pair[0]}, {pair[1]}]",
        lambda pair: f"({pair[0]}, {pair[1]})",
        lambda pair: f"{{'k': {pair[0]}, 'l': {pair[1]}}}",
        lambda pair: f"({pair[0]})[{pair[1]}]",
        lambda pair: f"({pair[0]})[{pair[1]}:]",
        lambda pair: f"({pair[0]})[::{pair[1]}]",
        lambda pair: f"[v for v in {pair[0]} if {pair[1]}]",
        lambda pair: f"{{v: {pair[1]} for v in {pair[0]}}}",
        lambda pair: f"{{v for v in ({pair[0]}, {pair[1]})}}",
        lambda pair: f"(lambda a, *b: [a, b])(*({pair[0]}, {pair[1]}))",
        lambda pair: f"[*({pair[0]}), {pair[1]}]",
        lambda pair: f"f'{{({pair[0]})}}|{{({pair[1]})!r}}'",
        lambda pair: f"'%s-%r' % ({pair[0]}, {pair[1]})",
        lambda pair: f"'{{}}{{!r}}'.format({pair[0]}, {pair[1]})",
        lambda pair: f"({pair[0]} if {pair[1]} else 0)",
        lambda pair: f"(1 < {pair[0]} <= {pair[1]})",
        lambda pair: f"str({pair[0]}).split(str({pair[1]}))",
        lambda pair: f"str({pair[0]}).replace(str({pair[1]}), '_')",
        lambda pair: f"str({pair[0]}).rfind(str({pair[1]}))",
        lambda pair: f"list(zip({pair[0]}, {pair[1]}))",
        lambda pair: f"list(enumerate({pair[0]}))[:2] + [{pair[1]}]",
        lambda pair: f"isinstance({pair[0]}, (str, int)) or {pair[1]}",
    ]
    return st.one_of(
        st.tuples(inner, st.one_of(binary, more), inner).map(lambda three: f"({three[0]} {three[1]} {three[2]})"),
        st.tuples(calls, inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        inner.map(lambda one: f"(not {one})"),
        st.tuples(st.sampled_from(forms), two).map(lambda pair: pair[0](pair[1])),
    )


EXPRESSIONS = st.recursive(LEAVES, branches, max_leaves=8)


def same(left: object, right: object) -> bool:
    """Equal, of the same type, and nothing is as good as nothing."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=1500)
@given(EXPRESSIONS)
def test_results_are_those_of_python(source: str) -> None:
    try:
        expected = eval(source, {**NAMES, "rows": [1, 2, 3]})  # noqa: S307 - drawn from the pieces above
    except Exception as exc:  # noqa: BLE001 - whatever Python says of it
        expected = exc
    actual = answer("return " + source)
    if isinstance(expected, Exception):
        assert isinstance(actual, ExpressionError), source
    else:
        assert not isinstance(actual, ExpressionError), f"{source}: {actual}"
        assert same(actual, expected), source


@pytest.mark.parametrize(
    "body",
    [
        "total = 0\nfor i, v in enumerate(rows):\n  if v == 2: continue\n  total += i * v\nelse:\n  total += 100\nreturn total",
        "out = {}\nfor k, v in info.items():\n  out.setdefault(str(v), []).append(k)\nreturn out",
        "def walk(v, depth=0):\n  return [walk(w, depth + 1) for w in v] if isinstance(v, list) else (v, depth)\nreturn walk([rows, [1]])",
        "try:\n  rows[9]\nexcept (IndexError, KeyError) as e:\n  found = str(e)\nfinally:\n  x += 1\nreturn found, x",
        "a = rows\na += [4]\na[0] *= 5\na[-1] -= 1\ndel a[1]\nreturn rows, a is rows",
        "n = 10\nsteps = []\nwhile (n := n - 3) > 0:\n  steps.append(n)\n  if n < 3: break\nreturn steps, n",
        "s = {1, 2, 3}\nt = s\nt &= {2, 3, 4}\nt ^= {9}\nreturn s, t is s",
        "fs = [lambda y=y: y + x for y in range(3)]\nreturn [f() for f in fs]",
        "(a, b), *c = [(1, 2), 3, 4]\na, b = b, a\nreturn a, b, c",
        "return [(i, j) for i in range(4) for j in range(i) if (i + j) % 2], {k: v for k, v in zip('ab', rows)}",
        "w = 'q'\nreturn f'{x:>{x}}|{name!r:>8}|{w + name:.3}|{1/3:.2%}|{rows}|{info}|{None}'",
        "return sorted(['b', 'A', 'c'], key=lambda v: (len(v), v.lower()), reverse=True), max(info, key=len)",
    ],
    ids=range(12),
)  # fmt: skip  # a row of the table is a line
def test_bodies_do_what_functions_of_python_do(body: str) -> None:
    def fresh() -> dict[str, object]:
        return {"x": 3, "name": "alice", "rows": [1, 2, 3], "info": {"a": 1, "b": [2]}}

    lines = "\n".join(f"  {line}" for line in body.splitlines())
    place: dict[str, Callable[..., object]] = {}
    exec(f"def body(x, name, rows, info):\n{lines}", {}, place)  # noqa: S102 - written above
    assert compile_expression(body, name="body").run(fresh()) == place["body"](**fresh())
