"""BER as LDAP writes it: what RFC 4511 §5.1 leaves of X.690. Definite lengths, texts in one piece, short tags.

What is read is bounded by what is there: a length that leads beyond its surroundings is refused where it stands, and
nothing is set aside for it.
"""

from collections.abc import Iterator
from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_INT: Final = 2**31 - 1
"""``maxInt`` (RFC 4511 §4.1.1)."""
_LONG_TAG: Final = 0x1F
_LONG_LENGTH: Final = 0x80
_LENGTH_OCTETS: Final = 4
_INTEGER_OCTETS: Final = 5


class BerError(ValueError):
    """The bytes are no BER that is read here, or do not say what they should; the message says what is wrong."""


def element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """The element that begins at ``at``: its tag, where its content begins, and where it ends.

    :param end: where what surrounds it ends.
    :raises BerError: there is none, or it leads beyond.
    """
    if end - at < 2:  # noqa: PLR2004 - a tag and a length
        raise BerError("An element breaks off.")
    tag, size = data[at], data[at + 1]
    at += 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise BerError("A tag has several octets, which LDAP never needs.")
    if size & _LONG_LENGTH:
        octets = size & ~_LONG_LENGTH
        if not octets:
            raise BerError("A length is indefinite (RFC 4511 §5.1).")
        if octets > _LENGTH_OCTETS:
            raise BerError("A length has too many octets.")
        if end - at < octets:
            raise BerError("A length breaks off.")
        size = int.from_bytes(data[at : at + octets])
        at += octets
    if size > end - at:
        raise BerError("An element is longer than what it stands in.")
    return tag, at, at + size


def whole(data: bytes | bytearray) -> int | None:
    """How many octets the element at the beginning of a stream has, its head included; None: too early to tell.

    :raises BerError: no element of LDAP begins like this.
    """
    if len(data) < 2:  # noqa: PLR2004 - as above
        return None
    if data[0] & _LONG_TAG == _LONG_TAG:
        raise BerError("A tag has several octets, which LDAP never needs.")
    size = data[1]
    if not size & _LONG_LENGTH:
        return 2 + size
    octets = size & ~_LONG_LENGTH
    if not 1 <= octets <= _LENGTH_OCTETS:
        raise BerError("A length is indefinite or has too many octets.")
    return 2 + octets + int.from_bytes(data[2 : 2 + octets]) if len(data) >= 2 + octets else None


class Reader:
    """Reads elements one after the other.

    :param end: where they end; by default with ``data``.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = at
        self._end = len(data) if end is None else end

    def more(self) -> bool:
        """Whether there is another element."""
        return self._at < self._end

    def tag(self) -> int:
        """The tag of the next element; -1 where there is none."""
        return self._data[self._at] if self._at < self._end else -1

    def _take(self, wanted: int) -> tuple[int, int]:
        tag, start, stop = element(self._data, self._at, self._end)
        if tag != wanted:
            raise BerError(f"There is an element {tag:#04x} where one {wanted:#04x} should be.")
        self._at = stop
        return start, stop

    def inside(self, tag: int = SEQUENCE) -> "Reader":
        """What the next element holds."""
        return Reader(self._data, *self._take(tag))

    def each(self, tag: int = OCTETS) -> Iterator[bytes]:
        """The contents of all that is left, which has one tag.

        The quick way through the values of an attribute, of which there can be a hundred thousand.
        """
        data, at, end = self._data, self._at, self._end
        while at < end:
            found, start, at = element(data, at, end)
            if found != tag:
                raise BerError(f"There is an element {found:#04x} where one {tag:#04x} should be.")
            yield data[start:at]
        self._at = at

    def skip(self) -> None:
        """Pass over the next element."""
        _, _, self._at = element(self._data, self._at, self._end)

    def octets(self, tag: int = OCTETS) -> bytes:
        """The content of the next element."""
        start, stop = self._take(tag)
        return self._data[start:stop]

    def text(self, tag: int = OCTETS) -> str:
        """The next element as text (LDAPString, RFC 4511 §4.1.2)."""
        try:
            return self.octets(tag).decode()
        except UnicodeDecodeError:
            raise BerError("A text is not UTF-8.") from None

    def integer(self, tag: int = INTEGER, *, low: int = 0, high: int = MAX_INT) -> int:
        """The next element as a number from ``low`` to ``high``, in the one spelling that X.690 §8.3.2 gives it."""
        content = self.octets(tag)
        if not 1 <= len(content) <= _INTEGER_OCTETS:
            raise BerError("A number has no octets, or too many.")
        found = int.from_bytes(content, signed=True)
        if len(content) > 1 and _padded(content):
            raise BerError("A number is longer than it need be.")
        if not low <= found <= high:
            raise BerError(f"A number is {found}, not from {low} to {high}.")
        return found

    def boolean(self, tag: int = BOOLEAN) -> bool:
        """The next element as true or false, in the spellings of RFC 4511 §5.1."""
        content = self.octets(tag)
        if content not in {b"\x00", b"\xff"}:
            raise BerError("Something is neither true nor false.")
        return content == b"\xff"


def _padded(content: bytes) -> bool:
    """Whether the first nine bits are all alike (X.690 §8.3.2)."""
    return (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)  # noqa: PLR2004 - bits


def tlv(tag: int, content: bytes) -> bytes:
    """An element."""
    size = len(content)
    if size < _LONG_LENGTH:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _LONG_LENGTH | len(length))) + length + content


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    """An element that holds others."""
    return tlv(tag, b"".join(parts))


def octets(content: bytes | str, tag: int = OCTETS) -> bytes:
    """An element of octets; texts as UTF-8."""
    return tlv(tag, content.encode() if isinstance(content, str) else content)


def integer(number: int, tag: int = INTEGER) -> bytes:
    """An element that is a number."""
    # One bit more than the number has, for its sign; ~number has the bits of a negative one.
    bits = (number if number >= 0 else ~number).bit_length() + 1
    return tlv(tag, number.to_bytes((bits + 7) // 8, signed=True))


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:  # noqa: FBT001 - the value itself
    """An element that is true or false."""
    return tlv(tag, b"\xff" if value else b"\x00")
