"""Ordinary expressions do what plain Python does, and failures say where."""
# ruff: noqa: E501 - a row of the tables is read best on one line

import datetime as dt
import ipaddress
import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest

from keystead.policies.sandbox import (
    Expression,
    ExpressionError,
    Owned,
    Signal,
    compile_expression,
    make_view,
)

GroupView = make_view(
    "group", {"name": "name", "attributes": "attributes"}, text=lambda group: group.name, key=lambda group: group.name
)
UserView = make_view(
    "user",
    {
        "username": "username",
        "email": "email",
        "name": "profile.name",
        "attributes": "attributes",
        "groups": lambda user: [GroupView(group) for group in user.groups],
        "has": lambda user: lambda name: any(group.name == name for group in user.groups),
        "last_login": "last_login",
    },
    text=lambda user: user.username,
)
MembersView = make_view("member list", {}, items=lambda rows: rows)


class SkipObject(Signal):
    pass


def people() -> dict[str, object]:
    groups = [SimpleNamespace(name=name, attributes={"n": n}) for n, name in enumerate(["admins", "staff", "vpn"])]
    alice = SimpleNamespace(
        username="alice",
        email="alice@corp.example",
        profile=SimpleNamespace(name="Alice Example"),
        attributes={"department": "it", "tags": ["a", "b"]},
        groups=groups,
        last_login=dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC),
    )
    return {
        "user": UserView(alice),
        "members": MembersView([1, 2, 3]),
        "nobody": MembersView([]),
        "context": Owned({"prompt_data": {"username": "bob"}, "oauth_scopes": ["openid", "email"]}),
        "info": {"sub": "42", "roles": ["admin", "user"], "nested": {"a": [1, 2]}},
        "ak_client_ip": ipaddress.ip_address("10.1.2.3"),
        "ip_network": ipaddress.ip_network,
        "ak_is_sso_flow": False,
        "body": "model_created: {'model': {'pk': 7, 'app': 'authentik_core'}}",
        "SkipObject": SkipObject,
    }


def run(source: str, names: Mapping[str, object] | None = None, **limits: float) -> object:
    expression = compile_expression(source, name="test")
    return expression.run(people() if names is None else names, **limits)  # type: ignore[arg-type]  # steps, seconds


WEBHOOK = """
event_type, payload = body.split(": ", 1)
start = payload.find("'model': {'pk': ") + len("'model': {'pk': ")
try:
    pk = int(payload[start:].split(",")[0])
except (IndexError, ValueError):
    pk = None
return {"event_type": event_type, "pk": pk}
"""

ORDINARY: list[tuple[str, object]] = [
    ("", None),
    ("# only a comment", None),
    ("pass", None),
    ("1 + 1", None),
    ("return", None),
    ("return True", True),
    ("return ak_is_sso_flow", False),
    ("return user.username", "alice"),
    ("return user.name.split()[0]", "Alice"),
    ('return {"name": user.name, "groups": [g.name for g in user.groups]}', {"name": "Alice Example", "groups": ["admins", "staff", "vpn"]}),
    ('return any(g.name == "staff" for g in user.groups)', True),
    ('return next((g.name for g in user.groups if g.name.startswith("v")), None)', "vpn"),
    ('return next((g for g in user.groups if g.name == "x"), None)', None),
    ("it = (x * 2 for x in [1, 2, 3])\nreturn [next(it), next(it), next(it, 9), next(it, 9)]", [2, 4, 6, 9]),
    ('return user.attributes.get("department", "none").upper()', "IT"),
    ('return user.attributes.get("missing", {}).get("x")', None),
    ('return user.has("vpn") and not user.has("root")', True),
    ('return getattr(user, "phone", "-") + str(hasattr(user, "email"))', "-True"),
    ("return user.last_login.isoformat()", "2026-03-04T05:06:07+00:00"),
    ('return f"{user.last_login:%Y-%m-%d %H:%M}" + user.last_login.strftime(" %d.%m.")', "2026-03-04 05:06 04.03."),
    ("return user.last_login.year", 2026),
    ("return user.groups[0] == user.groups[0] and user.groups[0] in user.groups", True),
    ('return f"{user} {user.groups[0]!r} {user!s:}"', "alice <group admins> alice"),
    ('return ak_client_ip in ip_network("10.0.0.0/8")', True),
    ("return ak_client_ip.is_private, str(ak_client_ip)", (True, "10.1.2.3")),
    ('return "admin" in info["roles"] and info["nested"]["a"][-1] == 2', True),
    ('context["prompt_data"]["username"] = context["prompt_data"]["username"].lower()\nreturn context["prompt_data"]', {"username": "bob"}),
    ("user = user or None\nreturn user.username", "alice"),
    ('if info:\n  info = dict(info, sub="x")\nreturn info["sub"]', "x"),
    ("return len(members), [m for m in members], 2 in members, members[0], members[1:], bool(nobody)", (3, [1, 2, 3], True, 1, [2, 3], False)),
    (WEBHOOK, {"event_type": "model_created", "pk": 7}),
    (WEBHOOK.replace("body", "'x: y'"), {"event_type": "x", "pk": None}),
    ("total = 0\nfor n in range(10):\n  if n == 3: continue\n  if n == 8: break\n  total += n\nelse:\n  total = -1\nreturn total", 25),
    ("n = 5\nout = []\nwhile n:\n  n -= 1\n  out.append(n)\nelse:\n  out.append('end')\nreturn out", [4, 3, 2, 1, 0, "end"]),
    ("def double(x, *rest, by=2, **more):\n  return x * by + sum(rest) + more.get('z', 0)\nreturn double(1), double(1, 2, 3, by=3, z=4)", (2, 12)),
    ("def fact(n: int) -> int:\n  'Faculty.'\n  return 1 if n < 2 else n * fact(n - 1)\nreturn fact(20)", 2432902008176640000),
    ("f = lambda x, y=2: x ** y\nreturn [f(3), f(2, 10)]", [9, 1024]),
    ("return sorted(['b', 'C', 'a'], key=str.lower, reverse=True)", ["C", "b", "a"]),
    ("return sorted([(2, 'b'), (1, 'z'), (2, 'a')])", [(1, "z"), (2, "a"), (2, "b")]),
    ("rows = [3, 1, 2]\nrows.sort(key=lambda x: -x)\nreturn rows", [3, 2, 1]),
    ("return {k: v for k, v in zip('abc', range(3)) if v}", {"b": 1, "c": 2}),
    ("return {x % 3 for x in range(9)}", {0, 1, 2}),
    ("return [(i, x) for i, x in enumerate('ab', start=1)]", [(1, "a"), (2, "b")]),
    ("return [x + y for x in 'ab' for y in 'cd' if x + y != 'ad']", ["ac", "bc", "bd"]),
    ("a, *b = [1, 2, 3]\n(c, d), e = (4, 5), 6\nreturn [a, b, c, d, e]", [1, [2, 3], 4, 5, 6]),
    ("a = b = [1]\na += [2]\na *= 2\nreturn b", [1, 2, 1, 2]),
    ("s = {1, 2}\nt = s\ns |= {3}\ns -= {1}\nreturn t", {2, 3}),
    ("d = {'n': 1, 'l': [1]}\nd['n'] += 4\nd['l'] += [2]\nd['n'] <<= 2\nreturn d", {"n": 20, "l": [1, 2]}),
    ("d = {'a': 1, **{'b': 2}}\ndel d['a']\nd.update(c=3)\nd.setdefault('e', []).append(4)\nreturn d", {"b": 2, "c": 3, "e": [4]}),
    ("d = {'a': 1} | {'b': 2}\nreturn [d, list(d), list(d.values()), list(d.items()), d.pop('a'), 'a' in d]", [{"b": 2}, ["a", "b"], [1, 2], [("a", 1), ("b", 2)], 1, False]),
    ("return [*range(3), *'ab'], (*[1],), {*[1, 1]}", ([0, 1, 2, "a", "b"], (1,), {1})),
    ("def f(*a, **k): return [list(a), k]\nreturn f(*[1, 2], 3, x=4, **{'y': 5})", [[1, 2, 3], {"x": 4, "y": 5}]),
    ("if (n := len('abc')) > 2: return n", 3),
    ("return [y for x in range(5) if (y := x * 2) > 4]", [6, 8]),
    ("return 1 < 2 < 3, 1 < 3 < 2, 3 > 2 >= 2 != 1, 1 < 0 < 1 / 0", (True, False, True, False)),
    ("return 1 in [1] is True, None is None, 1 is not None, 3 not in (1, 2)", (False, True, True, True)),
    ("return 'abcdef'[1:4], 'abc'[::-1], [1, 2, 3][-2:], (1, 2)[0], b'ab'[0]", ("bcd", "cba", [2, 3], 1, 97)),
    ("return 7 // 2, 7 % 3, -7 % 3, 2 ** 10, 7 / 2, 1 << 4, 256 >> 4, 6 & 3, 6 | 3, 6 ^ 3, ~5, -5, +5", (3, 1, 2, 1024, 3.5, 16, 16, 2, 7, 5, -6, -5, 5)),
    ("return {1, 2, 3} & {2, 3} | {9}, {1, 2} - {1}, {1} ^ {2}, {1} < {1, 2}, {1: 2}.keys() & {1}", ({2, 3, 9}, {2}, {1, 2}, True, {1})),
    ("return 'x' * 3 + 'y', [0] * 2 + [1], (1,) + (2,), 2 * 'ab'", ("xxxy", [0, 0, 1], (1, 2), "abab")),
    ("return '%s has %d of %05.1f%% %r %x' % ('a', 3, 2.5, 'q', 255)", "a has 3 of 002.5% 'q' ff"),
    ("return '%(a)s-%(b)5s|%(b)-5s|' % {'a': 1, 'b': 'x'} + '%s' % [1, 'a'] + '%%'", "1-    x|x    |[1, 'a']%%"),
    ("return '{} {} {name} {0:>4} {1!r:<5}|{{}}'.format('a', 'b', name=3)", "a b 3    a 'b'  |{}"),
    ("return '{:{w}.{p}f}'.format(3.14159, w=8, p=2)", "    3.14"),
    ("w = 6\nreturn f'{3.14159:{w}.2f}|{1000000:,}|{255:#x}|{True}|{None}|{\"a\":>3}|{\"a\"!r}|{[1, \"x\"]}|{ {1: 2} }'", "  3.14|1,000,000|0xff|True|None|  a|'a'|[1, 'x']|{1: 2}"),
    ("return f'{chr(233)!a}', '%a' % [chr(8364), 'q'], ascii_ if False else 1", ("'\\xe9'", "['\\u20ac', 'q']", 1)),
    ("return 'a,b,,c'.split(','), 'a b  c'.split(), 'a,b,c'.rsplit(',', 1), 'a\\nb\\r\\n'.splitlines()", (["a", "b", "", "c"], ["a", "b", "c"], ["a,b", "c"], ["a", "b"])),
    ("return ', '.join(sorted({'b', 'a'})), '-'.join(str(n) for n in range(3))", ("a, b", "0-1-2")),
    ("return 'Ab'.lower(), 'ab'.title(), ' x '.strip(), 'xxay'.lstrip('x'), 'a-b'.replace('-', '+'), 'aXbX'.replace('X', '', 1)", ("ab", "Ab", "x", "ay", "a+b", "abX")),
    ("return 'a@b'.partition('@'), 'a.b.c'.rpartition('.'), 'abc'.find('c'), 'abcb'.rfind('b'), 'aaa'.count('a')", (("a", "@", "b"), ("a.b", ".", "c"), 2, 3, 3)),
    ("return '7'.zfill(3), 'a'.ljust(3, '.'), 'a'.center(3), 'pre-x'.removeprefix('pre-'), 'é'.encode().decode('utf-8'), b'\\x01'.hex()", ("007", "a..", " a ", "x", "é", "01")),
    ("return 'x'.isdigit(), '12'.isdigit(), 'ab'.startswith(('x', 'a')), 'ab'.endswith('b')", (False, True, True, True)),
    ("return int('12'), int('ff', 16), int(3.9), float('1.5'), str(12), bool([]), abs(-3), round(2.567, 2), round(2.5), divmod(7, 2)", (12, 255, 3, 1.5, "12", False, 3, 2.57, 2, (3, 1))),
    ("return min(3, 1, 2), max([1, 5, 2]), max('a', 'bbb', key=len), min([], default=0), sum([1, 2]), sum([[1], [2]], []), sum([0.5, 1])", (1, 5, "bbb", 0, 3, [1, 2], 1.5)),
    ("return all([]), any([0, 1]), list(reversed([1, 2])), list(map(len, ['a', 'bc'])), list(filter(None, [0, 1])), list(map(lambda a, b: a + b, [1], [2]))", (True, True, [2, 1], [1, 2], [1], [3])),
    ("return isinstance('a', str), isinstance(1, (str, int)), isinstance([], dict), isinstance(user, dict), isinstance(None, list)", (True, True, False, False, False)),
    ("return tuple([1]), list((1, 2)), set([1]), frozenset([1]), dict(a=1), dict([('x', 1)]), list({'k': 1}), list('ab'), ord('a'), chr(98), repr('q')", ((1,), [1, 2], {1}, frozenset({1}), {"a": 1}, {"x": 1}, ["k"], ["a", "b"], 97, "b", "'q'")),
    ("l = [3, 1]\nl.extend((2,))\nl.insert(0, 9)\nl.remove(1)\nreturn [l, l.index(2), l.count(3), l.pop(), l.copy(), l.reverse(), l]", [[3, 9], 2, 1, 2, [9, 3], None, [3, 9]]),
    ("s = set()\ns.add(1)\ns.update([2, 3], {4})\ns.discard(9)\ns.remove(2)\nreturn s, s.union([9]), s.issubset({1, 3, 4, 5}), s.isdisjoint([7])", ({1, 3, 4}, {1, 3, 4, 9}, True, True)),
    ("try:\n  {}['x']\nexcept KeyError as e:\n  return 'caught ' + str(e)", "caught 'x'"),
    ("try:\n  1 / 0\nexcept (KeyError, ZeroDivisionError):\n  return 'zero'\nfinally:\n  pass", "zero"),
    ("try:\n  user.nothing\nexcept:\n  return 'bare'", "bare"),
    ("try:\n  x = 1\nexcept ValueError:\n  x = 2\nelse:\n  x = 3\nfinally:\n  x += 10\nreturn x", 13),
    ("try:\n  raise ValueError('mine')\nexcept ValueError as e:\n  return f'{e}' + str(e)", "minemine"),
    ("try:\n  try:\n    int('x')\n  except ValueError:\n    raise\nexcept Exception:\n  return 'again'", "again"),
    ("try:\n  geoip\nexcept NameError:\n  return 'none'", "none"),
    ("list = [1]\nmax = 5\nreturn list, max, min(max, 7)", ([1], 5, 5)),
    ("def pick(type, id): return [type, id]\nreturn pick(1, id=2)", [1, 2]),
    ("x: int = 3\ny: str\nassert x == 3, 'no'\nreturn x", 3),
    ("for k, (a, b) in {'x': (1, 2)}.items():\n  return k, a, b", ("x", 1, 2)),
    ("d = {}\nfor d['last'] in range(3): pass\nreturn d", {"last": 2}),
    ("_ = [1, 2]\nfor _ in _: pass\nreturn _", 2),
    ("for g in user.groups:\n  yield g.name", ["admins", "staff", "vpn"]),
    ("yield 1\nyield from [2, 3]\nreturn 9", [1, 2, 3]),
    ("if False:\n  yield 1", []),
    ("return map(str, [1, 2])", ["1", "2"]),
    ("return {'a': 1}.keys()", ["a"]),
    ("return regex_match(user.email, r'.+@corp\\.example$'), regex_match('xabc', 'abc'), regex_match(12, r'\\d+')", (True, False, True)),
    ("return regex_replace(user.email, '(.+)@.+', r'\\1'), regex_replace('a  b', r'\\s+', ' ')", ("alice", "a b")),
    ("return slugify('Crème Brûlée: 2_x!'), list_flatten(['foo', 1]), list_flatten([]), list_flatten('x')", ("creme-brulee-2_x", "foo", None, "x")),
    ("return 'é'.upper(), 'straße'.casefold(), '日本' + '!', len('日本')", ("É", "strasse", "日本!", 2)),
    ("return (1, 2) == (1, 2), [1, [2]] == [1, [2]], {'a': [1]} != {'a': [2]}, [1] < [2], 'a' < 'b'", (True, True, True, True, True)),
    ("return 3.0 in range(5), 2.5 in range(5), 'x' in range(5), True in range(2)", (True, False, False, True)),
    ("return [1, 2] in [[1, 2]], (1, 2) in {(1, 2): 3}, {(1, (2, 3)): 4}[(1, (2, 3))]", (True, True, 4)),
    ("x = 5\ndef outer():\n  def inner(y): return x + y\n  return [inner(z) for z in range(2)]\nreturn outer()", [5, 6]),
    ("return (user.last_login - user.last_login).total_seconds()", 0.0),
]  # fmt: skip  # a row of the table is a line


@pytest.mark.parametrize(("source", "expected"), ORDINARY, ids=[str(number) for number in range(len(ORDINARY))])
def test_ordinary(source: str, expected: object) -> None:
    result = run(source)
    assert result == expected
    assert type(result) is type(expected)


FAILING: list[tuple[str, str, int | None]] = [
    ("return 1 +", "not valid Python", 1),
    ("x = 1\n  y = 2", "not valid Python", 2),
    ("x = 1\nreturn x.__class__", "underscore", 2),
    ("import json", "already there", 1),
    ("import re", "regex_match", 1),
    ("\nfrom ipaddress import ip_address", "ip_address and ip_network are there", 2),
    ("break", "not valid Python", 1),
    ("return 1\n\nreturn 1 / 0\n", "", None),
    ("x = 1\nreturn x / 0", "ZeroDivisionError: division by zero", 2),
    ("return nothing", "the name 'nothing' is not available here", 1),
    ("def f():\n  return missing_one\nreturn f()", "the name 'missing_one' is not available here", 2),
    ("x = y\ny = 1", "the name 'y' is not available here", 1),
    ("return [\n  1,\n  user.phone,\n]", "user has no attribute 'phone'; it has: username, email, name", 3),
    ("def f(n):\n  return f(n + 1)\nreturn f(0)", "calls itself too often", 2),
    ("return 'a' + 1", "TypeError", 1),
    ("return {}['a']", "KeyError: 'a'", 1),
    ("raise ValueError('told so')", "ValueError: told so", 1),
    ("return '' % None", "not all arguments", 1),
    ("return '%s %s' % 1", "not enough arguments", 1),
    ("return '%d' % 'x'", "a number is required", 1),
    ("print('x', sep=1)", "sep and end must be text", 1),
    ("assert 1 == 2, 'no'", "AssertionError: no", 1),
    ("return lambda: 1", "holds a function", None),
    ("return [[1, {2: len}]]", "holds a function", None),
    ("return range(3)", "put list(...) around it", None),
    ("return notify(1", "not valid Python", 1),
]


@pytest.mark.parametrize(("source", "text", "line"), FAILING, ids=[str(number) for number in range(len(FAILING))])
def test_failures_say_what_and_where(source: str, text: str, line: int | None) -> None:
    if not text:
        assert run(source) == 1
        return
    with pytest.raises(ExpressionError) as failed:
        run(source)
    assert text in failed.value.message
    assert failed.value.line == line
    if line is not None:
        assert str(failed.value).startswith(f"line {line}")
        assert failed.value.column is None or failed.value.column >= 1


def test_column_points_at_the_part_that_failed() -> None:
    with pytest.raises(ExpressionError) as failed:
        run("return [1, 2 / 0]")
    assert (failed.value.line, failed.value.column) == (1, 12)


def test_signals_of_the_caller_pass_through() -> None:
    with pytest.raises(SkipObject):
        run("raise SkipObject")
    with pytest.raises(SkipObject, match="why"):
        run("raise SkipObject('why')")
    assert run("try:\n  raise SkipObject\nexcept SkipObject:\n  return 1") == 1


def test_own_functions_may_be_called_back() -> None:
    names: dict[str, object] = {"apply": lambda function, value: function(value)}
    assert run("return apply(lambda x: x + 1, 2)", names) == 3


def test_a_function_that_outlives_its_run_is_dead() -> None:
    kept: list[Callable[[], object]] = []
    run("keep(lambda: 1 + 1)\nkeep([1].copy)", {"keep": kept.append})
    for function in kept:
        with pytest.raises(ExpressionError, match="is over"):
            function()


def test_expressions_nest() -> None:
    inner = compile_expression("return [x * 2 for x in rows]", name="inner")
    outer = compile_expression("return [call_policy([n, n]) for n in range(3)]", name="outer")
    assert outer.run({"call_policy": lambda rows: inner.run({"rows": rows})}) == [[0, 0], [2, 2], [4, 4]]


def test_one_expression_serves_many_threads() -> None:
    expression = compile_expression("out = []\nfor n in range(200): out.append(n * k)\nreturn sum(out)", name="t")
    results: dict[int, object] = {}

    def work(k: int) -> None:
        results[k] = [expression.run({"k": k}, seconds=10) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [19900 * k] * 20 for k in range(6)}


def test_compiled_code_is_kept_by_its_text() -> None:
    first = compile_expression("return 40 + 2", name="a")
    second = compile_expression("return 40 + 2", name="b")
    assert isinstance(first, Expression)
    assert (first.name, second.name, first.source) == ("a", "b", "return 40 + 2")
    assert first._function is second._function  # noqa: SLF001 - the point of the test
