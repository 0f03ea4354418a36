"""Messages of LDAP: as others write them, back and forth, and nothing that breaks the reader."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import ber
from keystead.wire.ber import BerError
from keystead.wire.ldap import (
    PAGED,
    START_TLS,
    Attribute,
    BindRequest,
    BindResponse,
    Code,
    Control,
    Deref,
    ExtendedRequest,
    ExtendedResponse,
    Message,
    Operation,
    Result,
    Scope,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    UnbindRequest,
)
from keystead.wire.ldap_ber import MOST_ASKED, MOST_CONTROLS, MOST_REFERRALS, decode, encode, page_of, paged
from keystead.wire.ldapfilter import Present, parse
from tests.wire.test_ldapfilter import FILTERS

GOOD = Result(0)
WRITTEN: dict[str, Message] = {
    # an anonymous bind, and that it is fine
    "300c0201016007020103040080 00": Message(1, BindRequest("")),
    "300c02010161070a010004000400": Message(1, BindResponse(GOOD)),
    # cn=admin,dc=x with the password "pw"
    "301b020102601602010304 0d636e3d61646d696e2c64633d7880027077": Message(2, BindRequest("cn=admin,dc=x", b"pw")),
    "30050201034200": Message(3, UnbindRequest()),
    # StartTLS, RFC 4511 §4.14.1
    "301d02010177188016" + START_TLS.encode().hex(): Message(1, ExtendedRequest(START_TLS)),
    # a search of the root for what it supports
    "3025020102632004000a01000a0100020100020100010100870b6f626a656374636c6173733000": Message(
        2, SearchRequest(base="", scope=Scope.BASE, filter=Present("objectclass"))
    ),
    # what it answers, its lengths as Active Directory writes them
    "308400000021020102 648400000018 0400 308400000010 30840000000a 0402636e 318400000000": Message(
        2, SearchEntry("", (Attribute("cn", ()),))
    ),
    "300c02010265070a012004000400": Message(2, SearchDone(Result(Code.NO_SUCH_OBJECT))),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_others_write(written: str) -> None:
    data = bytes.fromhex(written)
    assert decode(data) == WRITTEN[written]
    if "8400" not in written:
        assert encode(WRITTEN[written]) == data


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTS = st.integers(0, ber.MAX_INT)
SOME = st.binary(max_size=12)
MAYBE = st.none() | SOME
RESULTS = st.builds(
    Result, INTS, TEXTS.map(lambda one: one.rstrip("\0")), st.just("why"), st.lists(TEXTS, max_size=3).map(tuple)
)
OPERATIONS: st.SearchStrategy[Operation] = st.one_of(
    st.builds(BindRequest, TEXTS, SOME, version=st.integers(1, 127)),
    st.builds(BindRequest, TEXTS, st.none(), TEXTS, MAYBE),
    st.builds(BindResponse, RESULTS, MAYBE),
    st.just(UnbindRequest()),
    st.builds(
        SearchRequest,
        base=TEXTS,
        filter=FILTERS,
        scope=st.sampled_from(Scope),
        deref=st.sampled_from(Deref),
        size=INTS,
        time=INTS,
        types_only=st.booleans(),
        attributes=st.lists(TEXTS, max_size=4).map(tuple),
    ),
    st.builds(
        SearchEntry,
        TEXTS,
        st.lists(st.builds(Attribute, TEXTS, st.lists(SOME, max_size=3).map(tuple)), max_size=3).map(tuple),
    ),
    st.builds(SearchReference, st.lists(TEXTS, max_size=3).map(tuple)),
    st.builds(SearchDone, RESULTS),
    st.builds(ExtendedRequest, TEXTS, MAYBE),
    st.builds(ExtendedResponse, RESULTS, st.none() | TEXTS, MAYBE),
)
CONTROLS = st.lists(st.builds(Control, TEXTS, st.booleans(), MAYBE), max_size=3).map(tuple)
MESSAGES = st.builds(Message, INTS, OPERATIONS, CONTROLS)


@given(MESSAGES)
def test_every_message_comes_back(message: Message) -> None:
    data = encode(message)
    assert decode(data) == message
    assert ber.whole(data) == len(data)


@given(MESSAGES, st.data())
def test_a_message_that_is_spoiled(message: Message, data: Any) -> None:  # noqa: ANN401 - what draws
    """It breaks off, has more, or another octet somewhere: read or refused, nothing else."""
    sent = encode(message)
    at = data.draw(st.integers(0, len(sent) - 1))
    for spoiled in (
        sent[:at],
        sent + b"\x00",
        sent[:at] + data.draw(st.binary(min_size=1, max_size=1)) + sent[at + 1 :],
    ):
        try:
            decode(spoiled)
        except BerError:
            continue


@given(st.binary(max_size=300))
def test_nothing_breaks_it(data: bytes) -> None:
    for sent in (data, ber.tlv(0x30, data), ber.sequence(ber.integer(1), data)):
        try:
            decode(sent)
        except BerError:
            continue


def test_what_comes_later_is_passed_over() -> None:
    """RFC 4511 §4: SEQUENCEs may have more at their ends."""
    result = ber.integer(0, ber.ENUMERATED) + ber.octets("") + ber.octets("") + ber.octets("new", 0x9E)
    sent = ber.sequence(ber.integer(4), ber.sequence(result, tag=0x65), ber.octets("new", 0x9D))
    assert decode(sent) == Message(4, SearchDone(GOOD))


def test_words_about_what_happened_are_read_whatever_they_are() -> None:
    told = ber.integer(49, ber.ENUMERATED) + ber.octets(b"\xff") + ber.octets(b"data 52e, v4563\x00")
    found = decode(ber.sequence(ber.integer(1), ber.sequence(told, tag=0x61))).operation
    assert found == BindResponse(Result(49, "\ufffd", "data 52e, v4563"))


def _asking(base: bytes = b"", asked: int = 0, scope: int = 0) -> bytes:
    parts = (
        ber.octets(base),
        ber.integer(scope, ber.ENUMERATED),
        ber.integer(0, ber.ENUMERATED),
        *(ber.integer(0), ber.integer(0), ber.boolean(False)),  # noqa: FBT003 - what is sent
        ber.octets("a", 0x87),
        ber.sequence(*[ber.octets("a")] * asked),
    )
    return ber.sequence(ber.integer(1), ber.sequence(*parts, tag=0x63))


def test_numbers_of_things_have_limits() -> None:
    decode(_asking(asked=MOST_ASKED))
    farewell = ber.sequence(
        ber.integer(1), ber.tlv(0x42, b""), ber.sequence(*[ber.sequence(ber.octets("1"))], tag=0xA0)
    )
    decode(farewell)
    many = ber.sequence(*[ber.sequence(ber.octets("1"))] * (MOST_CONTROLS + 1), tag=0xA0)
    for sent in (
        _asking(asked=MOST_ASKED + 1),
        _asking(asked=10_000),
        _asking(base=b"\xff\xfe"),
        _asking(scope=3),
        ber.sequence(ber.integer(1), ber.tlv(0x42, b""), many),
        encode(Message(1, SearchReference(("ldap://x",) * (MOST_REFERRALS + 1)))),
        encode(Message(-1, UnbindRequest())),
        encode(Message(2**31, UnbindRequest())),
        ber.sequence(ber.integer(1), ber.tlv(0x79, b"")),
        encode(Message(1, BindRequest("", version=0))),
    ):
        with pytest.raises(BerError):
            decode(sent)


def test_depth_costs_nothing() -> None:
    """SECURITY LD-03."""
    deep = b""
    for _ in range(10_000):
        deep = ber.tlv(0x30, deep)
    begun = time.perf_counter()
    for sent in (deep, ber.sequence(ber.integer(1), ber.tlv(0x63, deep)), ber.sequence(ber.integer(1), deep)):
        with pytest.raises(BerError):
            decode(sent)
    assert time.perf_counter() - begun < 1


def test_pages() -> None:
    assert page_of((Control("1.2.3"), paged(50, b"next"))) == (50, b"next")
    assert page_of(()) is None
    for value in (None, b"", b"\x30\x00", b"\x04\x00"):
        with pytest.raises(BerError):
            page_of((Control(PAGED, value=value),))
    sent = Message(1, SearchRequest(base="dc=x", filter=parse("(a=b)")), (paged(2),))
    assert decode(encode(sent)) == sent
