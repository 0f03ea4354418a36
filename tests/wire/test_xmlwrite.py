"""XML of our own, compared with what a foreign library makes canonical."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from keystead.wire import xmlstrict
from keystead.wire.xmlstrict import XmlError
from keystead.wire.xmlwrite import SPACES, TYPE, Tag, typed, written

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r<>&\"']")
)
prefixed = st.builds("{}:{}".format, st.sampled_from(sorted(SPACES)), st.sampled_from(["a", "b", "C"]))
names = prefixed | st.sampled_from(["ID", "entityID", "a"])
attributes = st.dictionaries(names, texts, max_size=4)
attributes |= st.builds(lambda plain, kind: plain | {TYPE: kind}, attributes, prefixed)
tags = st.recursive(
    st.builds(Tag, prefixed, attributes, st.tuples(texts)),
    lambda inner: st.builds(Tag, prefixed, attributes, st.lists(inner | texts, max_size=3).map(tuple)),
    max_leaves=6,
)


@given(tags)
def test_what_we_write_is_canonical_already(tag: Tag) -> None:
    text = written(tag)
    root = etree.fromstring(text.encode())
    canonical = etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=sorted(typed(tag)) or None)
    assert canonical.decode() == text
    assert xmlstrict.parse(text.encode()).attributes.get("ID") == tag.attributes.get("ID")


def test_an_inner_element_alone_declares_what_it_uses() -> None:
    inner = Tag("ds:SignedInfo", {}, (Tag("ds:Reference"),))
    outer = Tag("ds:Signature", {}, (inner,))
    assert written(inner) not in written(outer)
    found = etree.fromstring(written(outer).encode())[0]
    assert etree.tostring(found, method="c14n", exclusive=True).decode() == written(inner)


@pytest.mark.parametrize("text", ["\0", "\x1b", "\ud800", "\uffff"])
def test_what_xml_has_no_place_for_is_refused(text: str) -> None:
    for tag in (Tag("md:a", {}, (f"x{text}",)), Tag("md:a", {"b": text})):
        with pytest.raises(XmlError, match="no place"):
            written(tag)
