"""Lists of settings whose bytes are kept for as long as the settings stay."""

from typing import Final

from keystead.doors.http.message import Request
from keystead.kinds.call import Call

_LISTS: Final = 128
"""How many."""
_LARGEST: Final = 64 * 1024
"""Bytes of the longest."""


def name_of(request: Request, call: Call, path: str) -> tuple[object, ...]:
    """What names the list at ``path`` that ``request`` asks for, where all who may see it see the same."""
    return (path, request.scope["query_string"], call.origin.root, call.origin.host, call.origin.secure)


def get(call: Call, name: tuple[object, ...]) -> bytes | None:
    """The list, if it is kept."""
    return _of(call).get(name)


def put(call: Call, name: tuple[object, ...], body: bytes) -> None:
    """Keep a list, unless it is long."""
    if len(body) <= _LARGEST:
        _of(call)[name] = body


def _of(call: Call) -> dict[tuple[object, ...], bytes]:
    found: dict[tuple[object, ...], bytes] = call.settings.kept("verbs.lists", _LISTS)
    return found
