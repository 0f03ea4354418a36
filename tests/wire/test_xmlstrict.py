"""XML from strangers: what is read, what is refused, and that nothing else comes out."""

from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import xmlstrict
from keystead.wire.xmlstrict import Element, XmlError

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"""
LEADS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>"""


def test_names_carry_their_namespace() -> None:
    found = xmlstrict.parse(
        b'<x:a xmlns:x="urn:x" xmlns="urn:y" x:one="1" two="2">t<b> u </b><!-- c -->v<![CDATA[<w>]]></x:a>'
    )
    assert found.name == "{urn:x}a"
    assert found.attributes == {"{urn:x}one": "1", "two": "2"}
    assert found.text == "tv<w>"
    assert [(one.name, one.text) for one in found.every("{urn:y}b")] == [("{urn:y}b", " u ")]
    assert found.every("b") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (LAUGHS, "document type declaration"),
        (LEADS, "document type declaration"),
        (b'<!DOCTYPE a PUBLIC "x" "http://192.0.2.1/a.dtd"><a/>', "document type declaration"),
        (b"<!DOCTYPE a><a/>", "document type declaration"),
        (b"", "no element found"),
        (b"  ", "no element found"),
        (b"text", "syntax error"),
        (b"<a>", "no element found"),
        (b"<a/><b/>", "junk after document element"),
        (b"<a>&b;</a>", "undefined entity"),
        (b'<a b="1" b="2"/>', "duplicate attribute"),
        (b"<x:a/>", "unbound prefix"),
        (b"<a>\x00</a>", "not well-formed"),
        (b"<a>\xff</a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
        (b"<a>" * 100 + b"</a>" * 100, "deeper than 64"),
        (b"<a>" * 200_000, "deeper than 64"),
        (b"<a>" + b"<b/>" * 20_000 + b"</a>", "more elements"),
    ],
)
def test_what_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(XmlError, match=said):
        xmlstrict.parse(data)


@given(st.binary(max_size=200) | st.text(alphabet='<>/&;="ab!?[]- x:', max_size=60).map(str.encode))
def test_nothing_else_comes_out(data: bytes) -> None:
    try:
        found = xmlstrict.parse(data)
    except XmlError:
        return
    assert isinstance(found, Element)


_TEXT = st.text(
    alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), max_size=9
)
_ELEMENTS = st.recursive(
    st.builds(
        Element, st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(["c", "d"]), _TEXT), st.just([]), _TEXT
    ),
    lambda inner: st.builds(Element, st.just("e"), st.just({}), st.lists(inner, max_size=3), st.just("")),
    max_leaves=6,
)


def _written(one: Element) -> str:
    told = "".join(f" {name}={quoteattr(value)}" for name, value in one.attributes.items())
    return f"<{one.name}{told}>{escape(one.text)}{''.join(map(_written, one.children))}</{one.name}>"


def test_text_in_many_pieces_is_read_at_once() -> None:
    assert xmlstrict.parse(b"<a>" + b"b<!---->" * 130_000 + b"</a>").text == "b" * 130_000


@given(_ELEMENTS)
def test_what_is_written_is_read(element: Element) -> None:
    assert xmlstrict.parse(_written(element).encode()) == element
