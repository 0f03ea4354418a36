"""Giving permissions to roles and taking them away, on all objects or on a single one (rest.md §9).

Nobody gives or takes what they do not hold themselves (SECURITY AP-07).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import denied, invalid
from keystead.kinds import grants, ledger, records
from keystead.kinds.access import may, permitted, require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.models import ModelEnum
from keystead.kinds.permissions import Permission, number
from keystead.kinds.state import State
from keystead.people import initial
from keystead.people.role import ROLE, Role
from keystead.store import Statement

_IDS: Final = Statement(
    "grants.ids",
    "SELECT permission, id FROM object_permissions WHERE role_id = $1 AND model = $2 AND object_pk = $3"
    " AND permission = ANY($4::text[])",
)


class PermissionAssignRequest(msgspec.Struct):
    """Which permissions to give or take.

    :param permissions: full names, such as ``authentik_core.view_user``.
    :param model: the model of the object, where they are about a single one.
    :param object_pk: the primary key of that object.
    """

    permissions: list[Annotated[str, msgspec.Meta(min_length=1)]]
    model: ModelEnum | None = None
    object_pk: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class PatchedPermissionAssignRequest(msgspec.Struct):
    """Which permissions to take.

    :param permissions: full names, such as ``authentik_core.view_user``.
    :param model: the model of the object, where they are about a single one.
    :param object_pk: the primary key of that object.
    """

    permissions: list[Annotated[str, msgspec.Meta(min_length=1)]] = []
    model: ModelEnum | None = None
    object_pk: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class PermissionAssignResult(msgspec.Struct):
    """Something that was given: the number of the permission, or, on a single object, that of the grant."""

    id: str


class Asked(msgspec.Struct, frozen=True):
    """What is to be given or taken.

    :param names: full names of permissions.
    :param kind: the kind of the single object it is about, if it is.
    """

    names: tuple[str, ...]
    kind: Kind[Any] | None = None
    obj: Any = None

    @property
    def pk(self) -> object:
        """The key of the object."""
        return getattr(self.obj, self.kind.pk) if self.kind else None


async def read(call: Call, state: State, body: PermissionAssignRequest | PatchedPermissionAssignRequest) -> Asked:
    """What ``body`` asks for, all of it known, and held by the caller.

    :raises Problem: ``INVALID`` on a member; ``DENIED`` where the caller holds less.
    """
    if not body.permissions:
        raise invalid({"permissions": ["Name at least one permission."]})
    kind, obj = None, None
    if body.object_pk is not None:
        if body.model is None:
            raise invalid({"model": ["Say of which model the object is."]})
        kind = state.kinds.get(body.model.value)
        obj = await by_pk(call, state, kind, body.object_pk) if kind else None
        if kind is not None and obj is not None:
            call = await grants.on(call, state.store, kind, [obj])
        if kind is None or obj is None or not may(call, kind, "view", obj):
            raise invalid({"object_pk": [f'Invalid pk "{body.object_pk}" - object does not exist.']})
    names = tuple(dict.fromkeys(_named(state, kind, text.strip()).full for text in body.permissions))
    for name in names:
        if kind is not None and name not in kind.codenames:
            raise invalid({"permissions": [f"“{name}” is no permission on objects of {kind.model}."]})
        if not (permitted(call, kind, name, obj) if kind else permitted(call, ROLE, name)):
            raise denied(f"You may not give or take {name}: you do not have it.")
    return Asked(names, kind, obj)


def _named(state: State, kind: Kind[Any] | None, text: str) -> Permission:
    """The permission with this full name, or, where only one has it, this codename."""
    if found := state.permissions.by_name.get(text):
        return found
    alike = [
        one
        for one in state.permissions.by_name.values()
        if one.codename == text and (kind is None or one.full in kind.codenames)
    ]
    if len(alike) != 1:
        raise invalid({"permissions": [f"There is no permission called “{text}”; write it like app_label.codename."]})
    return alike[0]


async def by_pk(call: Call, state: State, kind: Kind[Any], pk: str) -> Any:  # noqa: ANN401 - objects of every kind
    """The object of ``kind`` with this primary key, given as text; None if there is none."""
    field = kind.fields[kind.pk]
    try:
        key = field.take(int(pk) if field.core is int and pk.isascii() and pk.isdigit() else pk)
    except ValueError:
        return None
    if kind.table is None:
        return call.settings.get(kind, key)
    return await records.visible(state.store, kind, field.column, key, call.at)


async def assign(call: Call, state: State, role: Role, asked: Asked) -> Changes:
    """The changes that let members of ``role`` do what is asked."""
    power = require(call, ROLE, "change", role)
    changes = Changes()
    if asked.kind is None:
        new = tuple(sorted({*role.permissions, *asked.names}))
        changes.update(power, role, msgspec.structs.replace(role, permissions=new), quiet=True)
    else:
        changes.grant(call, role.pk, asked.kind, asked.pk, asked.names, serial=True)
    _tell(changes, call, state, role, asked, "assigned")
    return changes


async def unassign(call: Call, state: State, role: Role, asked: Asked) -> Changes:
    """The changes that take from members of ``role`` what is asked."""
    power = require(call, ROLE, "change", role)
    changes = Changes()
    if asked.kind is None:
        left = tuple(name for name in role.permissions if name not in asked.names)
        new = msgspec.structs.replace(role, permissions=left)
    else:
        changes.write(grants.take(role.pk, asked.kind, asked.pk, asked.names))
        kept = await grants.elsewhere(state.store, role.pk, asked.names, asked.pk)
        # Objects made meanwhile may be about to get what the role's initial permissions say.
        kept |= {name for pk, names in initial.of_roles(state, call.settings, {role.pk}) for name in names}
        left = tuple(name for name in role.objects if name in kept or name not in asked.names)
        new = msgspec.structs.replace(role, objects=left)
    changes.update(power, role, new, quiet=True)
    _tell(changes, call, state, role, asked, "unassigned")
    return changes


def _tell(changes: Changes, call: Call, state: State, role: Role, asked: Asked, what: str) -> None:
    told: dict[str, object] = {"change": what, "permissions": list(asked.names)}
    if strong := [name for name in asked.names if state.permissions.by_name[name].strong]:
        told["as_good_as_administrator"] = strong
    if asked.kind is not None:
        told["object"] = ledger.reference(asked.kind, asked.obj)
    changes.event(call, "model_updated", ROLE.app, told, about=(ROLE, role))


async def results(state: State, role: Role, asked: Asked) -> Sequence[PermissionAssignResult]:
    """What was given, in the order in which it was asked for."""
    found: dict[str, object] = {name: number(name) for name in asked.names}
    if asked.kind is not None:
        rows = await state.store.fetch(_IDS, role.pk, asked.kind.model, str(asked.pk), list(asked.names))
        found = {str(name): id_ for name, id_ in rows}
    return [PermissionAssignResult(str(found[name])) for name in asked.names if name in found]
