"""Hostile expressions end in time and in bounded memory, and nothing they can write keeps them alive."""

import datetime as dt
import json
import resource
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

import pytest

from keystead.policies.sandbox import ExpressionError, compile_expression

LIMIT = 1.0
"""Seconds of processor time in which each of them has ended: a run's 0.2, and much for its last steps on a bad day."""
MEMORY = 128 << 10
"""KiB that all of them together may add to the process at its peak, with room for what the C library keeps."""
PATIENCE = 280
"""Seconds for all of them on a busy machine; a run that nothing else ends is ended then."""

GROW = "a = (1,)\nb = (1,)\nfor i in range(60):\n  a = (a, a)\n  b = (b, b)\n"
LONG = "s = 'a' * 999999\nt = s + 'b'\nu = s + 'b'\n"
MANY = "l = [0] * 100000\nr = []\ndef f(*a, **k): return a, k\n"

HOSTILE = {
    "endless": "while True: pass",
    "endless, caught": "while True:\n try:\n  while True: pass\n except: pass",
    "endless, finally returns": "def f():\n try:\n  while True: pass\n finally:\n  return 1\nreturn f()",
    "endless, finally goes on": "while True:\n try:\n  while True: pass\n finally:\n  continue",
    "nested loops": "n = 0\nfor a in range(10**4):\n for b in range(10**4): n += 1",
    "power": "return 10 ** 10 ** 10",
    "power in steps": "x = 10\nfor i in range(100): x = x ** 2",
    "power in place": "x = 3\nx **= 10 ** 9",
    "shift": "return 1 << 10 ** 9",
    "shift in place": "x = 1\nx <<= 10 ** 10",
    "squares": "x = 7\nwhile True: x = x * x",
    "doubling by minus": "x = 1\nwhile True: x = x - (-x)",
    "text times": "return 'a' * 10 ** 9",
    "times text": "return 10 ** 9 * 'a'",
    "octets times": "return b'a' * 10 ** 9",
    "list times": "return [0] * 10 ** 9",
    "list times in place": "x = [0]\nx *= 10 ** 9",
    "text doubled": "x = 'a'\nwhile True: x = x + x",
    "list doubled": "x = [0]\nwhile True: x += x",
    "extend": "x = [0]\nwhile True: x.extend(x)",
    "append": "x = []\nwhile True: x.append([1, 2, 3])",
    "append to what is looped over": "l = [1]\nfor x in l: l.append(1)",
    "large texts kept": "x = []\ns = 'a' * 1000000\nwhile True: x.append(s + 'b')",
    "upper": "s = '\\xe9' * 1000000\nwhile True: s.upper()",
    "title": "s = '\\xdf\\xe9' * 500000\nwhile True: s.title()",
    "casefold": "s = '\\u0390' * 1000000\nwhile True: s.casefold()",
    "sorted range": "return sorted(range(10**9))",
    "sum of a range": "return sum(range(10**9))",
    "set of a range": "return set(range(10**7))",
    "range beyond counting": "for x in range(10**100): pass",
    "comprehension": "return [x for x in range(10**9)]",
    "nested comprehension": "return [a for a in range(1000) for b in range(1000) for c in range(1000)]",
    "generator": "return sum(x for x in range(10**9))",
    "dict comprehension": "return {x: x for x in range(10**8)}",
    "enumerate": "return list(enumerate(range(10**9)))",
    "zip": "return list(zip(range(10**9), range(10**9)))",
    "map": "return list(map(lambda x: x, range(10**9)))",
    "sort with a key": "return sorted(range(100000), key=lambda x: -x)",
    "min with a key": "return min(range(100000), key=lambda x: [x] * 1000)",
    "sum of lists": "return sum([[0] * 1000] * 1000, [])",
    "join": "return ','.join(['a' * 10000] * 10000)",
    "replace": "return ('a' * 1000000).replace('a', 'b' * 1000000)",
    "replace nothing": "return ('a' * 1000000).replace('', 'b' * 1000)",
    "zfill": "return 'a'.zfill(10**9)",
    "f-string width": "return f'{1:1000000000}'",
    "f-string width in a field": "w = 10 ** 9\nreturn f'{1:{w}}'",
    "f-string precision": "return f'{1.0:.1000000000f}'",
    "f-string of large texts": "s = 'a' * 1000000\nreturn f'" + "{s}" * 2000 + "'",
    "format": "return ('{0}' * 100000).format('a' * 100000)",
    "format width": "return '{:1000000000}'.format(1)",
    "percent width": "return '%1000000000d' % 1",
    "percent precision": "return '%.1000000000f' % 1.0",
    "percent repeated": "return ('%(a)s' * 100000) % {'a': 'a' * 100000}",
    "percent signs": "return ('%%' * 500000) % ()",
    "date width": "return f'{day:%999999999d}'",
    "split": "return ('a ' * 500000).split()",
    "splitlines": "return ('\\n' * 1000000).splitlines()",
    "find from the right": "s = 'a' * 1000000\nreturn s.rfind('b' + 'a' * 400000)",
    "find from the right again": "s = 'a' * 100000\nwhile True: s.rfind('b' + 'a' * 300)",
    "split from the right": "s = 'a' * 1000000\nreturn s.rsplit('b' + 'a' * 400000)",
    "strip": "return ('ab' * 500000).strip('b' * 999999 + 'a')",
    "find": "s = 'a' * 1000000\nwhile True: s.find('a' * 400000 + 'b')",
    "recursion": "def f(): return f()\nreturn f()",
    "recursion of a lambda": "f = lambda g: g(g)\nreturn f(f)",
    "recursion in finally": "def f():\n try:\n  f()\n finally:\n  f()\nf()",
    "recursion caught": "def f():\n try:\n  return f()\n except Exception:\n  return f()\nf()",
    "fibonacci": "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)\nreturn f(50)",
    "shared parts compared": GROW + "return a == b",
    "shared parts ordered": GROW + "return a < b",
    "shared parts shown": GROW + "return str(a)",
    "shared parts in an f-string": GROW + "return f'{a}'",
    "shared parts in percent": GROW + "return '%s' % [a]",
    "shared parts printed": GROW + "print(a)",
    "shared parts returned": GROW + "return a",
    "shared parts yielded": GROW + "yield a",
    "shared parts in a set": GROW + "return {a}",
    "shared parts as a key": GROW + "return {a: 1}",
    "shared parts as an index": GROW + "d = {}\nd[a] = 1",
    "shared parts looked up": GROW + "return {}.get(a)",
    "shared parts in a set comprehension": GROW + "return {x for x in [a]}",
    "shared parts in a dict comprehension": GROW + "return {x: 1 for x in [a]}",
    "shared parts added": GROW + "set().add(a)",
    "shared parts sought": GROW + "return b in [a]",
    "shared parts sought in a set": GROW + "return b in {1}",
    "shared parts indexed": GROW + "return [a].index(b)",
    "shared parts in pairs": GROW + "return dict([(a, 1)])",
    "shared parts sorted": GROW + "return sorted([a, b])",
    "shared parts chosen from": GROW + "return min(a, b)",
    "shared parts raised": GROW + "raise ValueError(a)",
    "shared parts handed out": GROW + "give(a)",
    "shared parts raised later": "l = []\ne = ValueError(l)\n" + GROW + "l.append(a)\nraise e",
    "shared parts in dicts": GROW.replace("(a, a)", "{1: a, 2: a}").replace("(b, b)", "{1: b, 2: b}") + "return a == b",
    "deep tuple": "a = ()\nfor i in range(50000): a = (a,)\nreturn {a}",
    "deep tuple, few turns": f"a = ()\nfor i in range(2000): a = {'(' * 60}a{',)' * 60}\nreturn {{a: 1}}",
    "deep list": "a = []\nfor i in range(50000): a = [a]\nreturn a == a",
    "list in itself": "a = []\na.append(a)\nb = []\nb.append(b)\nreturn a == b",
    "list in itself returned": "a = []\na.append(a)\nreturn a",
    "long texts sought": LONG + "return u in [t] * 100000",
    "long texts compared": LONG + "while True: t == u",
    "long texts compared in lists": LONG + "return [t] * 10000 == [u] * 10000",
    "long texts sorted": LONG + "return sorted([t, u] * 50000)",
    "one hash, set": "M = 2 ** 61 - 1\ns = set()\nfor i in range(1, 99999): s.add(i * M)",
    "one hash, list to set": "M = 2 ** 61 - 1\nreturn len(set([i * M for i in range(1, 30000)]))",
    "one hash, comprehension": "M = 2 ** 61 - 1\nreturn len({i * M: 1 for i in range(1, 50000)})",
    "one hash, tuples": "M = 2 ** 61 - 1\nreturn len({(i * M, 1): 1 for i in range(1, 50000)})",
    "round": "return round(5, -10 ** 10)",
    "int": "return int('9' * 1000000)",
    "int of base 16": "return int('f' * 1000000, 16)",
    "regex, nested": "return regex_match('a' * 40, '(a+)+$')",
    "regex, two ways": "return regex_match('a' * 40 + '!', '(a|aa)+$')",
    "regex, cubic": "return regex_match('a' * 60000, '.*.*x')",
    "regex, quadratic": "return regex_replace('a' * 60000, 'a*b', '')",
    "regex, looking ahead": "return regex_match('a' * 60000, '(?:(?=.*)a)*b')",
    "regex, many matches": "return regex_replace('a' * 60000, '', 'b' * 1000)",
    "regex, long replacement": "return regex_replace('a' * 60000, '(a*)', '\\\\1' * 400)",
    "regex, again and again": "while True: regex_match('a' * 1300, '.*x')",
    "regex, always new": "i = 0\nwhile True:\n i += 1\n regex_match('a', '[a-z]' * 150 + str(i))",
    "slugify": "while True: slugify('\\ufdfa' * 65000)",
    "large body": "while True: x = [" + "[]," * 5000 + "]",
    "large body kept": "r = []\nwhile True: r.append([" + "{}," * 5000 + "])",
    "large function": "r = []\nf = lambda: [" + "{0}," * 4000 + "]\nwhile True: r.append(f())",
    "large comprehension": "return [[" + "{0}," * 4000 + "] for x in range(100000)]",
    "large constants": "r = []\nwhile True: r.append([" + "0," * 9000 + "])",
    "unpacked": MANY + "while True:\n a, *b = l\n r.append(b)",
    "starred": MANY + "while True: r.append([*l])",
    "starred call": MANY + "while True: r.append(f(*l))",
    "keywords": MANY + "d = {str(i): i for i in range(5000)}\nwhile True: r.append(f(**d))",
    "slices": MANY + "while True: r.append(l[:])",
    "copies": MANY + "while True: r.append(l.copy())",
    "dict copies": MANY + "d = {i: i for i in range(5000)}\nwhile True: r.append(d.copy())",
    "dicts joined": MANY + "d = {i: i for i in range(5000)}\nwhile True: r.append(d | d)",
    "closures": "r = []\nwhile True: r.append(lambda: r)",
    "encoded": "s = '\\U0001F600' * 500000\nr = []\nwhile True: r.append(s.encode())",
    "large integers": "r = []\nwhile True: r.append((1 << 4000) + len(r))",
    "yield": "while True: yield [1, 2, 3]",
    "yield from": MANY + "while True: yield from l",
    "print": "while True: print('x' * 100000)",
    "insert": MANY + "while True: l.insert(0, 1)",
    "pop": MANY + "while l: l.pop(0)",
    "sets met": "s = set(range(50000))\nwhile True: s & s",
    "lists compared": "l = list(range(50000))\nm = list(range(50000))\nwhile True: l == m",
    "sought in vain": "l = list(range(50000))\nwhile True: -1 in l",
    "sorted again": "l = list(range(50000))\nwhile True: sorted(l)",
    "addresses": "return list(network)",
    "addresses looped over": "return [x for x in network]",
    "the server called": "while True: give(1)",
    "chains": "while True: 1 < 2 < 3 < 4",
    "texts kept in a dict": "d = {}\nwhile True: d[len(d)] = str(len(d)) * 1000",
}  # fmt: skip  # a row of the table is a line


class Cost(NamedTuple):
    """What a hostile expression took: seconds of processor time, and whether it ended as it should."""

    seconds: float
    refused: bool


def measure() -> tuple[dict[str, Cost], int]:
    """Run all of them; also tells by how many KiB the process grew."""
    names = {"give": lambda value: value, "network": ip_network("10.0.0.0/8"), "day": dt.date(2026, 1, 1)}
    costs = {}
    compile_expression("return [x for x in range(3)]", name="warm").run({})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, source in HOSTILE.items():
        expression = compile_expression(source, name=name)
        begun = time.thread_time()
        try:
            expression.run(names)
            refused = False
        except ExpressionError:
            refused = True
        costs[name] = Cost(time.thread_time() - begun, refused)
    return costs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


PROGRAM = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("hostile", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["hostile"] = module
spec.loader.exec_module(module)
print(json.dumps(module.measure()))
"""


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, Cost], int]:
    """What they took in a process of their own: one that crashes takes no tests with it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(Path(__file__))],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    costs, grown = json.loads(done.stdout)
    return {name: Cost(*cost) for name, cost in costs.items()}, grown


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expression_ends(name: str, measured: tuple[dict[str, Cost], int]) -> None:
    cost = measured[0][name]
    assert cost.refused
    assert cost.seconds <= LIMIT


def test_hostile_expressions_leave_the_memory_alone(measured: tuple[dict[str, Cost], int]) -> None:
    assert measured[1] <= MEMORY


@pytest.mark.parametrize(
    "source",
    [
        "(" * 100_000 + ")" * 100_000,
        "return " + "-" * 60_000 + "1",
        "return " + "not " * 16_000 + "1",
        "return a" + ".b" * 30_000,
        "return a" + "()" * 30_000,
        "return a" + "[0]" * 20_000,
        "return 1" + "+1" * 30_000,
        "return 1" + "**1" * 20_000,
        "return " + "1 if 1 else " * 5_000 + "1",
        "return " + "lambda:" * 9_000 + "1",
        "if 1:\n pass\n" + "elif 1:\n pass\n" * 4_000,
        "import a" + ".b" * 30_000,
        "return " + "{_:" * 150,
        "return " + "f'{" * 60,
        "return [" + "1," * 30_000 + "]",
        "x = 1\n" * 15_000,
        "return '" + "x" * 70_000 + "'",
        "return " + "9" * 5_000,
        "return " + "9" * 1_300,
        "return 0x" + "f" * 2_000,
    ],
    ids=range(20),
)
def test_sources_without_measure_are_refused_at_save(source: str) -> None:
    begun = time.thread_time()
    with pytest.raises(ExpressionError):
        compile_expression(source, name="large")
    assert time.thread_time() - begun < 5  # far from what an unbounded one takes, and from what a busy machine does


def test_large_sources_within_measure_compile() -> None:
    source = "\n".join(f"x{n} = {n}" for n in range(2_500)) + "\nreturn x2499"
    assert compile_expression(source, name="large").run({}) == 2499


def test_the_work_of_functions_that_are_given_counts() -> None:
    def work() -> None:
        until = time.thread_time() + 0.06
        while time.thread_time() < until:
            pass

    with pytest.raises(ExpressionError, match=r"longer than 0\.05 s"):
        compile_expression("work()\nfor x in range(9): pass", name="slow").run({"work": work}, seconds=0.05)


def test_what_else_the_machine_does_meanwhile_does_not_count() -> None:
    waits = compile_expression("wait()\nfor x in range(999): pass\nreturn True", name="waits")
    assert waits.run({"wait": lambda: time.sleep(0.3)}, seconds=0.2) is True


def test_the_steps_count() -> None:
    expression = compile_expression("for x in range(1000): pass", name="steps")
    assert expression.run({}) is None
    with pytest.raises(ExpressionError, match="more than 100 steps"):
        expression.run({}, steps=100)


def test_a_limit_names_the_line_it_stopped_at() -> None:
    with pytest.raises(ExpressionError) as stopped:
        compile_expression("x = 1\nwhile x:\n  x += 1", name="line").run({}, seconds=30)
    assert stopped.value.line == 2
    assert stopped.value.message.startswith("stopped: it takes more than 200000 steps")


@pytest.mark.parametrize("handler", ["except Exception", "except", "except (ValueError, RuntimeError)", "finally"])
def test_no_handler_sees_a_limit(handler: str) -> None:
    log: list[str] = []
    source = f"try:\n  while True: pass\n{handler}:\n  print('seen')\n  return 1"
    with pytest.raises(ExpressionError, match="stopped"):
        compile_expression(source, name="handler").run({}, log=log)
    assert log == []
