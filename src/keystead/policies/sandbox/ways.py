"""Reading a regular expression for the number of ways it can match: the arithmetic behind ``pattern``."""

import importlib
import re
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

import msgspec

_BYTE: Final = 256
_NEWLINE: Final = ord("\n")
_END: Final = -1
parser: Final = importlib.import_module("re._parser")  # the only reader of Python's own syntax there is

Node = tuple[Any, Any]


class Letters(msgspec.Struct, frozen=True):
    """A set of characters: those below 256 one by one, all others as one."""

    low: frozenset[int] = frozenset()
    rest: bool = False

    def __or__(self, other: "Letters") -> "Letters":
        return Letters(self.low | other.low, self.rest or other.rest)

    def __invert__(self) -> "Letters":
        return Letters(_LOW - self.low, rest=True)

    def meets(self, other: "Letters") -> bool:
        """Whether some character may be in both."""
        return (self.rest and other.rest) or not self.low.isdisjoint(other.low)


class Follow(msgspec.Struct, frozen=True):
    """What comes after a place in a pattern: the characters it may begin with, and whether it always matches."""

    first: Letters
    sure: bool


class Ways(msgspec.Struct, frozen=True):
    """An upper bound on ways to match: ``factor * length ** degree``."""

    factor: int = 1
    degree: int = 0

    def __mul__(self, other: "Ways") -> "Ways":
        return Ways(self.factor * other.factor, self.degree + other.degree)

    def __add__(self, other: "Ways") -> "Ways":
        return Ways(self.factor + other.factor, max(self.degree, other.degree))

    def to_the(self, times: int) -> "Ways":
        """The same, one after the other, ``times`` times."""
        if times * self.degree > _MAX_DEGREE or self.factor.bit_length() * times > _MAX_FACTOR_BITS:
            raise ValueError(_TOO_SLOW)
        return Ways(self.factor**times, self.degree * times)


_LOW: Final = frozenset(range(_BYTE))
NONE: Final = Letters()
_ANY: Final = Letters(_LOW | {_END}, rest=True)
_AT_END: Final = Letters(frozenset({_NEWLINE, _END}))
_ENDS: Final = frozenset({"AT_END", "AT_END_STRING"})
ONE: Final = Ways()
_CASES_OF_OTHERS: Final = frozenset(map(ord, "iIkKsS\xb5\xc5\xdf\xe5\xff"))
"""Characters below 256 that have a case above (the Kelvin sign is a k)."""
_FEW: Final = 100
_MAX_DEGREE: Final = 8
_MAX_FACTOR_BITS: Final = 64
_TOO_SLOW: Final = (
    "this pattern repeats something that can match in several ways, which could take for ever; "
    "say what ends each repetition"
)
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": Letters(frozenset(map(ord, "0123456789")), rest=True),
    "CATEGORY_SPACE": Letters(frozenset(n for n in range(_BYTE) if chr(n).isspace()), rest=True),
    "CATEGORY_WORD": Letters(frozenset(n for n in range(_BYTE) if chr(n).isalnum() or chr(n) == "_"), rest=True),
}


class Reader:
    """Reads one parsed pattern from its end to its start."""

    def __init__(self, flags: int) -> None:
        self.ignore_case = self.dot_all = False
        self.take(flags)
        self.wide_sets = 0
        self.scans = False
        self.reach = 1
        self.size = 0
        self.aside = ONE

    def take(self, flags: int) -> None:
        """Heed ``flags`` from here on. That those of a group stay on behind it makes sets too large: the safe side."""
        if flags & (re.ASCII | re.LOCALE):
            raise ValueError("a pattern cannot set the flags a and L here")
        self.ignore_case = self.ignore_case or bool(flags & re.IGNORECASE)
        self.dot_all = self.dot_all or bool(flags & re.DOTALL)

    def sequence(self, nodes: Sequence[Node], follow: Follow) -> tuple[Ways, Follow]:
        """The ways of ``nodes`` when ``follow`` comes after them, and what comes at their start."""
        ways = ONE
        for node in reversed(nodes):
            here, follow = self.node(node, follow)
            ways = ways * here
        return ways, follow

    def node(self, node: Node, follow: Follow) -> tuple[Ways, Follow]:
        """The same for one node."""
        kind, value = str(node[0]), node[1]
        letters = self.letters(node)
        if letters is not None:
            self.reach += 1
            self.size += 1
            if kind == "IN":
                self.wide_sets += sum(str(part[0]) == "RANGE" and part[1][1] >= _BYTE for part in value)
            return ONE, Follow(letters, sure=False)
        if kind == "AT":
            return ONE, Follow(_AT_END if str(value) in _ENDS else _ANY, sure=False)
        if kind == "SUBPATTERN":
            self.take(value[1])
            return self.sequence(value[3], follow)
        if kind == "BRANCH":
            return self.branch(value[1], follow)
        if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
            least, most, body = value
            return self.repeat(least, most, body, follow)
        if kind in {"ASSERT", "ASSERT_NOT"}:
            # Once it has matched, the engine does not come back to it: its ways add to the work, they do not multiply.
            before, self.scans = self.scans, False
            ways, _ = self.sequence(value[1], Follow(NONE, sure=True))
            if _width(value[1]) > _FEW and not self.scans:
                ways = ways * Ways(1, 1)
            self.aside = self.aside + ways
            self.scans = self.scans or before
            return ONE, Follow(_ANY, sure=False)
        raise ValueError(f"this pattern uses {kind.lower().replace('_', ' ')}, which is not available here")

    def start(self, nodes: Iterable[Node], first: Letters) -> Letters:
        """What ``nodes`` may begin with when ``first`` comes after them."""
        for node in reversed(list(nodes)):
            kind, value = str(node[0]), node[1]
            letters = self.letters(node)
            if letters is not None:
                first = letters
            elif kind == "AT":
                first = _AT_END if str(value) in _ENDS else _ANY
            elif kind == "SUBPATTERN":
                self.take(value[1])
                first = self.start(value[3], first)
            elif kind == "BRANCH":
                starts = [self.start(choice, first) for choice in value[1]]
                first = reduce(or_, starts)
            elif kind in {"MAX_REPEAT", "MIN_REPEAT"}:
                start = self.start(value[2], first)
                first = start | first if value[0] == 0 else start
            else:
                first = _ANY
        return first

    def branch(self, choices: Sequence[Sequence[Node]], follow: Follow) -> tuple[Ways, Follow]:
        """Alternatives: one way if the next character decides between them."""
        read = [self.sequence(choice, follow) for choice in choices]
        first, ways, apart = NONE, read[0][0], True
        for number, (more, start) in enumerate(read):
            apart = apart and not first.meets(start.first) and not start.sure
            first = first | start.first
            if number:
                ways = ways + more
        if apart and all(more == ONE for more, _ in read):
            ways = ONE
        return ways, Follow(first, sure=any(start.sure for _, start in read))

    def repeat(self, least: int, most: int, body: Sequence[Node], follow: Follow) -> tuple[Ways, Follow]:
        """A repetition, greedy or not."""
        endless = most == parser.MAXREPEAT
        # Its body is followed by itself or by what follows the whole; neither is sure, for the body may fail half-way.
        start = self.start(body, follow.first)
        once = most <= 1
        inner, _ = self.sequence(body, follow if once else Follow(start | follow.first, sure=False))
        empty = _may_be_empty(body)
        after = Follow(start | follow.first if least == 0 or empty else start, sure=follow.sure and least == 0)
        if once:
            decided = least == 1 or follow.sure or not (empty or start.meets(follow.first))
            return (inner if decided else inner + ONE), after
        if empty or (inner != ONE and endless):
            raise ValueError(_TOO_SLOW)
        if not follow.sure:
            reach = most * _width(body)
            self.scans = self.scans or reach > _FEW
            self.reach += min(reach, _FEW)
        ways = inner.to_the(most) if inner != ONE else ONE
        if follow.sure or least == most or not start.meets(follow.first):
            return ways, after
        return ways * (Ways(1, 1) if endless else Ways(most - least + 1)), after

    def letters(self, node: Node) -> Letters | None:
        """What a node that matches one character matches, or None if it is of another kind."""
        kind, value = str(node[0]), node[1]
        if kind == "LITERAL":
            return self.folded(self.one(value))
        if kind == "NOT_LITERAL":
            return ~self.one(value)
        if kind == "ANY":
            return Letters(_LOW if self.dot_all else _LOW - {_NEWLINE}, rest=True)
        if kind == "IN":
            found, negated = NONE, False
            for part in value:
                if str(part[0]) == "NEGATE":
                    negated = True
                else:
                    found = found | self.member(part)
            # A set read too large would, negated, be read too small: fold only what is taken as it is.
            return ~found if negated else self.folded(found)
        return None

    def member(self, part: Node) -> Letters:
        """One member of a set in brackets."""
        kind, value = str(part[0]), part[1]
        if kind == "LITERAL":
            return self.one(value)
        if kind == "RANGE":
            low, high = value
            return Letters(frozenset(range(low, min(high, _BYTE - 1) + 1)), rest=high >= _BYTE)
        name = str(value)
        if name.startswith("CATEGORY_NOT_"):
            return ~_CATEGORIES["CATEGORY_" + name.removeprefix("CATEGORY_NOT_")]
        return _CATEGORIES[name]

    def one(self, code: int) -> Letters:
        """The set of one character."""
        return Letters(frozenset({code})) if code < _BYTE else Letters(rest=True)

    def folded(self, letters: Letters) -> Letters:
        """``letters`` and their other cases, where case does not matter."""
        if not self.ignore_case:
            return letters
        texts = {case for code in letters.low for case in (chr(code).lower(), chr(code).upper())}
        low = letters.low | {ord(case) for case in texts if len(case) == 1 and ord(case) < _BYTE}
        return Letters(low | _CASES_OF_OTHERS if letters.rest else low, rest=True)


def _may_be_empty(body: Iterable[Node]) -> bool:
    """Whether all of ``body`` can match without taking a character."""
    for kind, value in body:
        name = str(kind)
        if name in {"MAX_REPEAT", "MIN_REPEAT"}:
            if value[0] and not _may_be_empty(value[2]):
                return False
        elif name == "SUBPATTERN":
            if not _may_be_empty(value[3]):
                return False
        elif name == "BRANCH":
            if not any(_may_be_empty(choice) for choice in value[1]):
                return False
        elif name not in {"AT", "ASSERT", "ASSERT_NOT"}:
            return False
    return True


def _width(body: Iterable[Node]) -> int:
    """The most characters ``body`` may take."""
    width: int = body.getwidth()[1]  # type: ignore[attr-defined]  # the parser's own kind of sequence has it
    return width
