"""BER as LDAP has it: one spelling of what is written, a bounded look at what is read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import ber
from keystead.wire.ber import BerError, Reader

NUMBERS = {
    0: "02 01 00",
    1: "02 01 01",
    127: "02 01 7f",
    128: "02 02 00 80",
    255: "02 02 00 ff",
    256: "02 02 01 00",
    -1: "02 01 ff",
    -128: "02 01 80",
    -129: "02 02 ff 7f",
    ber.MAX_INT: "02 04 7f ff ff ff",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers(number: int) -> None:
    """X.690 §8.3."""
    data = bytes.fromhex(NUMBERS[number])
    assert ber.integer(number) == data
    assert Reader(data).integer(low=-200) == number


@given(st.integers(-(2**39), 2**39 - 1))
def test_every_number_comes_back(number: int) -> None:
    assert Reader(ber.integer(number)).integer(low=-(2**39), high=2**39) == number


@given(st.binary(max_size=400), st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F))
def test_all_octets_come_back(content: bytes, tag: int) -> None:
    data = ber.octets(content, tag)
    assert Reader(data).octets(tag) == content
    assert ber.whole(data) == len(data) == ber.element(data, 0, len(data))[2]


def test_lengths_in_any_number_of_octets_are_read() -> None:
    """Active Directory writes four always (X.690 §8.1.3.5)."""
    for head in ("04 03", "04 81 03", "04 82 00 03", "04 84 00 00 00 03"):
        data = bytes.fromhex(head) + b"abc"
        assert Reader(data).octets() == b"abc"
        assert ber.whole(data) == len(data)


def test_a_beginning_tells_how_long_all_is() -> None:
    data = ber.octets(b"x" * 70_000)
    assert [ber.whole(data[:size]) for size in range(7)] == [None] * 5 + [len(data)] * 2
    assert ber.whole(b"\x30\x84\xff\xff\xff\xff") == 2**32 + 5


@pytest.mark.parametrize(
    "data",
    [
        "",
        "04",
        "04 03 61 62",  # breaks off
        "04 80 61 00 00",  # an indefinite length
        "04 82 03",  # half a length
        "04 85 00 00 00 00 01 61",  # a length of too many octets
        "04 84 7f ff ff ff 61",  # 2^31 octets
        "04 84 ff ff ff ff 61",
        "1f 81 00",  # a tag of two octets
        "24 03 04 01 61",  # a text in pieces
        "02 01 61",  # a number
    ],
)
def test_what_is_no_text_is_refused(data: str) -> None:
    with pytest.raises(BerError):
        Reader(bytes.fromhex(data)).octets()


@pytest.mark.parametrize("data", ["02 00", "02 02 00 01", "02 02 ff ff", "02 06 01 00 00 00 00 00", "02 01 ff"])
def test_what_is_no_number_is_refused(data: str) -> None:
    with pytest.raises(BerError):
        Reader(bytes.fromhex(data)).integer()


@pytest.mark.parametrize("data", ["01 00", "01 01 01", "01 02 ff ff", "02 01 ff"])
def test_what_is_neither_true_nor_false_is_refused(data: str) -> None:
    assert Reader(ber.boolean(True)).boolean()  # noqa: FBT003 - the value itself
    with pytest.raises(BerError):
        Reader(bytes.fromhex(data)).boolean()


@pytest.mark.parametrize("begin", ["1f", "30 80", "30 85", "30 ff"])
def test_a_stream_that_begins_otherwise_is_refused_at_once(begin: str) -> None:
    with pytest.raises(BerError):
        ber.whole(bytes.fromhex(begin).ljust(2, b"\x00"))


def test_a_reader_stays_inside() -> None:
    """An inner length that leads into what comes after is refused."""
    data = ber.sequence(bytes.fromhex("04 05 61")) + b"\x04\x02bb"
    inside = Reader(data).inside()
    with pytest.raises(BerError, match="longer"):
        inside.octets()


def test_many_small_elements_take_little_time() -> None:
    data = ber.octets(b"") * 100_000
    begun = time.perf_counter()
    assert sum(1 for _ in Reader(data).each()) == 100_000
    assert time.perf_counter() - begun < 5


@given(st.binary(max_size=200))
def test_nothing_breaks_it(data: bytes) -> None:
    for read in (Reader.octets, Reader.text, Reader.integer, Reader.boolean, Reader.inside, Reader.skip):
        try:
            read(Reader(data))
        except BerError:
            continue
    try:
        assert all(isinstance(one, bytes) for one in Reader(data).each())
        size = ber.whole(data)
    except BerError:
        return
    assert size is None or size >= 2
