"""Search filters of LDAP: as people write them (RFC 4515) and as values; :mod:`keystead.wire.ldap` sends them.

Blanks are passed over between parentheses, though RFC 4515 has none there: long filters are written in lines. ``(&)``
and ``(|)``, true and false, are of RFC 4526.
"""

import re
from typing import Final, Literal, NoReturn, TypeAlias, Union

import msgspec

DEEPEST: Final = 64
"""How deep filters may stand inside each other."""
LONGEST: Final = 32 * 1024
"""Characters of a filter."""
MOST: Final = 2048
"""Filters in one, all told."""

_ATTRIBUTE: Final = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9-]+)*"
_TYPE: Final = re.compile(_ATTRIBUTE)
_RULE: Final = r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*"
_EXTENSIBLE: Final = re.compile(rf"(?P<type>{_ATTRIBUTE})?(?P<dn>:[dD][nN])?(?::(?P<rule>{_RULE}))?:")
_SPECIAL: Final = re.compile(r"[*()\\\x00]")
_PAIR: Final = re.compile(r"\\([0-9A-Fa-f]{2})|\\")
_PARENTHESIS: Final = re.compile(r"[()]")

Sign: TypeAlias = Literal["=", ">=", "<=", "~="]
_SIGNS: Final[dict[str, Sign]] = {"~": "~=", ">": ">=", "<": "<="}


class FilterError(ValueError):
    """The text is no filter; the message says what is wrong and where, and is safe to show."""


class And(msgspec.Struct, frozen=True):
    """All of them hold."""

    parts: tuple["Filter", ...]


class Or(msgspec.Struct, frozen=True):
    """One of them holds."""

    parts: tuple["Filter", ...]


class Not(msgspec.Struct, frozen=True):
    """It does not hold."""

    part: "Filter"


class Compare(msgspec.Struct, frozen=True):
    """A value of the attribute equals this one, or compares with it otherwise."""

    attribute: str
    value: bytes
    sign: Sign = "="


class Substrings(msgspec.Struct, frozen=True):
    """A value of the attribute has these parts, in order; empty: none is asked for."""

    attribute: str
    initial: bytes = b""
    any: tuple[bytes, ...] = ()
    final: bytes = b""


class Present(msgspec.Struct, frozen=True):
    """The attribute has a value."""

    attribute: str


class Extensible(msgspec.Struct, frozen=True):
    """A value matches by a rule that is named, or in the name of the object too (RFC 4511 §4.5.1.7.7)."""

    value: bytes
    attribute: str = ""
    rule: str = ""
    dn: bool = False


Filter: TypeAlias = Union[And, Or, Not, Compare, Substrings, Present, Extensible]  # noqa: UP007 - it names itself


def parse(text: str) -> Filter:
    """The filter that ``text`` is.

    :raises FilterError: it is none.
    """
    if len(text) > LONGEST:
        raise FilterError(f"The filter is longer than {LONGEST} characters.")
    reader = _Reader(text.strip())
    found = reader.filter(DEEPEST)
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._left = MOST

    def _fail(self, what: str) -> NoReturn:
        raise FilterError(f"{what} (at character {self._at + 1})")

    def _blanks(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _one(self, char: str) -> None:
        self._blanks()
        if not self._text.startswith(char, self._at):
            self._fail(f"A “{char}” is missing.")
        self._at += 1

    def end(self) -> None:
        if self._at != len(self._text):
            self._fail("The filter has ended already.")

    def filter(self, depth: int) -> Filter:
        self._left -= 1
        if not depth or self._left < 0:
            self._fail(f"Filters stand inside each other at most {DEEPEST} deep, and at most {MOST} in one.")
        self._one("(")
        self._blanks()
        how = self._text[self._at : self._at + 1]
        made: Filter
        if how and how in "&|!":
            self._at += 1
            if how == "!":
                made = Not(self.filter(depth - 1))
            else:
                made = (And if how == "&" else Or)(tuple(self._several(depth - 1)))
            self._one(")")
            return made
        stop = _PARENTHESIS.search(self._text, self._at)
        if stop is None or stop[0] == "(":
            self._fail("A “)” is missing; inside a value parentheses are written \\28 and \\29.")
        made = self._item(self._text[self._at : stop.start()])
        self._at = stop.end()
        return made

    def _several(self, depth: int) -> list[Filter]:
        found = []
        self._blanks()
        while self._text.startswith("(", self._at):
            found.append(self.filter(depth))
            self._blanks()
        return found

    def _item(self, text: str) -> Filter:
        left, equals, value = text.partition("=")
        if not equals:
            self._fail("A “=” is missing.")
        left = left.strip()
        if left.endswith(":"):
            match = _EXTENSIBLE.fullmatch(left)
            if match is None or not (match["type"] or match["rule"]):
                self._fail("Before “:=” there is no attribute or matching rule.")
            return Extensible(self._value(value), match["type"] or "", match["rule"] or "", match["dn"] is not None)
        sign: Sign = _SIGNS.get(left[-1:], "=")
        name = left if sign == "=" else left[:-1].rstrip()
        if not _TYPE.fullmatch(name):
            self._fail(f"“{name[:100]}” is not the name of an attribute.")
        if sign == "=" and "*" in value:
            return self._with_stars(name, value)
        return Compare(name, self._value(value), sign)

    def _with_stars(self, name: str, value: str) -> Filter:
        first, *between, last = (self._value(part) for part in value.split("*"))
        parts = tuple(part for part in between if part)
        return Substrings(name, first, parts, last) if first or parts or last else Present(name)

    def _value(self, text: str) -> bytes:
        if "*" in text or "\x00" in text:
            self._fail("Inside a value “*” is written \\2a, and the character zero \\00.")
        try:
            return unescape(text)
        except ValueError as exc:
            self._fail(str(exc))


def unescape(text: str) -> bytes:
    r"""The octets that a text with ``\XX`` in it stands for.

    :raises ValueError: it has a backslash that is followed by something else, or half a character.
    """
    found = bytearray()
    at = 0
    try:
        for match in _PAIR.finditer(text):
            if match[1] is None:
                raise FilterError("A “\\” is followed by two hexadecimal digits; the backslash itself is written \\5c.")
            found += text[at : match.start()].encode() + bytes.fromhex(match[1])
            at = match.end()
        return bytes(found + text[at:].encode())
    except UnicodeEncodeError:
        raise FilterError("A value holds half a character.") from None


def escape(value: bytes | str) -> str:
    """``value`` as it stands in a filter and means nothing but itself (RFC 4515 §3)."""
    if isinstance(value, bytes):
        try:
            return escape(value.decode())
        except UnicodeDecodeError:
            return "".join(map(_octet, value))
    return _SPECIAL.sub(lambda match: f"\\{ord(match[0]):02x}", value)


def _octet(one: int) -> str:
    char = chr(one)
    return char if char.isascii() and char.isprintable() and not _SPECIAL.match(char) else f"\\{one:02x}"


def text(given: Filter) -> str:  # noqa: PLR0911 - one for each
    """The filter as RFC 4515 writes it."""
    match given:
        case And(parts):
            return f"(&{''.join(map(text, parts))})"
        case Or(parts):
            return f"(|{''.join(map(text, parts))})"
        case Not(part):
            return f"(!{text(part)})"
        case Compare(attribute, value, sign):
            return f"({attribute}{sign}{escape(value)})"
        case Present(attribute):
            return f"({attribute}=*)"
        case Substrings(attribute, initial, middle, final):
            return f"({attribute}={'*'.join(map(escape, (initial, *middle, final)))})"
        case Extensible(value, attribute, rule, dn):
            return f"({attribute}{':dn' if dn else ''}{':' + rule if rule else ''}:={escape(value)})"
