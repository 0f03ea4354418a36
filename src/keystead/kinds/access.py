"""Access: asking permission returns the power to write; there is no other way to get one."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.kind import PERMISSION, Kind, Verb

_ASKED: Final = object()


@dataclass(frozen=True, slots=True)
class Power:
    """The proof that ``call``'s actor may do ``word`` (view, add, change, delete) to objects of ``kind``.

    :param asked: whether the actor's own permission gives it; else Keystead acts on its own authority.
    """

    call: Call
    kind: Kind[Any]
    word: str
    _proof: object = None
    asked: bool = True

    def __post_init__(self) -> None:
        if self._proof is not _ASKED:
            raise TypeError("a Power comes from access.require(), not from its constructor")


def holds(call: Call, permission: str) -> bool:
    """Whether the caller has the permission with this full name on all objects."""
    return call.actor.known and (call.actor.is_superuser or permission in call.actor.permissions)


def permitted(call: Call, kind: Kind[Any], permission: str, obj: msgspec.Struct | None = None) -> bool:
    """Whether the caller has the permission with this full name on all objects, or on ``obj`` of ``kind``.

    What is held on ``obj`` alone must have been looked up (:func:`keystead.kinds.grants.on`); the API does so for the
    object that a request's address names.
    """
    return holds(call, permission) or (obj is not None and (permission, str(getattr(obj, kind.pk))) in call.actor.on)


def owns(call: Call, kind: Kind[Any], obj: msgspec.Struct) -> bool:
    """Whether ``obj`` is a record of the caller's own."""
    if not (kind.table and kind.table.owner and call.actor.pk):
        return False
    member = next((field.name for field in kind.fields.values() if field.column == kind.table.owner), None)
    return member is not None and getattr(obj, member) == call.actor.pk


def may(call: Call, kind: Kind[Any], word: str, obj: msgspec.Struct | None = None) -> bool:
    """Whether the caller may do ``word`` to ``obj`` (or, without one, to all objects of ``kind``)."""
    if permitted(call, kind, kind.permission(word), obj):
        return True
    if word == "add":
        return kind.table is not None and kind.table.self_made and call.actor.pk > 0
    return obj is not None and word in {"view", "change", "delete"} and owns(call, kind, obj)


def signed_in(call: Call) -> None:
    """Let through whoever is somebody.

    :raises Problem: ``UNAUTHENTICATED`` for anonymous callers.
    """
    if not call.actor.known:
        raise Problem(Fault.UNAUTHENTICATED, "Authentication credentials were not provided.")


def require(call: Call, kind: Kind[Any], verb: Verb | str, obj: msgspec.Struct | None = None) -> Power:
    """The power to do ``verb`` to objects of ``kind`` (to ``obj``, if given).

    :raises Problem: ``UNAUTHENTICATED`` or ``DENIED``; ``NOT_FOUND`` where the caller may not even see ``obj``.
    """
    signed_in(call)
    word = PERMISSION.get(verb, verb) if isinstance(verb, Verb) else verb
    if may(call, kind, word, obj):
        return Power(call, kind, word, _ASKED)
    if obj is not None and not may(call, kind, "view", obj):
        raise Problem(Fault.NOT_FOUND, "Not found.")
    raise denied()


def system(call: Call, kind: Kind[Any], word: str) -> Power:
    """The power of Keystead itself, for what a flow, a grant or the command line decides on its own authority.

    The name of the function is the audit: every use says in a comment on whose authority it writes.
    """
    return Power(call, kind, word, _ASKED, asked=False)


def as_system(call: Call) -> Call:
    """The same call, acting as Keystead itself."""
    return Call(SYSTEM, call.at, call.settings, call.peer, call.request_id, call.origin)
