"""Grants: permissions that roles hold on single objects (rest.md §9); records, read only where they can matter.

The document of a role names the permissions it holds on some object (:attr:`keystead.kinds.call.Actor.partial`). Who
holds none, and who may do a thing to all objects of a kind anyway, costs no query.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from keystead.kinds.access import holds
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.store import Statement, Store, Write

HOLDERS: Final = "authentik_rbac.role"
"""The model of those that hold permissions; its ``objects`` names what they hold on some object."""
_ON: Final = Statement(
    "grants.on",
    "SELECT DISTINCT permission, object_pk FROM object_permissions WHERE role_id = ANY($1::text[]) AND model = $2"
    " AND object_pk = ANY($3::text[])",
)
_KEYS: Final = Statement(
    "grants.keys",
    "SELECT DISTINCT object_pk FROM object_permissions WHERE role_id = ANY($1::text[]) AND permission = $2",
)
_ADD_INTO: Final = "INSERT INTO object_permissions (role_id, permission, model, object_pk)"
_ADD: Final = Statement(
    "grants.add",
    f"{_ADD_INTO} SELECT $1, p, $2, $3 FROM unnest($4::text[]) AS p ON CONFLICT DO NOTHING",  # noqa: S608 - constant parts
    sqlite=f"{_ADD_INTO} SELECT $1, value, $2, $3 FROM json_each($4) WHERE true ON CONFLICT DO NOTHING",  # noqa: S608 - as above
)
_TAKE: Final = Statement(
    "grants.take",
    "DELETE FROM object_permissions WHERE role_id = $1 AND model = $2 AND object_pk = $3"
    " AND permission = ANY($4::text[])",
)
_FORGET: Final = Statement(
    "grants.forget", "DELETE FROM object_permissions WHERE model = $1 AND object_pk = $2 OR role_id = $2"
)
_ELSEWHERE: Final = Statement(
    "grants.elsewhere",
    "SELECT DISTINCT permission FROM object_permissions WHERE role_id = $1 AND permission = ANY($2::text[])"
    " AND object_pk <> $3",
)


def some(call: Call, kind: Kind[Any], word: str) -> bool:
    """Whether the caller holds the permission to ``word`` on some objects of ``kind``, but not on all."""
    return kind.permission(word) in call.actor.partial and not holds(call, kind.permission(word))


async def on(call: Call, store: Store, kind: Kind[Any], objs: Sequence[Any]) -> Call:
    """``call`` with what its actor may do to these objects of ``kind`` in particular."""
    actor = call.actor
    if not objs or actor.is_superuser or not (actor.partial - actor.permissions) & kind.codenames:
        return call
    keys = [str(getattr(obj, kind.pk)) for obj in objs]
    rows = await store.fetch(_ON, sorted(actor.roles), kind.model, keys)
    found = frozenset((str(permission), str(pk)) for permission, pk in rows)
    return replace(call, actor=replace(actor, on=actor.on | found))


async def keys(call: Call, store: Store, kind: Kind[Any], word: str) -> frozenset[str]:
    """The primary keys, as text, of the objects of ``kind`` to which the caller in particular may do ``word``."""
    if not some(call, kind, word):
        return frozenset()
    rows = await store.fetch(_KEYS, sorted(call.actor.roles), kind.permission(word))
    return frozenset(str(row[0]) for row in rows)


def add(role: str, kind: Kind[Any], pk: object, names: Iterable[str]) -> Write:
    """The write that lets members of ``role`` do what ``names`` say to one object."""
    return Write(_ADD, (role, kind.model, str(pk), sorted(names)))


def take(role: str, kind: Kind[Any], pk: object, names: Iterable[str]) -> Write:
    """The write that takes that from them."""
    return Write(_TAKE, (role, kind.model, str(pk), sorted(names)))


async def elsewhere(store: Store, role: str, names: Collection[str], pk: object) -> set[str]:
    """Which of ``names`` the role holds on other objects than the one with key ``pk``."""
    return {str(row[0]) for row in await store.fetch(_ELSEWHERE, role, sorted(names), str(pk))}


def forget(kind: Kind[Any], pk: object) -> Write:
    """The write that removes what roles hold on an object that goes, and what it holds if it is a role."""
    return Write(_FORGET, (kind.model, str(pk)))
