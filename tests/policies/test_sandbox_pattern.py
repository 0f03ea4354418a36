"""Regular expressions: everyday ones work, those without a bound are refused, and what is accepted is quick."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.policies.sandbox.pattern import MAX_SUBJECT, Examined, examine

EVERYDAY = [
    (r".*admin.*", "xadminx", True),
    (r"^admin", "administrator", True),
    (r"(?i)^ADMIN\d*$", "admin42", True),
    (r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", "a.b+c@mail.example.org", True),
    (r"^[\w.+-]+@(?:[\w-]+\.)+[\w-]{2,}$", "a@b.c.example", True),
    (r"^(?:[a-z0-9-]+\.)*example\.com$", "a.b.example.com", True),
    (r"(\d{1,3}\.){3}\d{1,3}", "10.0.0.255", True),
    (r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w]).{12,}$", "Correct-horse-7", True),
    (r"^CN=([^,]+),OU=(?:Staff|Guests),", "CN=Alice,OU=Staff,DC=x", True),
    (r"(?:[^,]+,)*DC=corp", "CN=a,OU=b,DC=corp", True),
    (r"[\u0410-\u042f\u0430-\u044f]+", "Привет", True),
    (r"a{2,3}b?", "aaab", True),
    (r"(?s:.)+?x", "\n\nx", True),
    (r"\Ax\Z", "xy", False),
    (r"(?P<user>[^@]*)@.*", "me@here", True),
    (r"[^\W\d_]+\b", "word1", False),
    ("", "x", True),
]

REFUSED = [
    r"(a+)+$",
    r"(a*)*b",
    r"(a|aa)+$",
    r"(a|a?)+$",
    r"(.*a){20}",
    r"(\w+\s?)*$",
    r"([a-zA-Z]+)*@",
    r"(x+x+)+y",
    r"(?i)(k+)*K",
    r"(?:(?i:k)*K)*x",
    r"(a)\1",
    r"(a)?(?(1)b|c)",
    r"(?>a)b",
    r"a*+b",
    r"(?a)\w",
    r"(?a:\W)",
    r"(unbalanced",
    "[z-a]",
    "a{5,2}",
    "(" * 200 + ")" * 200,
    "a" * 1001,
    r"[Ā-￿]" * 9,
    r"(?:(?=.*)a)*(?:(?=.*)a)*" * 40,
]


@pytest.mark.parametrize(("pattern", "text", "matches"), EVERYDAY)
def test_everyday_patterns(pattern: str, text: str, matches: bool) -> None:  # noqa: FBT001 - a row of the table
    examined = examine(pattern)
    examined.check(200, everywhere=False)
    examined.check(64, everywhere=True)
    assert (examined.compiled.match(text) is not None) is matches


@pytest.mark.parametrize("pattern", REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_patterns_without_a_bound_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|regular expression"):
        examine(pattern).check(1000, everywhere=False)


@pytest.mark.parametrize(
    ("pattern", "fits", "too_long"),
    [
        (r".*x", 1000, 3000),
        (r".*.*x", 100, 1000),
        (r"a*b", MAX_SUBJECT, MAX_SUBJECT + 1),
        (r"(?:(?=.*)a)*b", 90, 3000),
    ],
)
def test_the_bound_depends_on_the_length(pattern: str, fits: int, too_long: int) -> None:
    examined = examine(pattern)
    examined.check(fits, everywhere=False)
    with pytest.raises(ValueError, match=r"too long|at most"):
        examined.check(too_long, everywhere=False)


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        ".",
        r"\w",
        r"\d",
        "[ab]",
        "[^b]",
        r"\s",
        r"\b",
        "$",
        "(?=a)",
        "(?!b)",
        "(?=.*b)",
        "(?i:k)",
        "(?s:.)",
    ]
)
TIMES = st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,20}", "*?", "+?", "{2,}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, TIMES).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    ),
    max_leaves=8,
)


def longest(examined: Examined, *, everywhere: bool) -> int:
    """The longest text the pattern is let loose on."""
    low, high = 0, MAX_SUBJECT
    while low < high:
        middle = (low + high + 1) // 2
        try:
            examined.check(middle, everywhere=everywhere)
            low = middle
        except ValueError:
            high = middle - 1
    return low


@settings(max_examples=60)
@given(PATTERNS, st.sampled_from(["a", "ab", "aab", "k", "1a", " ", "abc1 "]), st.booleans())
def test_what_is_accepted_is_quick_on_the_longest_text(pattern: str, unit: str, everywhere: bool) -> None:  # noqa: FBT001 - drawn
    try:
        examined = examine(pattern)
    except ValueError:
        return
    length = longest(examined, everywhere=everywhere)
    text = (unit * length)[: max(length - 1, 0)] + "!"
    begun = time.thread_time()
    examined.compiled.sub("", text) if everywhere else examined.compiled.match(text)
    assert time.thread_time() - begun < 1  # an unbounded one takes minutes


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(pattern: str) -> None:
    try:
        examined = examine(pattern)
    except ValueError:
        return
    assert examined.compiled.pattern == pattern
    assert isinstance(examined.compiled, re.Pattern)
