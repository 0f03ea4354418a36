"""Search filters of LDAP as a request carries them (RFC 4511 §4.5.1.7)."""

from typing import Final

from keystead.wire import ber
from keystead.wire.ber import BerError, Reader
from keystead.wire.ldapfilter import (
    DEEPEST,
    MOST,
    And,
    Compare,
    Extensible,
    Filter,
    Not,
    Or,
    Present,
    Sign,
    Substrings,
)

_AND: Final = 0xA0
_OR: Final = 0xA1
_NOT: Final = 0xA2
_SUBSTRINGS: Final = 0xA4
_PRESENT: Final = 0x87
_EXTENSIBLE: Final = 0xA9
_SIGNS: Final[dict[int, Sign]] = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}
_TAGS: Final = {sign: tag for tag, sign in _SIGNS.items()}
_INITIAL: Final = 0x80
_ANY: Final = 0x81
_FINAL: Final = 0x82
_RULE: Final = 0x81
_TYPE: Final = 0x82
_VALUE: Final = 0x83
_DN: Final = 0x84


def encode(given: Filter) -> bytes:  # noqa: PLR0911 - one for each
    """The filter as an element."""
    match given:
        case And(parts):
            return ber.sequence(*map(encode, parts), tag=_AND)
        case Or(parts):
            return ber.sequence(*map(encode, parts), tag=_OR)
        case Not(part):
            return ber.sequence(encode(part), tag=_NOT)
        case Compare(attribute, value, sign):
            return ber.sequence(ber.octets(attribute), ber.octets(value), tag=_TAGS[sign])
        case Present(attribute):
            return ber.octets(attribute, _PRESENT)
        case Substrings(attribute, initial, middle, final):
            asked = [ber.octets(initial, _INITIAL)] if initial else []
            asked += [ber.octets(part, _ANY) for part in middle]
            asked += [ber.octets(final, _FINAL)] if final else []
            return ber.sequence(ber.octets(attribute), ber.sequence(*asked), tag=_SUBSTRINGS)
        case Extensible(value, attribute, rule, dn):
            told = [ber.octets(rule, _RULE)] if rule else []
            told += [ber.octets(attribute, _TYPE)] if attribute else []
            told += [ber.octets(value, _VALUE)]
            told += [ber.boolean(True, _DN)] if dn else []  # noqa: FBT003 - what is sent
            return ber.sequence(*told, tag=_EXTENSIBLE)


def decode(reader: Reader) -> Filter:
    """The filter that comes next.

    :raises BerError: there is none, or it is too deep or of too many parts.
    """
    return _Decoding().one(reader, DEEPEST)


class _Decoding:
    def __init__(self) -> None:
        self._left = MOST

    def one(self, reader: Reader, depth: int) -> Filter:
        self._left -= 1
        if not depth or self._left < 0:
            raise BerError(f"Filters stand inside each other at most {DEEPEST} deep, and at most {MOST} in one.")
        tag = reader.tag()
        if tag in {_AND, _OR}:
            inside = reader.inside(tag)
            parts = []
            while inside.more():
                parts.append(self.one(inside, depth - 1))
            return (And if tag == _AND else Or)(tuple(parts))
        if tag == _NOT:
            return Not(self.one(reader.inside(_NOT), depth - 1))
        if tag == _PRESENT:
            return Present(reader.text(_PRESENT))
        if tag == _SUBSTRINGS:
            return self._substrings(reader.inside(_SUBSTRINGS))
        if tag == _EXTENSIBLE:
            return _extensible(reader.inside(_EXTENSIBLE))
        if tag not in _SIGNS:
            raise BerError("A filter is of no kind that LDAP has.")
        inside = reader.inside(tag)
        return Compare(inside.text(), inside.octets(), _SIGNS[tag])

    def _substrings(self, inside: Reader) -> Substrings:
        attribute, parts = inside.text(), inside.inside()
        initial, final = b"", b""
        middle: list[bytes] = []
        if not parts.more():
            raise BerError("A filter asks for no part of a text.")
        while parts.more():
            self._left -= 1
            place = parts.tag()
            part = parts.octets(place)
            if place == _INITIAL and not (initial or middle):
                initial = part
            elif place == _ANY:
                middle.append(part)
            elif place == _FINAL and not parts.more():
                final = part
            else:
                raise BerError("A filter asks for parts of a text out of order.")
            if not part or self._left < 0:
                raise BerError("A filter asks for an empty part of a text, or for too many.")
        return Substrings(attribute, initial, tuple(middle), final)


def _extensible(inside: Reader) -> Extensible:
    rule = inside.text(_RULE) if inside.tag() == _RULE else ""
    attribute = inside.text(_TYPE) if inside.tag() == _TYPE else ""
    value = inside.octets(_VALUE)
    dn = inside.boolean(_DN) if inside.tag() == _DN else False
    if not (rule or attribute):
        raise BerError("A filter names neither an attribute nor a rule.")
    return Extensible(value, attribute, rule, dn)
