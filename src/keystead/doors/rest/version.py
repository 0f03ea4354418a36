"""``ETag`` and ``If-Match``: who edits what somebody else has changed meanwhile is told (RFC 9110 §8.8.3, §13.1.1).

The tag names what can be edited of an object, not what is computed for its page: that a user signed in does not make
an administrator's edit of their name stale.
"""

import re
from typing import Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.doors.http.message import Header, Request
from keystead.kinds.changes import stale
from keystead.kinds.kind import Kind
from keystead.kinds.state import State

_PURPOSE: Final = "etag"
_TAG: Final = re.compile(r'\s*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)"|(\*))\s*(?:,|$)')


def _plain(value: object) -> object:
    # Goes into a keyed digest only.
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} has no place in a version")


def tag(state: State, kind: Kind[Any], obj: msgspec.Struct) -> str:
    """The version of ``obj``: changes with everything that a request may set. Secrets take part under a key."""
    members = [getattr(obj, field.name) for field in kind.fields.values() if field.writable]
    text = msgspec.json.encode([kind.model, getattr(obj, kind.pk), *members], enc_hook=_plain)
    return state.vault.sign(_PURPOSE, text.decode())[:27]


def header(state: State, kind: Kind[Any], obj: msgspec.Struct) -> Header:
    """The ``ETag`` field of an answer about ``obj``."""
    return b"etag", f'"{tag(state, kind, obj)}"'.encode()


def wanted(request: Request) -> frozenset[str] | None:
    """The versions that the request goes on from; None where it does not say.

    :raises Problem: ``INVALID`` for a field that is no list of entity tags.
    """
    fields = request.every(b"if-match")
    if not fields:
        return None
    text, at, found = ", ".join(fields), 0, set()
    while at < len(text):
        match = _TAG.match(text, at)
        if match is None:
            raise invalid(detail='If-Match holds entity tags as ETag told them, such as "k3V…", or *.')
        weak, value, any_ = match.groups()
        if any_:
            return None
        if not weak:  # RFC 9110 §13.1.1: If-Match compares strongly, so a weak tag matches nothing
            found.add(value)
        at = match.end()
    return frozenset(found)


def check(versions: frozenset[str] | None, state: State, kind: Kind[Any], obj: msgspec.Struct) -> None:
    """Go on only from a version that is still the newest.

    :raises Problem: ``CONFLICT``.
    """
    if versions is not None and tag(state, kind, obj) not in versions:
        raise stale()
