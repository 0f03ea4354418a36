"""Search filters: RFC 4515's examples, every value back and forth, and nothing that breaks the reader."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import ldapfilter, ldapfilter_ber
from keystead.wire.ber import BerError, Reader
from keystead.wire.ldapfilter import (
    DEEPEST,
    LONGEST,
    MOST,
    And,
    Compare,
    Extensible,
    Filter,
    FilterError,
    Not,
    Or,
    Present,
    Substrings,
    escape,
    parse,
    text,
)

RFC_4515 = {
    "(cn=Babs Jensen)": Compare("cn", b"Babs Jensen"),
    "(!(cn=Tim Howes))": Not(Compare("cn", b"Tim Howes")),
    "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))": And(
        (Compare("objectClass", b"Person"), Or((Compare("sn", b"Jensen"), Substrings("cn", b"Babs J"))))
    ),
    "(o=univ*of*mich*)": Substrings("o", b"univ", (b"of", b"mich")),
    "(seeAlso=)": Compare("seeAlso", b""),
    "(cn:caseExactMatch:=Fred Flintstone)": Extensible(b"Fred Flintstone", "cn", "caseExactMatch"),
    "(cn:=Betty Rubble)": Extensible(b"Betty Rubble", "cn"),
    "(sn:dn:2.4.6.8.10:=Barney Rubble)": Extensible(b"Barney Rubble", "sn", "2.4.6.8.10", dn=True),
    "(o:dn:=Ace Industry)": Extensible(b"Ace Industry", "o", dn=True),
    "(:1.2.3:=Wilma Flintstone)": Extensible(b"Wilma Flintstone", "", "1.2.3"),
    "(:DN:2.4.6.8.10:=Dino)": Extensible(b"Dino", "", "2.4.6.8.10", dn=True),
    r"(o=Parens R Us \28for all your parenthetical needs\29)": Compare(
        "o", b"Parens R Us (for all your parenthetical needs)"
    ),
    r"(cn=*\2A*)": Substrings("cn", any=(b"*",)),
    r"(filename=C:\5cMyFile)": Compare("filename", b"C:\\MyFile"),
    r"(bin=\00\00\00\04)": Compare("bin", b"\0\0\0\4"),
    r"(sn=Lu\c4\8di\c4\87)": Compare("sn", "Lučić".encode()),
    r"(1.3.6.1.4.1.1466.0=\04\02\48\69)": Compare("1.3.6.1.4.1.1466.0", b"\x04\x02Hi"),
}
"""RFC 4515 §4, each of its examples."""
MORE = {
    "(objectClass=*)": Present("objectClass"),
    "(userCertificate;binary=*)": Present("userCertificate;binary"),
    "(cn=*a)": Substrings("cn", final=b"a"),
    "(cn=a**b)": Substrings("cn", b"a", (), b"b"),
    "(age>=5)": Compare("age", b"5", ">="),
    "(age<=5)": Compare("age", b"5", "<="),
    "(cn~=bob)": Compare("cn", b"bob", "~="),
    "(&)": And(()),  # RFC 4526
    "(|)": Or(()),
    "(a=b=c)": Compare("a", b"b=c"),
    "(memberOf:1.2.840.113556.1.4.1941:=CN=x,DC=y)": Extensible(b"CN=x,DC=y", "memberOf", "1.2.840.113556.1.4.1941"),
    "(&\n  (a=b)\n  ( | (c=d) (e=f) )\n)\n": And((Compare("a", b"b"), Or((Compare("c", b"d"), Compare("e", b"f"))))),
    "(objectClass = person)": Compare("objectClass", b" person"),
}


@pytest.mark.parametrize("written", [*RFC_4515, *MORE])
def test_what_filters_say(written: str) -> None:
    wanted = {**RFC_4515, **MORE}[written]
    assert parse(written) == wanted
    assert parse(text(wanted)) == wanted
    assert ldapfilter_ber.decode(Reader(ldapfilter_ber.encode(wanted))) == wanted


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "x",
            "cn=a",
            "(cn=a",
            "cn=a)",
            "(cn=a))",
            "(cn=a)(b=c)",
            "((cn=a))",
            "()",
            "(())",
            "(!)",
            "(!(a=b)(c=d))",
        ),
        *("(=a)", "(cn)", "(c n=a)", "(cn=a(b)", "(cn=a\\)", "(cn=\\2)", "(cn=\\zz)", "(cn=a\0b)", "(cn=\ud800)"),
        *("(:=a)", "(:dn:=a)", "(cn::=a)", "(cn:dn:x:y:=a)", "(cn;=a)", "(-cn=a)", "(1.=a)", "(cn>=a*)", "(cn:=a*b)"),
        *("(&(a=b)", "(&(a=b)x)", "(&a=b)", "(a=b)x", "(é=b)"),
    ],
)
def test_what_is_no_filter_is_refused(written: str) -> None:
    with pytest.raises(FilterError):
        parse(written)


NAMES = st.from_regex(r"\A[a-z][a-z0-9-]{0,5}\Z")
RULES = st.sampled_from(["", "2.5.13.2", "caseExactMatch"])
SOME = st.binary(min_size=1, max_size=8)
ITEMS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Compare, NAMES, st.binary(max_size=8), st.sampled_from(["=", ">=", "<=", "~="])),
    st.builds(Present, NAMES),
    st.builds(Substrings, NAMES, SOME, st.lists(SOME, max_size=3).map(tuple), st.binary(max_size=8)),
    st.builds(Extensible, st.binary(max_size=8), NAMES, RULES, st.booleans()),
)


def _composed(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


FILTERS: st.SearchStrategy[Filter] = st.recursive(ITEMS, _composed, max_leaves=12)


@given(FILTERS)
def test_every_filter_comes_back(wanted: Filter) -> None:
    assert parse(text(wanted)) == wanted
    assert ldapfilter_ber.decode(Reader(ldapfilter_ber.encode(wanted))) == wanted


@given(st.one_of(st.binary(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)))
def test_what_is_escaped_means_itself(value: bytes | str) -> None:
    """SECURITY LD-04, LD-05."""
    wanted = value.encode() if isinstance(value, str) else value
    assert parse(f"(cn={escape(value)})") == Compare("cn", wanted)


def test_depth_and_number_have_limits() -> None:
    """SECURITY LD-02."""
    for sign in "!&|":
        nested = f"({sign}" * (DEEPEST - 1) + "(a=b)" + ")" * (DEEPEST - 1)
        parse(nested)
        with pytest.raises(FilterError, match="deep"):
            parse(f"({sign}{nested})")
    parse("(&" + "(a=b)" * (MOST - 1) + ")")
    begun = time.perf_counter()
    for written in (
        "(&" + "(a=b)" * MOST + ")",
        "(!" * 100_000 + "(a=b)" + ")" * 100_000,
        "(&" * 16_000,
        "(" * LONGEST,
        "(a=" + "x" * 65_536 + ")",
        "(a=" + "*" * 32_000 + ")(",
        "(" + " " * 32_000 + "a",
    ):
        with pytest.raises(FilterError):
            parse(written)
    assert time.perf_counter() - begun < 5


def test_depth_and_number_have_limits_in_requests_too() -> None:
    deep = ldapfilter_ber.encode(Present("a"))
    for _ in range(DEEPEST - 1):
        deep = b"\xa2\x82" + len(deep).to_bytes(2) + deep
    ldapfilter_ber.decode(Reader(deep))
    with pytest.raises(BerError, match="deep"):
        ldapfilter_ber.decode(Reader(b"\xa2\x82" + len(deep).to_bytes(2) + deep))
    many = ldapfilter_ber.encode(And((Present("a"),) * MOST))
    with pytest.raises(BerError, match="most"):
        ldapfilter_ber.decode(Reader(many))
    parts = ldapfilter_ber.encode(Substrings("a", any=(b"x",) * (MOST + 1)))
    with pytest.raises(BerError, match="too many"):
        ldapfilter_ber.decode(Reader(parts))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "a0 02 04 00",  # something that is no filter among filters
        "a4 07 04 01 61 30 02 80 00",  # an empty part
        "a4 05 04 01 61 30 00",  # no part
        "a4 0b 04 01 61 30 06 82 01 62 80 01 63",  # the end first
        "a4 0b 04 01 61 30 06 80 01 62 80 01 63",  # two beginnings
        "a4 08 04 01 61 30 03 83 01 62",  # a part of no kind
        "a9 03 83 01 61",  # neither attribute nor rule
        "a3 03 04 01 61",  # no value
        "87 02 ff fe",  # no UTF-8
        "aa 00",
    ],
)
def test_what_is_no_filter_in_a_request_is_refused(data: str) -> None:
    with pytest.raises(BerError):
        ldapfilter_ber.decode(Reader(bytes.fromhex(data)))


@given(st.one_of(st.text(max_size=60), st.text("()&|!=*:\\<>~a0;. ", max_size=60)))
def test_no_text_breaks_it(written: str) -> None:
    try:
        found = parse(written)
    except FilterError:
        return
    assert parse(text(found)) == found
    assert ldapfilter.unescape(escape(written)) == written.encode()


@given(st.binary(max_size=100))
def test_no_octets_break_it(data: bytes) -> None:
    try:
        found = ldapfilter_ber.decode(Reader(data))
    except BerError:
        return
    assert ldapfilter_ber.decode(Reader(ldapfilter_ber.encode(found))) == found
