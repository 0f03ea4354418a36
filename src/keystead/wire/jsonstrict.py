"""JSON from strangers, read strictly (RFC 8259).

Refused beyond what the grammar refuses: nesting deeper than a limit, a member named twice in one object, NaN and
infinities, numbers outside the range of a float, whole numbers of more than 4,300 digits, lone surrogates, broken
UTF-8 and a byte order mark.
"""

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn

import msgspec

MAX_DEPTH: Final = 64
"""Nesting allowed unless the caller says otherwise: a list in an object is depth 2."""

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_AT_BYTE: Final = re.compile(r"JSON is malformed: (?P<what>.+) \(byte (?P<where>\d+)\)")


class JsonError(ValueError):
    """The text is not JSON we accept; the message says what is wrong and where, and is safe to show."""


class _RepeatedNameError(Exception):
    """Inside this file: a member's name came twice."""


def decode(data: bytes, *, max_depth: int = MAX_DEPTH, unique: bool = True) -> object:
    """``data`` as dict, list, str, int, float, bool or None.

    :param data: one JSON text in UTF-8. Callers cap its length.
    :param max_depth: how deep arrays and objects may nest.
    :param unique: refuse an object that names a member twice; otherwise the last one counts.
    :raises JsonError: see the head of this file.
    """
    try:
        value: object = _decode(data)
    except RecursionError:
        _too_deep(max_depth)
    except UnicodeDecodeError:
        raise JsonError(_broken_utf8(data)) from None
    except msgspec.DecodeError as exc:
        raise JsonError(_plain(str(exc))) from None
    # No more brackets than the limit: it cannot nest deeper, and the walk is spared.
    if data.count(b"[") + data.count(b"{") > max_depth:
        _check_depth(value, max_depth)
    # Minimal JSON comes out as it went in; then nothing was said twice. Anything else is read again, name by name.
    if unique and b"{" in data and _encode(value) != data:
        _check_unique(data)
    return value


def decode_object(data: bytes, *, max_depth: int = MAX_DEPTH, unique: bool = True) -> dict[str, object]:
    """:func:`decode` for a text that must be an object.

    :raises JsonError: as :func:`decode`, or the text is some other value.
    """
    value = decode(data, max_depth=max_depth, unique=unique)
    if not isinstance(value, dict):
        raise JsonError("The JSON text must be an object.")
    return value


def _too_deep(limit: int) -> NoReturn:
    raise JsonError(f"The JSON text nests deeper than {limit} levels.") from None


def _check_depth(value: object, limit: int) -> None:
    level = _holders([value])
    for _ in range(limit):
        if not level:
            return
        level = [
            inner for holder in level for inner in _holders(holder.values() if isinstance(holder, dict) else holder)
        ]
    if level:
        _too_deep(limit)


def _holders(values: Iterable[object]) -> list[dict[str, object] | list[object]]:
    return [value for value in values if isinstance(value, dict | list)]


def _refuse_repeats(pairs: list[tuple[str, object]]) -> None:
    # Only the names are of interest, so nothing is built from the values.
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _RepeatedNameError(name)
        seen.add(name)


def _check_unique(data: bytes) -> None:
    try:
        # Numbers are not looked at, so a long one costs nothing.
        json.loads(data, object_pairs_hook=_refuse_repeats, parse_int=len, parse_float=len)
    except _RepeatedNameError as exc:
        name = str(exc)[:64]
        raise JsonError(f"The JSON text names the member {name!r} twice in one object.") from None


def _broken_utf8(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        return f"The JSON text is not valid UTF-8 at byte {exc.start}."
    return "The JSON text is not valid UTF-8."


def _plain(message: str) -> str:
    """The parser's message in the words of this house."""
    if found := _AT_BYTE.fullmatch(message):
        return f"The text is not valid JSON: {found['what']} near byte {found['where']}."
    if "truncated" in message:
        return "The text is not valid JSON: it ends too early."
    if "out of range" in message:
        return "The JSON text has a number out of range."
    return "The text is not valid JSON."
