"""Messages of LDAP as they are sent (RFC 4511), and the control by which a search goes page by page (RFC 2696).

Elements behind those that are known are passed over (§4: what comes later may be added there). Texts that only tell
what happened are read whatever their octets are; all others are UTF-8.
"""

from collections.abc import Callable, Sequence
from typing import Final

from keystead.wire import ber, ldapfilter_ber
from keystead.wire.ber import BerError, Reader
from keystead.wire.ldap import (
    PAGED,
    Attribute,
    BindRequest,
    BindResponse,
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

MOST_CONTROLS: Final = 32
MOST_ASKED: Final = 1024
"""Attributes that one search may ask for."""
MOST_REFERRALS: Final = 64

_BIND: Final = 0x60
_BOUND: Final = 0x61
_UNBIND: Final = 0x42
_SEARCH: Final = 0x63
_ENTRY: Final = 0x64
_DONE: Final = 0x65
_ELSEWHERE: Final = 0x73
_EXTENDED: Final = 0x77
_EXTENDED_ANSWER: Final = 0x78
_SIMPLE: Final = 0x80
_SASL: Final = 0xA3
_SASL_ANSWER: Final = 0x87
_CONTROLS: Final = 0xA0
_REFERRALS: Final = 0xA3
_NAME: Final = 0x80
_VALUE: Final = 0x81
_ANSWER_NAME: Final = 0x8A
_ANSWER_VALUE: Final = 0x8B
_VERSIONS: Final = 127


def encode(message: Message) -> bytes:
    """The message as it is sent."""
    parts = [ber.integer(message.id), _operation(message.operation)]
    if message.controls:
        parts.append(ber.sequence(*map(_control, message.controls), tag=_CONTROLS))
    return ber.sequence(*parts)


def _control(control: Control) -> bytes:
    critical = ber.boolean(True) if control.critical else b""  # noqa: FBT003 - what is sent
    return ber.sequence(ber.octets(control.oid), critical, _maybe(control.value, ber.OCTETS))


def _maybe(value: bytes | str | None, tag: int) -> bytes:
    return b"" if value is None else ber.octets(value, tag)


def _result(result: Result) -> bytes:
    referrals = ber.sequence(*map(ber.octets, result.referrals), tag=_REFERRALS) if result.referrals else b""
    code = ber.integer(result.code, ber.ENUMERATED)
    return code + ber.octets(result.matched) + ber.octets(result.message) + referrals


def _operation(given: Operation) -> bytes:  # noqa: C901, PLR0911 - one for each
    match given:
        case BindRequest():
            if given.password is None:
                proof = ber.sequence(ber.octets(given.mechanism), _maybe(given.credentials, ber.OCTETS), tag=_SASL)
            else:
                proof = ber.octets(given.password, _SIMPLE)
            return ber.sequence(ber.integer(given.version), ber.octets(given.name), proof, tag=_BIND)
        case BindResponse(result, credentials):
            return ber.sequence(_result(result), _maybe(credentials, _SASL_ANSWER), tag=_BOUND)
        case UnbindRequest():
            return ber.tlv(_UNBIND, b"")
        case SearchRequest():
            return ber.sequence(
                ber.octets(given.base),
                ber.integer(given.scope, ber.ENUMERATED),
                ber.integer(given.deref, ber.ENUMERATED),
                ber.integer(given.size),
                ber.integer(given.time),
                ber.boolean(given.types_only),
                ldapfilter_ber.encode(given.filter),
                ber.sequence(*map(ber.octets, given.attributes)),
                tag=_SEARCH,
            )
        case SearchEntry(name, attributes):
            told = (ber.sequence(ber.octets(k), ber.sequence(*map(ber.octets, v), tag=ber.SET)) for k, v in attributes)
            return ber.sequence(ber.octets(name), ber.sequence(*told), tag=_ENTRY)
        case SearchReference(uris):
            return ber.sequence(*map(ber.octets, uris), tag=_ELSEWHERE)
        case SearchDone(result):
            return ber.sequence(_result(result), tag=_DONE)
        case ExtendedRequest(oid, value):
            return ber.sequence(ber.octets(oid, _NAME), _maybe(value, _VALUE), tag=_EXTENDED)
        case ExtendedResponse(result, name, value):
            parts = (_result(result), _maybe(name, _ANSWER_NAME), _maybe(value, _ANSWER_VALUE))
            return ber.sequence(*parts, tag=_EXTENDED_ANSWER)


def decode(data: bytes) -> Message:
    """The message that ``data`` is, neither more nor less.

    :raises BerError: it is none that is read here.
    """
    outer = Reader(data)
    inside = outer.inside()
    if outer.more():
        raise BerError("Something follows the message.")
    number = inside.integer()
    tag = inside.tag()
    operation: Operation
    if tag == _UNBIND:
        inside.skip()
        operation = UnbindRequest()
    elif tag in _READ:
        operation = _READ[tag](inside.inside(tag))
    else:
        raise BerError("The message is none that is understood here.")
    controls = _controls(inside.inside(_CONTROLS)) if inside.tag() == _CONTROLS else ()
    return Message(number, operation, controls)


def _controls(reader: Reader) -> tuple[Control, ...]:
    found: list[Control] = []
    while reader.more():
        if len(found) == MOST_CONTROLS:
            raise BerError(f"A message has more than {MOST_CONTROLS} controls.")
        inside = reader.inside()
        oid = inside.text()
        critical = inside.boolean() if inside.tag() == ber.BOOLEAN else False
        found.append(Control(oid, critical, inside.octets() if inside.tag() == ber.OCTETS else None))
    return tuple(found)


def _told(reader: Reader) -> Result:
    code = reader.integer(ber.ENUMERATED)
    # Names and words about what happened, for people: some servers end them with a zero, or write Latin-1.
    matched, message = (reader.octets().decode(errors="replace").rstrip("\x00") for _ in range(2))
    return Result(code, matched, message, _uris(reader.inside(_REFERRALS)) if reader.tag() == _REFERRALS else ())


def _uris(reader: Reader) -> tuple[str, ...]:
    found: list[str] = []
    while reader.more():
        if len(found) == MOST_REFERRALS:
            raise BerError(f"A message leads to more than {MOST_REFERRALS} places.")
        found.append(reader.octets().decode(errors="replace"))
    return tuple(found)


def _bind(reader: Reader) -> BindRequest:
    version, name = reader.integer(low=1, high=_VERSIONS), reader.text()
    if reader.tag() == _SIMPLE:
        return BindRequest(name, reader.octets(_SIMPLE), version=version)
    sasl = reader.inside(_SASL)
    return BindRequest(name, None, sasl.text(), sasl.octets() if sasl.more() else None, version)


def _bound(reader: Reader) -> BindResponse:
    return BindResponse(_told(reader), reader.octets(_SASL_ANSWER) if reader.tag() == _SASL_ANSWER else None)


def _search(reader: Reader) -> SearchRequest:
    base = reader.text()
    scope = Scope(reader.integer(ber.ENUMERATED, high=max(Scope)))
    deref = Deref(reader.integer(ber.ENUMERATED, high=max(Deref)))
    size, time, types_only = reader.integer(), reader.integer(), reader.boolean()
    wanted = ldapfilter_ber.decode(reader)
    asked = reader.inside()
    attributes: list[str] = []
    while asked.more():
        if len(attributes) == MOST_ASKED:
            raise BerError(f"A search asks for more than {MOST_ASKED} attributes.")
        attributes.append(asked.text())
    return SearchRequest(
        base=base,
        filter=wanted,
        scope=scope,
        deref=deref,
        size=size,
        time=time,
        types_only=types_only,
        attributes=tuple(attributes),
    )


def _entry(reader: Reader) -> SearchEntry:
    name, attributes = reader.text(), reader.inside()
    found = []
    while attributes.more():
        one = attributes.inside()
        found.append(Attribute(one.text(), tuple(one.inside(ber.SET).each())))
    return SearchEntry(name, tuple(found))


def _elsewhere(reader: Reader) -> SearchReference:
    return SearchReference(_uris(reader))


def _done(reader: Reader) -> SearchDone:
    return SearchDone(_told(reader))


def _extended(reader: Reader) -> ExtendedRequest:
    return ExtendedRequest(reader.text(_NAME), reader.octets(_VALUE) if reader.tag() == _VALUE else None)


def _extended_answer(reader: Reader) -> ExtendedResponse:
    result = _told(reader)
    name = reader.text(_ANSWER_NAME) if reader.tag() == _ANSWER_NAME else None
    return ExtendedResponse(result, name, reader.octets(_ANSWER_VALUE) if reader.tag() == _ANSWER_VALUE else None)


_READ: Final[dict[int, Callable[[Reader], Operation]]] = {
    _BIND: _bind,
    _BOUND: _bound,
    _SEARCH: _search,
    _ENTRY: _entry,
    _DONE: _done,
    _ELSEWHERE: _elsewhere,
    _EXTENDED: _extended,
    _EXTENDED_ANSWER: _extended_answer,
}


def paged(size: int, cookie: bytes = b"") -> Control:
    """Asks for a page of so many; or tells, with the cookie for the next one.

    :param cookie: what the server gave with the page before; empty for the first one.
    """
    return Control(PAGED, value=ber.sequence(ber.integer(size), ber.octets(cookie)))


def page_of(controls: Sequence[Control]) -> tuple[int, bytes] | None:
    """What :func:`paged` says: a number, and the cookie, which is empty where the last page ends.

    :raises BerError: it is said otherwise than RFC 2696 says it.
    """
    for control in controls:
        if control.oid == PAGED:
            inside = Reader(control.value or b"").inside()
            return inside.integer(), inside.octets()
    return None
